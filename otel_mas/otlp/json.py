"""OTLP/JSON ⇄ OTLP messages.

Written as a Collector's file exporter does it, one `TracesData` object a line: ids are hex, 64-bit integers are text,
enums are numbers, bytes are base64, and numbers that JSON does not have are text. Fields at their default are left out.

Read is also protobuf's own JSON, as Tempo answers with it: ids in base64 (told apart by their length), enums as names,
integers as numbers. Both forms may write null for a default.

Loads protobuf: import it where JSON is read or written.
"""

from __future__ import annotations

import math
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

import orjson
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, InstrumentationScope, KeyValue, KeyValueList
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord, ResourceLogs, ScopeLogs, SeverityNumber
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span, Status

from otel_mas.otlp.framing import LogRow, Origin
from otel_mas.otlp.nesting import CUT, MAX_NESTING, parsed

Json = dict[str, Any]
T = TypeVar("T")
_Resources = dict[int, tuple[Json, dict[int, Json]]]
_HEX_DIGITS = (16, 32)
_MALFORMED = (TypeError, AttributeError, KeyError, OverflowError)


def json_line(rows: Iterable[LogRow], left_out: list[LogRow] | None = None) -> bytes:
    """One line, with its end, that holds these spans.

    Args:
        left_out: gets the rows whose bytes are not OTLP.

    Raises:
        ValueError: the bytes of a row are not OTLP, and `left_out` is not given.
    """
    resources: _Resources = {}
    for row in rows:
        try:
            _add(row, resources)
        except ValueError:
            if left_out is None:
                raise
            left_out.append(row)
    documents = [document for document, _ in resources.values()]
    return orjson.dumps({"resourceSpans": documents}, option=orjson.OPT_APPEND_NEWLINE)


def span_json(body: bytes) -> Json:
    """An OTLP `Span` message as OTLP/JSON. Raises ValueError where it is none."""
    return _to_json(parsed(Span(), body), _SPAN)


def resource_spans(document: Any, problems: list[str] | None = None) -> Iterator[ResourceSpans]:
    """The messages in a parsed `TracesData` object, or in Tempo's, which calls its list `batches`.

    The document is emptied on the way, so that a large one is never there twice.

    Args:
        problems: gets a line for each span that is not OTLP/JSON; the others are read.

    Raises:
        ValueError: the document is not OTLP/JSON; or a span is not, and `problems` is not given.
    """
    if not isinstance(document, dict):
        raise ValueError(f"OTLP/JSON is an object, this is {type(document).__name__}")
    found = document.get("resourceSpans", document.get("batches"))
    yield from _each(found, "resourceSpans", lambda item: _resource_spans(item, problems))


def resource_logs(document: Any, problems: list[str] | None = None) -> Iterator[ResourceLogs]:
    """The messages in a parsed `LogsData` object. Arguments and errors as of `resource_spans`."""
    if not isinstance(document, dict):
        raise ValueError(f"OTLP/JSON is an object, this is {type(document).__name__}")
    yield from _each(document.get("resourceLogs"), "resourceLogs", lambda item: _resource_logs(item, problems))


def _each(found: Any, name: str, read: Callable[[Any], T]) -> Iterator[T]:
    if found is None:
        return
    if not isinstance(found, list):
        raise ValueError(f"{name} is not a list")
    found.reverse()
    while found:
        try:
            yield read(found.pop())
        except _MALFORMED as error:
            raise ValueError(f"not OTLP/JSON: {error}") from error


def _add(row: LogRow, resources: _Resources) -> None:
    span = span_json(row.body)
    known = resources.get(row.resource.key)
    if known is None:
        resource = _common("resource", _to_json(parsed(Resource(), row.resource.message), _RESOURCE), row.resource)
        known = resources[row.resource.key] = {**resource, "scopeSpans": []}, {}
    document, scopes = known
    scope = scopes.get(row.scope.key)
    if scope is None:
        found = _to_json(parsed(InstrumentationScope(), row.scope.message), _SCOPE)
        scope = scopes[row.scope.key] = {**_common("scope", found, row.scope), "spans": []}
        document["scopeSpans"].append(scope)
    scope["spans"].append(span)


def _common(name: str, message: Json, origin: Origin) -> Json:
    return {name: message, "schemaUrl": origin.schema_url} if origin.schema_url else {name: message}


