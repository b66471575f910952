"""A span of the model as OTLP/JSON, whatever source it is from: an object as a Collector's file exporter writes it."""

from __future__ import annotations

import math
from base64 import b64encode
from collections.abc import Mapping, Sequence
from typing import Any

from otel_mas.model import Event, Link, Span

Json = dict[str, Any]


def span_document(span: Span) -> Json:
    """A `TracesData` object that holds the span alone. Fields at their default are left out."""
    resource, scope = span.resource, span.scope
    scope_spans = _filled(
        scope=_filled(name=scope.name, version=scope.version, attributes=_pairs(scope.attributes)),
        spans=[_span(span)],
        schemaUrl=scope.schema_url,
    )
    return {
        "resourceSpans": [
            _filled(
                resource=_filled(attributes=_pairs(resource.attributes)),
                scopeSpans=[scope_spans],
                schemaUrl=resource.schema_url,
            )
        ]
    }


def _span(span: Span) -> Json:
    body = span.body
    return _filled(
        traceId=span.trace_id,
        spanId=span.span_id,
        traceState=body.trace_state,
        parentSpanId=span.parent_span_id,
        flags=body.flags,
        name=span.name,
        kind=int(span.kind),
        startTimeUnixNano=str(span.start_ns),
        endTimeUnixNano=None if span.end_ns is None else str(span.end_ns),
        attributes=_pairs(span.attributes),
        droppedAttributesCount=body.dropped_attributes_count,
        events=[_event(one) for one in span.events],
        droppedEventsCount=body.dropped_events_count,
        links=[_link(one) for one in body.links or span.links],
        droppedLinksCount=body.dropped_links_count,
        status=_filled(code=int(span.status), message=span.status_message),
    )


def _event(one: Event) -> Json:
    return _filled(
        timeUnixNano=str(one.time_ns),
        name=one.name,
        attributes=_pairs(one.attributes),
        droppedAttributesCount=one.dropped_attributes_count,
    )


def _link(one: Link) -> Json:
    return _filled(
        traceId=one.trace_id,
        spanId=one.span_id,
        traceState=one.trace_state,
        attributes=_pairs(one.attributes),
        droppedAttributesCount=one.dropped_attributes_count,
        flags=one.flags,
    )


def _filled(**fields: Any) -> Json:
    return {name: value for name, value in fields.items() if value}


def _pairs(attributes: Mapping[str, Any]) -> list[Json]:
    return [{"key": str(name), "value": _value(value)} for name, value in attributes.items()]


def _value(value: Any) -> Json:
    if isinstance(value, str):
        return {"stringValue": value}
    if isinstance(value, bool):
        return {"boolValue": value}
    if isinstance(value, int):
        return {"intValue": str(value)}
    if isinstance(value, float):
        return {"doubleValue": value if math.isfinite(value) else _NAMES[str(value)]}
    if isinstance(value, bytes):
        return {"bytesValue": b64encode(value).decode()}
    if isinstance(value, Mapping):
        return {"kvlistValue": {"values": _pairs(value)}}
    if isinstance(value, Sequence):
        return {"arrayValue": {"values": list(map(_value, value))}}
    return {}


_NAMES = {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}

__all__ = ["span_document"]
