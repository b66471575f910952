"""OTLP/JSON, and the protobuf JSON that Tempo answers with, to OTLP messages.

The two differ where protobuf's own mapping and OTLP's do: ids are hex in OTLP and base64 in protobuf (told apart by
their length), enums are numbers or names. 64-bit integers may be numbers or text in both. Both leave out a field that
is at its default, an attribute's empty key among them, and take null for it.

Loads protobuf: import it where JSON has come.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, InstrumentationScope, KeyValue, KeyValueList
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span, Status

from otel_mas.otlp.nesting import CUT, MAX_NESTING

_HEX_DIGITS = (16, 32)
_KINDS = {
    "SPAN_KIND_UNSPECIFIED": 0,
    "SPAN_KIND_INTERNAL": 1,
    "SPAN_KIND_SERVER": 2,
    "SPAN_KIND_CLIENT": 3,
    "SPAN_KIND_PRODUCER": 4,
    "SPAN_KIND_CONSUMER": 5,
}
_STATUSES = {"STATUS_CODE_UNSET": 0, "STATUS_CODE_OK": 1, "STATUS_CODE_ERROR": 2}

Json = Mapping[str, Any]
_MALFORMED = (TypeError, AttributeError, KeyError, OverflowError)


def resource_spans(document: Any, problems: list[str] | None = None) -> Iterator[ResourceSpans]:
    """The messages in a parsed `TracesData` object, or in Tempo's, which calls its list `batches`.

    What has been read is taken out of the document, so that a large one is never there twice.

    Args:
        problems: gets a line for each span that is not OTLP/JSON; the others are read.

    Raises:
        ValueError: it is something else; or a span is, and `problems` is not given.
    """
    if not isinstance(document, dict):
        raise ValueError(f"OTLP/JSON is an object, this is {type(document).__name__}")
    found = document.get("resourceSpans", document.get("batches"))
    if found is None:
        return
    if not isinstance(found, list):
        raise ValueError("resourceSpans is not a list")
    found.reverse()
    while found:
        try:
            yield _resource_spans(found.pop(), problems)
        except _MALFORMED as error:
            raise ValueError(f"not OTLP/JSON: {error}") from error


def _resource_spans(item: Json, problems: list[str] | None) -> ResourceSpans:
    resource = item.get("resource") or {}
    return ResourceSpans(
        resource=Resource(
            attributes=_pairs(resource.get("attributes")),
            dropped_attributes_count=_whole(resource.get("droppedAttributesCount")),
        ),
        scope_spans=[_scope_spans(scope, problems) for scope in item.get("scopeSpans") or ()],
        schema_url=item.get("schemaUrl") or "",
    )


def _scope_spans(item: Json, problems: list[str] | None) -> ScopeSpans:
    return ScopeSpans(
        scope=_scope(item.get("scope") or {}),
        spans=_spans(item.get("spans") or (), problems),
        schema_url=item.get("schemaUrl") or "",
    )


def _spans(items: Sequence[Json], problems: list[str] | None) -> list[Span]:
    found = []
    for item in items:
        try:
            found.append(_span(item))
        except (*_MALFORMED, ValueError) as error:
            if problems is None:
                raise
            named = item if isinstance(item, dict) else {}
            problems.append(
                f"leaves out span {named.get('spanId')!r:.40} of trace {named.get('traceId')!r:.40}: {error}"
            )
    return found


def _scope(item: Json) -> InstrumentationScope:
    return InstrumentationScope(
        name=item.get("name") or "",
        version=item.get("version") or "",
        attributes=_pairs(item.get("attributes")),
        dropped_attributes_count=_whole(item.get("droppedAttributesCount")),
    )


def _span(item: Json) -> Span:
    status = item.get("status") or {}
    return Span(
        trace_id=_id(item.get("traceId")),
        span_id=_id(item.get("spanId")),
        parent_span_id=_id(item.get("parentSpanId")),
        trace_state=item.get("traceState") or "",
        flags=_whole(item.get("flags")),
        name=item.get("name") or "",
        kind=_enum(item.get("kind"), _KINDS),
        start_time_unix_nano=_whole(item.get("startTimeUnixNano")),
        end_time_unix_nano=_whole(item.get("endTimeUnixNano")),
        attributes=_pairs(item.get("attributes")),
        dropped_attributes_count=_whole(item.get("droppedAttributesCount")),
        events=[
            Span.Event(
                time_unix_nano=_whole(event.get("timeUnixNano")),
                name=event.get("name") or "",
                attributes=_pairs(event.get("attributes")),
                dropped_attributes_count=_whole(event.get("droppedAttributesCount")),
            )
            for event in item.get("events") or ()
        ],
        dropped_events_count=_whole(item.get("droppedEventsCount")),
        links=[
            Span.Link(
                trace_id=_id(link.get("traceId")),
                span_id=_id(link.get("spanId")),
                trace_state=link.get("traceState") or "",
                flags=_whole(link.get("flags")),
                attributes=_pairs(link.get("attributes")),
                dropped_attributes_count=_whole(link.get("droppedAttributesCount")),
            )
            for link in item.get("links") or ()
        ],
        dropped_links_count=_whole(item.get("droppedLinksCount")),
        status=Status(code=_enum(status.get("code"), _STATUSES), message=status.get("message") or ""),
    )


def _pairs(items: Sequence[Json] | None, depth: int = 0) -> list[KeyValue]:
    return [KeyValue(key=item.get("key") or "", value=_any(item.get("value") or {}, depth)) for item in items or ()]


def _any(value: Json, depth: int) -> AnyValue:
    for name, held in value.items():
        if held is None:
            continue
        make = _VALUES.get(name)
        if make is not None:
            return make(held)
        if name in _NESTED:
            return AnyValue(string_value=CUT) if depth >= MAX_NESTING else _NESTED[name](held, depth + 1)
    return AnyValue()


def _text(held: Any) -> AnyValue:
    return AnyValue(string_value=held)


def _int(held: Any) -> AnyValue:
    return AnyValue(int_value=int(held))


def _double(held: Any) -> AnyValue:
    return AnyValue(double_value=float(held))  # "NaN", "Infinity" and "-Infinity" are text


def _bool(held: Any) -> AnyValue:
    return AnyValue(bool_value=held)


def _bytes(held: Any) -> AnyValue:
    return AnyValue(bytes_value=_base64(held))


def _array(held: Any, depth: int) -> AnyValue:
    return AnyValue(array_value=ArrayValue(values=[_any(item, depth) for item in held.get("values") or ()]))


def _map(held: Any, depth: int) -> AnyValue:
    return AnyValue(kvlist_value=KeyValueList(values=_pairs(held.get("values"), depth)))


_VALUES: Mapping[str, Callable[[Any], AnyValue]] = {
    "stringValue": _text,
    "intValue": _int,
    "doubleValue": _double,
    "boolValue": _bool,
    "bytesValue": _bytes,
}
_NESTED: Mapping[str, Callable[[Any, int], AnyValue]] = {"arrayValue": _array, "kvlistValue": _map}


def _id(text: Any) -> bytes:
    if not text:
        return b""
    return bytes.fromhex(text) if len(text) in _HEX_DIGITS else _base64(text)


def _base64(text: str) -> bytes:
    return base64.b64decode(text.replace("-", "+").replace("_", "/") + "=" * (-len(text) % 4))


def _whole(number: Any) -> int:
    return int(number or 0)


def _enum(value: Any, names: Mapping[str, int]) -> Any:
    if isinstance(value, str) and not value.isdigit():
        return names.get(value, 0)
    return int(value or 0)