def _resource_spans(item: Mapping[str, Any], problems: list[str] | None) -> ResourceSpans:
    return ResourceSpans(
        resource=Resource(**_from_json(item.get("resource") or {}, _RESOURCE)),
        scope_spans=[
            ScopeSpans(
                scope=InstrumentationScope(**_from_json(scope.get("scope") or {}, _SCOPE)),
                spans=_items(scope.get("spans") or (), _span, "span", problems),
                schema_url=scope.get("schemaUrl") or "",
            )
            for scope in item.get("scopeSpans") or ()
        ],
        schema_url=item.get("schemaUrl") or "",
    )


def _resource_logs(item: Mapping[str, Any], problems: list[str] | None) -> ResourceLogs:
    return ResourceLogs(
        resource=Resource(**_from_json(item.get("resource") or {}, _RESOURCE)),
        scope_logs=[
            ScopeLogs(
                scope=InstrumentationScope(**_from_json(scope.get("scope") or {}, _SCOPE)),
                log_records=_items(scope.get("logRecords") or (), _log_record, "log record of span", problems),
                schema_url=scope.get("schemaUrl") or "",
            )
            for scope in item.get("scopeLogs") or ()
        ],
        schema_url=item.get("schemaUrl") or "",
    )


def _span(item: Mapping[str, Any]) -> Span:
    return Span(**{"status": Status(), **_from_json(item, _SPAN)})


def _log_record(item: Mapping[str, Any]) -> LogRecord:
    return LogRecord(**_from_json(item, _LOG_RECORD))


def _items(
    items: Sequence[Mapping[str, Any]],
    read: Callable[[Mapping[str, Any]], T],
    name: str,
    problems: list[str] | None,
) -> list[T]:
    found = []
    for item in items:
        try:
            found.append(read(item))
        except (*_MALFORMED, ValueError) as error:
            if problems is None:
                raise
            named = item if isinstance(item, dict) else {}
            problems.append(
                f"leaves out {name} {named.get('spanId')!r:.40} of trace {named.get('traceId')!r:.40}: {error}"
            )
    return found


def _pairs_to_json(pairs: Iterable[Any]) -> list[Json]:
    return [{"key": pair.key, "value": _value_to_json(pair.value)} for pair in pairs]


def _value_to_json(value: Any) -> Json:
    which = value.WhichOneof("value")
    if which == "string_value":
        return {"stringValue": value.string_value}
    if which == "int_value":
        return {"intValue": str(value.int_value)}
    if which == "double_value":
        return {"doubleValue": _double(value.double_value)}
    if which == "bool_value":
        return {"boolValue": value.bool_value}
    if which == "array_value":
        return {"arrayValue": {"values": [_value_to_json(item) for item in value.array_value.values]}}
    if which == "kvlist_value":
        return {"kvlistValue": {"values": _pairs_to_json(value.kvlist_value.values)}}
    if which == "bytes_value":
        return {"bytesValue": b64encode(value.bytes_value).decode()}
    return {}


def _double(number: float) -> float | str:
    if math.isfinite(number):
        return number
    return "NaN" if math.isnan(number) else "Infinity" if number > 0 else "-Infinity"


def _pairs(items: Sequence[Mapping[str, Any]] | None, depth: int = 0) -> list[KeyValue]:
    return [KeyValue(key=item.get("key") or "", value=_value(item.get("value") or {}, depth)) for item in items or ()]


def _value(value: Mapping[str, Any], depth: int) -> AnyValue:
    for name, held in value.items():
        if held is None:
            continue
        make = _VALUES.get(name)
        if make is not None:
            return make(held)
        if name in ("arrayValue", "kvlistValue"):
            if depth >= MAX_NESTING:
                return AnyValue(string_value=CUT)
            if name == "kvlistValue":
                return AnyValue(kvlist_value=KeyValueList(values=_pairs(held.get("values"), depth + 1)))
            items = [_value(item, depth + 1) for item in held.get("values") or ()]
            return AnyValue(array_value=ArrayValue(values=items))
    return AnyValue()


_VALUES: Mapping[str, Callable[[Any], AnyValue]] = {
    "stringValue": lambda held: AnyValue(string_value=held),
    "intValue": lambda held: AnyValue(int_value=int(held)),
    "doubleValue": lambda held: AnyValue(double_value=float(held)),  # "NaN", "Infinity" and "-Infinity" are text
    "boolValue": lambda held: AnyValue(bool_value=held),
    "bytesValue": lambda held: AnyValue(bytes_value=_base64(held)),
}


