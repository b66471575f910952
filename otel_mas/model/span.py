"""A span as a reader sees it: columns at hand, the parts of the body decoded when they are asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from enum import IntEnum
from typing import Any, Final

from otel_mas.dialects import (
    DERIVED,
    MARKERS,
    OWN_SCOPE,
    ForeignSpan,
    is_control_flow,
    translated,
    translated_beside_ours,
)
from otel_mas.semconv import Operation
from otel_mas.semconv import attributes as names

# The values of an OTLP AnyValue: str, bool, int, float, bytes, None, sequences and mappings of these.
AttributeValue = Any


class SpanKind(IntEnum):
    """OTLP's numbers."""

    UNSPECIFIED = 0
    INTERNAL = 1
    SERVER = 2
    CLIENT = 3
    PRODUCER = 4
    CONSUMER = 5


class StatusCode(IntEnum):
    """OTLP's numbers."""

    UNSET = 0
    OK = 1
    ERROR = 2


@dataclass(frozen=True, slots=True)
class Resource:
    """The process that emitted a span."""

    attributes: Mapping[str, AttributeValue] = field(default_factory=dict)
    schema_url: str = ""
    dropped_attributes_count: int = 0


@dataclass(frozen=True, slots=True)
class Scope:
    """The instrumentation scope that emitted a span."""

    name: str = ""
    version: str = ""
    attributes: Mapping[str, AttributeValue] = field(default_factory=dict)
    schema_url: str = ""
    dropped_attributes_count: int = 0


@dataclass(slots=True)
class Link:
    """A span link on the effect, pointing at the cause. `kind` is `mas.link.kind`, None on foreign links.

    Not to be changed, and not frozen, as `Span`.
    """

    trace_id: str
    span_id: str
    kind: str | None = None
    attributes: Mapping[str, AttributeValue] = field(default_factory=dict)
    trace_state: str = ""
    flags: int = 0
    dropped_attributes_count: int = 0


EXCEPTION_EVENT: Final = "exception"
STATE_EVENT: Final = "mas.state"
"""Name of the event that holds what a span changed: by channel the value, as JSON text."""
FAULT_EVENT: Final = "mas.fault"
"""Name of the event of a fault that was injected on purpose."""
BUDGET_EVENT: Final = "mas.budget"
"""Name of the event of a budget that is nearly spent, or that stopped what came next."""


@dataclass(frozen=True, slots=True)
class Event:
    """A timed event on a span; `time_ns` since the Unix epoch."""

    name: str
    time_ns: int
    attributes: Mapping[str, AttributeValue] = field(default_factory=dict)
    dropped_attributes_count: int = 0


@dataclass(slots=True)
class SpanBody:
    """The part of a span that a graph does not need: all attributes, events, and links as they were sent.

    Not to be changed, and not frozen, as `Span`. `otlp.decode.EncodedBody` decodes each field when it is asked for.
    """

    attributes: Mapping[str, AttributeValue] = field(default_factory=dict)
    events: tuple[Event, ...] = ()
    links: tuple[Link, ...] = ()
    status_message: str = ""
    trace_state: str = ""
    flags: int = 0
    dropped_attributes_count: int = 0
    dropped_events_count: int = 0
    dropped_links_count: int = 0

    def attribute(self, name: str, default: AttributeValue = None) -> AttributeValue:
        """One attribute by name."""
        return self.attributes.get(name, default)

    def changed(self, **values: Any) -> SpanBody:
        """A copy with other values in some fields."""
        return SpanBody(
            **{one.name: getattr(self, one.name) for one in fields(self) if one.name not in values}, **values
        )


