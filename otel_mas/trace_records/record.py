"""The public models: one record is what one span was, or what happened in it."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Annotated, Any, Final, Literal, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, PlainValidator, ValidationError, ValidationInfo, WithJsonSchema

from otel_mas.semconv import LinkKind
from otel_mas.trace_records import formats
from otel_mas.trace_records.values import plain, text

SCHEMA_VERSION: Final = 1
MAX_PAYLOAD_BYTES: Final = 65_536
"""Bytes of JSON that a payload made by otel-mas has at most, where nothing else is asked for."""
REQUIRED: Final = ("trace_id", "span_id", "event_type", "timestamp")
"""Fields that every record has."""
_MAX_ID = 256


class EventType(StrEnum):
    """The subject of a record."""

    SEND = "SEND"
    """A message leaving for another agent."""
    RECEIVE = "RECEIVE"
    """A message arriving from another agent."""
    LLM_CALL = "LLM_CALL"
    """One request to a model."""
    TOOL_CALL = "TOOL_CALL"
    """One execution of a tool."""
    ROUTING_DECISION = "ROUTING_DECISION"
    """A choice of what runs next."""
    ERROR = "ERROR"
    """An error, in the span of this id if there is another record of it."""
    RETRIEVAL = "RETRIEVAL"
    """One query to a retriever."""
    GUARDRAIL = "GUARDRAIL"
    """A check that may stop or change what passes it."""
    EVALUATION = "EVALUATION"
    """A judgement that the app made."""
    HUMAN_INPUT = "HUMAN_INPUT"
    """A human giving what was asked for."""
    STATE = "STATE"
    """A change of state, by the span of this id if there is another record of it."""
    AGENT_TASK = "AGENT_TASK"
    """An agent, or a node of a graph, doing its work."""
    WORKFLOW = "WORKFLOW"
    """One invocation of a whole graph."""
    SPAN = "SPAN"
    """Any other work: an HTTP request, a query to a database, a function."""


OCCURRENCES: Final = frozenset((EventType.ERROR, EventType.STATE))
"""Types of records that may share the id of a span that has a record of its own."""


class Modality(StrEnum):
    """The kinds of content that went in or came out."""

    TEXT = "text"
    IMAGE = "image"
    AUDIO = "audio"
    VIDEO = "video"
    MULTIMODAL = "multimodal"
    """More than one of them, or a file."""


def _id(value: Any) -> str:
    given = value if type(value) is str else text(value)
    if not 0 < len(given) <= _MAX_ID:
        raise ValueError(f"an id has 1 to {_MAX_ID} characters, not {len(given)}")
    return given


# Checked by functions of ours: pydantic's `str` refuses text that UTF-8 cannot hold, which apps do have.
Text = Annotated[str, PlainValidator(text), WithJsonSchema({"type": "string"})]
Id = Annotated[str, PlainValidator(_id), WithJsonSchema({"type": "string", "minLength": 1, "maxLength": _MAX_ID})]
_PARSED: Final = object()
"""Context of a validation of what a format gave: values of plain types, fresh and not too deep."""


def _value(value: Any, info: ValidationInfo) -> Any:
    return value if info.context is _PARSED else plain(value)


Value = Annotated[Any, PlainValidator(_value), WithJsonSchema({})]


def _mapping(value: Any, info: ValidationInfo) -> dict[str, Any]:
    found = _value(value, info)
    if not isinstance(found, dict):
        raise ValueError(f"it is no mapping but a {type(value).__name__}")
    return found


Values = Annotated[dict[str, Any], PlainValidator(_mapping), WithJsonSchema({"type": "object"})]
Ns = Annotated[int, Field(strict=True, ge=0, lt=2**64)]
Count = Annotated[int, Field(strict=True, ge=0)]


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class TokenCost(_Model):
    """Tokens and price of one call of a model."""

    prompt: Annotated[Count | None, Field(description="tokens that went in, with those from a cache")] = None
    completion: Annotated[Count | None, Field(description="tokens that came out, with those of reasoning")] = None
    cached: Annotated[Count | None, Field(description="part of prompt: read from the provider's cache")] = None
    reasoning: Annotated[Count | None, Field(description="part of completion: spent on reasoning")] = None
    usd: Annotated[
        float | None, Field(description="US dollars; null where no price is known", ge=0, allow_inf_nan=False)
    ] = None


class Parent(_Model):
    """A cause of what a record is about."""

    span_id: Annotated[Id, Field(description="span_id of the cause")]
    kind: Annotated[
        Text | None,
        Field(description="how it caused this: a value of mas.link.kind; null on a link of unknown meaning"),
    ] = LinkKind.TRIGGER.value
    trace_id: Annotated[Id | None, Field(description="trace_id of the cause; null: the same trace")] = None
    provenance: Annotated[
        Literal["recorded", "metadata", "inferred"],
        Field(description="known by a hook or a mark, by keys of the framework, or worked out afterwards"),
    ] = "recorded"
    probability: Annotated[
        float | None,
        Field(description="of an inferred cause, from 0 to 1: how often one on the same grounds is right", ge=0, le=1),
    ] = None
    attributes: Annotated[Values, Field(description="other attributes of the span link")] = {}


class RecordEvent(_Model):
    """A timed event on a span."""

    name: Text
    timestamp: Annotated[Ns, Field(description="nanoseconds since the Unix epoch")]
    attributes: Values = {}


class TraceRecord(_Model):
    """One span (a call of a model, a tool, an agent at work, ...), or an error or a change of state in it.

    `trace_id`, `span_id`, `event_type` and `timestamp` are all that another program must give. Unknown fields are
    refused here; a reader passes over those of a newer `schema_version`.
    """

    schema_version: Annotated[int, Field(description="of this form: 1", strict=True, ge=1)] = SCHEMA_VERSION
    trace_id: Annotated[Id, Field(description="32 hex digits, a UUID, or any other text")]
    span_id: Annotated[Id, Field(description="16 hex digits, or any other text, of its own in the trace")]
    event_type: Annotated[EventType, Field(description="what the record is about")]
    timestamp: Annotated[Ns, Field(description="when it began: nanoseconds since the Unix epoch")]
    duration_ns: Annotated[
        int,
        Field(description="nanoseconds until it ended; 0 for an instant, below 0 where clocks differed", strict=True),
    ] = 0
    agent_name: Annotated[
        Text | None, Field(description="the agent at work, or else the task; null outside of any")
    ] = None
    parent_id: Annotated[
        Id | None,
        Field(description="the causal parent: the task or call whose output triggered this, or else that encloses it"),
    ] = None
    parents: Annotated[tuple[Parent, ...], Field(description="all causes, each with its kind")] = ()
    parent_span_id: Annotated[
        Id | None, Field(description="the span that this one ran inside, as OpenTelemetry has it; null on a root")
    ] = None
    name: Annotated[Text, Field(description="the span's name, such as chat gpt-4o or execute_tool search")] = ""
    task: Annotated[
        Text | None, Field(description="label of the task that it is or belongs to: researcher#1/model#2")
    ] = None
    status: Annotated[Literal["UNSET", "OK", "ERROR"], Field(description="as OpenTelemetry has it")] = "UNSET"
    status_message: Annotated[Text, Field(description="of a status ERROR")] = ""
    payload: Annotated[Value, Field(description="what was said: messages, arguments, results, reasons; any JSON")] = (
        None
    )
    payload_truncated: Annotated[bool, Field(description="something of the payload was cut")] = False
    token_cost: Annotated[TokenCost | None, Field(description="of a call of a model")] = None
    modality: Annotated[Modality, Field(description="kinds of content that went in or came out")] = Modality.TEXT
    conversation_id: Annotated[Id | None, Field(description="the thread; null where there is none")] = None
    service: Annotated[Text, Field(description="service.name of the process")] = ""
    kind: Annotated[
        Literal["UNSPECIFIED", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER"],
        Field(description="as OpenTelemetry has it"),
    ] = "INTERNAL"
    is_open: Annotated[bool, Field(description="it has not ended yet")] = False
    events: Annotated[tuple[RecordEvent, ...], Field(description="timed events on the span")] = ()
    attributes: Annotated[Values, Field(description="attributes of the span under OpenTelemetry's names")] = {}
    resource: Annotated[Values, Field(description="attributes of the process that recorded it")] = {}
    scope: Annotated[Text, Field(description="name of the instrumentation scope")] = ""
    scope_version: Annotated[Text, Field(description="version of the instrumentation scope")] = ""
    complete: Annotated[
        bool,
        Field(
            description="attributes, parents and events are all that the span had, and the other fields repeat them;"
            " false: what they lack is taken from the other fields"
        ),
    ] = False

    def fields(self) -> dict[str, Any]:
        """The fields that differ from their defaults, in order, the required ones and the version first."""
        own = vars(self)
        found: dict[str, Any] = {name: own[name] for name in _ALWAYS}
        for name, default in _DEFAULTS.items():
            value = own[name]
            if value is not default and value != default:
                found[name] = _FORMS[name](value) if name in _FORMS else value
        return found

    def to_json(self) -> bytes:
        """One line of JSON, without a newline."""
        return formats.json_line(self.fields())

    @classmethod
    def from_json(cls, line: bytes | str) -> Self:
        """The record of a line of JSON. Raises ValueError, with one line of reasons, where it is none."""
        context = _PARSED if formats.has_few_levels(line) else None
        return cls._validated(formats.of_json_line(line), context)

    def to_msgpack(self) -> bytes:
        """A map of MessagePack. Raises `MissingExtra` without the package msgpack."""
        return formats.packed(self.fields())

    @classmethod
    def from_msgpack(cls, data: bytes) -> Self:
        """The record of a map of MessagePack. Raises as `from_json`, and `MissingExtra` without the package msgpack."""
        return cls.from_fields(formats.unpacked(data))

    @classmethod
    def from_fields(cls, fields: Any) -> Self:
        """The record with these fields, as a format gave them.

        Of a newer `schema_version`, unknown fields are passed over, and an unknown `event_type` is SPAN.

        Raises:
            ValueError: it is no record; one line of reasons.
        """
        return cls._validated(fields, None)

    @classmethod
    def _validated(cls, fields: Any, context: Any) -> Self:
        if not isinstance(fields, dict):
            raise ValueError("it is no object")
        version = fields.get("schema_version", SCHEMA_VERSION)
        if isinstance(version, int) and version > SCHEMA_VERSION:
            fields = _known(fields)
        try:
            return cls.model_validate(fields, context=context)
        except ValidationError as error:
            raise ValueError("; ".join(map(_reason, error.errors()[:3]))) from None


_RECORD: Final = TraceRecord(trace_id="0", span_id="0", event_type=EventType.SPAN, timestamp=0)
_PARENT: Final = Parent(span_id="0")


def record_of(**fields: Any) -> TraceRecord:
    """A record of fields that are valid already, which are not looked at: for spans of our own model.

    To validate a record takes 30 µs, this takes 2. `model_construct` takes 20, since it looks for aliases, and
    `model_copy` 5.
    """
    return _made(_RECORD, fields)


def parent_of(**fields: Any) -> Parent:
    """A cause in the same way. Its attributes are among the fields."""
    return _made(_PARENT, fields)


_Made = TypeVar("_Made", bound=_Model)


def _made(pattern: _Made, fields: dict[str, Any]) -> _Made:
    """A copy of a model with other fields, as `model_copy` makes it."""
    made = object.__new__(type(pattern))
    _set(made, "__dict__", {**vars(pattern), **fields})
    _set(made, "__pydantic_fields_set__", {*pattern.model_fields_set, *fields})
    _set(made, "__pydantic_extra__", None)
    _set(made, "__pydantic_private__", None)
    return made


_set: Final = object.__setattr__  # the models are frozen


_ALWAYS: Final = ("schema_version", *REQUIRED)
_DEFAULTS: Final[dict[str, Any]] = {
    name: field.default for name, field in TraceRecord.model_fields.items() if name not in _ALWAYS
}


def _given(model: BaseModel) -> dict[str, Any]:
    return {name: value for name, value in model if value != type(model).model_fields[name].default}


def _all_given(models: tuple[BaseModel, ...]) -> list[dict[str, Any]]:
    return [_given(model) for model in models]


_FORMS: Final[dict[str, Callable[[Any], Any]]] = {"token_cost": _given, "parents": _all_given, "events": _all_given}
_PARTS: Final[dict[str, type[BaseModel]]] = {"token_cost": TokenCost, "parents": Parent, "events": RecordEvent}


def _known(fields: dict[str, Any], model: type[BaseModel] = TraceRecord) -> dict[str, Any]:
    """Fields of a newer form without those that this one does not have."""
    found = {name: value for name, value in fields.items() if name in model.model_fields}
    for name, part in _PARTS.items():
        value = found.get(name)
        if isinstance(value, dict):
            found[name] = _known(value, part)
        elif isinstance(value, list):
            found[name] = [_known(item, part) if isinstance(item, dict) else item for item in value]
    if "event_type" in found and found["event_type"] not in set(EventType):
        found["event_type"] = EventType.SPAN
    return found


def _reason(error: Any) -> str:
    """`timestamp: Field required`."""
    where = ".".join(map(str, error["loc"]))
    if error["type"] == "extra_forbidden":
        return f"{where} is no field of a record: what is your own belongs into attributes"
    return f"{where}: {error['msg'].removeprefix('Value error, ')}"