def _id(text: str) -> bytes:
    return bytes.fromhex(text) if len(text) in _HEX_DIGITS else _base64(text)


def _base64(text: str) -> bytes:
    return b64decode(text.replace("-", "+").replace("_", "/") + "=" * (-len(text) % 4))


def _enum(prefix: str, enum: Any) -> Callable[[Any], int]:
    names = {name: number for name, number in enum.items() if name.startswith(prefix)}
    return lambda value: names.get(value, 0) if isinstance(value, str) and not value.isdigit() else int(value)


class _Field(NamedTuple):
    """A field of a message: its names in JSON and in protobuf, and its value both ways."""

    json: str
    name: str
    to_json: Callable[[Any], Any] = lambda value: value
    from_json: Callable[[Any], Any] = lambda value: value
    always: bool = False
    """Written also at its default."""


def _to_json(message: Any, fields: Sequence[_Field]) -> Json:
    return {
        field.json: field.to_json(value) for field in fields if (value := getattr(message, field.name)) or field.always
    }


def _from_json(item: Mapping[str, Any], fields: Sequence[_Field]) -> dict[str, Any]:
    return {field.name: field.from_json(value) for field in fields if (value := item.get(field.json))}


_ATTRIBUTES = (
    _Field("attributes", "attributes", _pairs_to_json, _pairs),
    _Field("droppedAttributesCount", "dropped_attributes_count", from_json=int),
)
_RESOURCE = _ATTRIBUTES
_SCOPE = (_Field("name", "name"), _Field("version", "version"), *_ATTRIBUTES)
_IDS = (
    _Field("traceId", "trace_id", bytes.hex, _id, always=True),
    _Field("spanId", "span_id", bytes.hex, _id, always=True),
    _Field("traceState", "trace_state"),
)
_EVENT = (
    _Field("timeUnixNano", "time_unix_nano", str, int, always=True),
    _Field("name", "name", always=True),
    *_ATTRIBUTES,
)
_LINK = (*_IDS, *_ATTRIBUTES, _Field("flags", "flags", from_json=int))
_STATUS = (_Field("message", "message"), _Field("code", "code", from_json=_enum("STATUS_CODE_", Status.StatusCode)))
_SPAN = (
    *_IDS,
    _Field("parentSpanId", "parent_span_id", bytes.hex, _id),
    _Field("flags", "flags", from_json=int),
    _Field("name", "name", always=True),
    _Field("kind", "kind", from_json=_enum("SPAN_KIND_", Span.SpanKind), always=True),
    _Field("startTimeUnixNano", "start_time_unix_nano", str, int, always=True),
    _Field("endTimeUnixNano", "end_time_unix_nano", str, int, always=True),
    *_ATTRIBUTES,
    _Field(
        "events",
        "events",
        lambda events: [_to_json(event, _EVENT) for event in events],
        lambda events: [Span.Event(**_from_json(event, _EVENT)) for event in events],
    ),
    _Field("droppedEventsCount", "dropped_events_count", from_json=int),
    _Field(
        "links",
        "links",
        lambda links: [_to_json(link, _LINK) for link in links],
        lambda links: [Span.Link(**_from_json(link, _LINK)) for link in links],
    ),
    _Field("droppedLinksCount", "dropped_links_count", from_json=int),
    _Field(
        "status",
        "status",
        lambda status: _to_json(status, _STATUS),
        lambda status: Status(**_from_json(status, _STATUS)),
        always=True,
    ),
)
_LOG_RECORD = (
    _Field("traceId", "trace_id", from_json=_id),
    _Field("spanId", "span_id", from_json=_id),
    _Field("timeUnixNano", "time_unix_nano", from_json=int),
    _Field("observedTimeUnixNano", "observed_time_unix_nano", from_json=int),
    _Field("severityNumber", "severity_number", from_json=_enum("SEVERITY_NUMBER_", SeverityNumber)),
    _Field("severityText", "severity_text"),
    _Field("eventName", "event_name"),
    _Field("body", "body", from_json=lambda value: _value(value, 0)),
    _Field("flags", "flags", from_json=int),
    *_ATTRIBUTES,
)