@dataclass(slots=True, eq=False, repr=False)
class Span:
    """One span. Ids are lower-case hex; times are nanoseconds since the Unix epoch.

    `columns` holds the attributes that the source delivers without decoding the body; `attributes`, `events` and
    the other properties decode their part of it, once, when first asked for. `links` are always at hand.
    `end_ns` is None while the span is open, and for ever where its process stopped before it ended (`stopped`);
    `seen_ns` is then the last sign of life of that process, as far as the source knows.

    A span is not to be changed. It is not frozen, since a frozen dataclass takes 2.6 µs to make, a plain one 0.7.
    """

    trace_id: str
    span_id: str
    parent_span_id: str | None
    name: str
    start_ns: int
    end_ns: int | None
    kind: SpanKind = SpanKind.INTERNAL
    status: StatusCode = StatusCode.UNSET
    service: str = ""
    links: tuple[Link, ...] = ()
    columns: Mapping[str, AttributeValue] = field(default_factory=dict)
    resource: Resource = Resource()
    scope: Scope = Scope()
    load: Callable[[], SpanBody] | None = None
    _body: SpanBody | None = None
    seen_ns: int | None = None
    stopped: bool = False

    def __repr__(self) -> str:
        took = f"{self.duration_ns / 1e6:.1f} ms" if self.end_ns is not None else "open"
        return f"<Span {self.name!r} {self.span_id}, {took}{', ERROR' if self.status is StatusCode.ERROR else ''}>"

    @staticmethod
    def complete(body: SpanBody, **fields: Any) -> Span:
        """A span whose body is already decoded; its attributes serve as columns, in our names."""
        return Span(columns=body.attributes, _body=body, **fields).in_our_names()

    def in_our_names(self) -> Span:
        """The span, whose columns are all its attributes, as its dialect says it; for the code that makes it."""
        if self.scope.name != OWN_SCOPE and not MARKERS.isdisjoint(self.columns):
            written = self.as_written(self.columns)
            has_ours = names.MAS_INSTANCE_ID in self.resource.attributes
            more = translated_beside_ours(written, self.scope.name) if has_ours else translated(written)
            self.columns = {name: value for name, value in {**self.columns, **more}.items() if value is not None}
            self.status = StatusCode.UNSET if is_control_flow(more) else self.status
        return self

    @property
    def body(self) -> SpanBody:
        """The body; the first access reads it."""
        if self._body is None:
            body = self.load() if self.load is not None else SpanBody(attributes=self.columns, links=self.links)
            self._body = body
            return body
        return self._body

    @property
    def attributes(self) -> Mapping[str, AttributeValue]:
        return self.body.attributes

    @property
    def events(self) -> tuple[Event, ...]:
        return self.body.events

    @property
    def status_message(self) -> str:
        return self.body.status_message

    @property
    def duration_ns(self) -> int:
        """Nanoseconds from start to end; 0 while open or where the end lies before the start."""
        return max(0, self.end_ns - self.start_ns) if self.end_ns is not None else 0

    @property
    def last_ns(self) -> int:
        """The end; of a span without one, the last instant at which it is known to have been open."""
        if self.end_ns is not None:
            return self.end_ns
        return self.start_ns if self.seen_ns is None else max(self.start_ns, self.seen_ns)

    def get(self, name: str, default: AttributeValue = None) -> AttributeValue:
        """An attribute by name: from the columns, else from the body, which decodes nothing where it has none such.

        Of a span of other instrumentation also those that its dialect has by another name.
        """
        value = self.columns.get(name)
        if value is None:
            value = self.body.attribute(name)
            if value is None and name in DERIVED and self.is_foreign and self.record_kind is not None:
                value = translated(self.as_written()).get(name)
        return default if value is None else value

    def as_written(self, attributes: Mapping[str, AttributeValue] | None = None) -> ForeignSpan:
        """The span as other instrumentation wrote it, for its dialects; `attributes` where they are at hand."""
        return ForeignSpan(
            self.attributes if attributes is None else attributes,
            self.name,
            self.status is StatusCode.ERROR,
            self.span_id,
            self._named_events,
        )

    def _named_events(self) -> list[tuple[str, Mapping[str, AttributeValue]]]:
        return [(one.name, one.attributes) for one in self.events]

    @property
    def is_foreign(self) -> bool:
        """Whether other instrumentation wrote it, and not this package, or a program in its name."""
        return self.record_kind is None or self.scope.name not in ("", OWN_SCOPE)

    @property
    def record_kind(self) -> str | None:
        """`mas.record.kind`: AGENT_TASK, LLM_CALL, TOOL_CALL, ... ; None for spans of other code."""
        return self.columns.get(names.MAS_RECORD_KIND)

    @property
    def agent(self) -> str | None:
        """The agent that the span is, or that it works for; never a workflow, whose `gen_ai.agent.name` is its own."""
        if self.columns.get(names.GEN_AI_OPERATION_NAME) == Operation.INVOKE_WORKFLOW:
            return None
        return self.columns.get(names.GEN_AI_AGENT_NAME)

    @property
    def is_agent(self) -> bool:
        """Whether it is an agent at work, one with a name; other spans only name the agent that they work for."""
        return self.columns.get(names.GEN_AI_OPERATION_NAME) == Operation.INVOKE_AGENT and bool(self.agent)

    @property
    def workflow(self) -> str | None:
        """The name of the workflow that the span is an invocation of."""
        if self.columns.get(names.GEN_AI_OPERATION_NAME) != Operation.INVOKE_WORKFLOW:
            return None
        return self.columns.get(names.GEN_AI_AGENT_NAME)

    @property
    def task_id(self) -> str | None:
        return self.columns.get(names.MAS_TASK_ID)

    @property
    def task_name(self) -> str | None:
        return self.columns.get(names.MAS_TASK_NAME)

    @property
    def conversation_id(self) -> str | None:
        return self.columns.get(names.GEN_AI_CONVERSATION_ID)
