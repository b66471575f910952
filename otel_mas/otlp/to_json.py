"""Encoded OTLP spans → OTLP/JSON, as a Collector's file exporter writes it: one `TracesData` object a line.

Ids are hex, 64-bit integers are text, enums are numbers, bytes are base64, and numbers that JSON does not have are
text, so that all of it comes back as it was. What is at its default is left out. Loads protobuf: import it where it is
needed. `otel_mas.otlp.from_json` is the way back.
"""

from __future__ import annotations

import math
from base64 import b64encode
from collections.abc import Iterable
from typing import Any

import orjson
from opentelemetry.proto.common.v1.common_pb2 import InstrumentationScope
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from otel_mas.otlp.framing import LogRow, Origin
from otel_mas.otlp.nesting import parsed

Json = dict[str, Any]
_Resources = dict[int, tuple[Json, dict[int, Json]]]


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


def _add(row: LogRow, resources: _Resources) -> None:
    span = span_json(row.body)
    known = resources.get(row.resource.key)
    if known is None:
        known = resources[row.resource.key] = {**_resource(row.resource), "scopeSpans": []}, {}
    document, scopes = known
    scope = scopes.get(row.scope.key)
    if scope is None:
        scope = scopes[row.scope.key] = {**_scope(row.scope), "spans": []}
        document["scopeSpans"].append(scope)
    scope["spans"].append(span)


def span_json(body: bytes) -> Json:
    """An OTLP `Span` message as OTLP/JSON. Raises ValueError where it is none."""
    span = parsed(Span(), body)
    status: Json = {}
    _set(status, "message", span.status.message)
    _set(status, "code", span.status.code)
    found: Json = {"traceId": span.trace_id.hex(), "spanId": span.span_id.hex()}
    _set(found, "traceState", span.trace_state)
    _set(found, "parentSpanId", span.parent_span_id.hex())
    _set(found, "flags", span.flags)
    found |= {
        "name": span.name,
        "kind": span.kind,
        "startTimeUnixNano": str(span.start_time_unix_nano),
        "endTimeUnixNano": str(span.end_time_unix_nano),
    }
    _set(found, "attributes", _pairs(span.attributes))
    _set(found, "droppedAttributesCount", span.dropped_attributes_count)
    _set(found, "events", [_event(event) for event in span.events])
    _set(found, "droppedEventsCount", span.dropped_events_count)
    _set(found, "links", [_link(link) for link in span.links])
    _set(found, "droppedLinksCount", span.dropped_links_count)
    found["status"] = status
    return found


def _resource(origin: Origin) -> Json:
    resource = parsed(Resource(), origin.message)
    inner: Json = {}
    _set(inner, "attributes", _pairs(resource.attributes))
    _set(inner, "droppedAttributesCount", resource.dropped_attributes_count)
    found: Json = {"resource": inner}
    _set(found, "schemaUrl", origin.schema_url)
    return found


def _scope(origin: Origin) -> Json:
    scope = parsed(InstrumentationScope(), origin.message)
    inner: Json = {}
    _set(inner, "name", scope.name)
    _set(inner, "version", scope.version)
    _set(inner, "attributes", _pairs(scope.attributes))
    _set(inner, "droppedAttributesCount", scope.dropped_attributes_count)
    found: Json = {"scope": inner}
    _set(found, "schemaUrl", origin.schema_url)
    return found


def _event(event: Any) -> Json:
    found: Json = {"timeUnixNano": str(event.time_unix_nano), "name": event.name}
    _set(found, "attributes", _pairs(event.attributes))
    _set(found, "droppedAttributesCount", event.dropped_attributes_count)
    return found


def _link(link: Any) -> Json:
    found: Json = {"traceId": link.trace_id.hex(), "spanId": link.span_id.hex()}
    _set(found, "traceState", link.trace_state)
    _set(found, "attributes", _pairs(link.attributes))
    _set(found, "droppedAttributesCount", link.dropped_attributes_count)
    _set(found, "flags", link.flags)
    return found


def _pairs(pairs: Iterable[Any]) -> list[Json]:
    return [{"key": pair.key, "value": _value(pair.value)} for pair in pairs]


def _value(value: Any) -> Json:
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
        return {"arrayValue": {"values": [_value(item) for item in value.array_value.values]}}
    if which == "kvlist_value":
        return {"kvlistValue": {"values": _pairs(value.kvlist_value.values)}}
    if which == "bytes_value":
        return {"bytesValue": b64encode(value.bytes_value).decode()}
    return {}


def _double(number: float) -> float | str:
    if math.isfinite(number):
        return number
    return "NaN" if math.isnan(number) else "Infinity" if number > 0 else "-Infinity"


def _set(into: Json, name: str, value: Any) -> None:
    if value:
        into[name] = value
