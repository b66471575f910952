"""Zipkin's JSON, version 2 (https://zipkin.io/zipkin-api/)."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, Final

from otel_mas.model import Event, Span, StatusCode
from otel_mas.report.span_tags import MICROSECOND_NS, Tag, attribute_tags, kind_of, microseconds, span_tags

_KINDS: Final = frozenset({"CLIENT", "SERVER", "PRODUCER", "CONSUMER"})


def zipkin(spans: Iterable[Span], *, content: bool = False) -> list[dict[str, Any]]:
    """The spans as a document, times in µs. Zipkin has no links: causes stay in the tag `mas.cause.spans`.

    Args:
        content: with messages, arguments, results, exceptions.
    """
    return [_span(span, content) for span in spans]


def _span(span: Span, content: bool) -> dict[str, Any]:
    start, duration = microseconds(span)
    tags = {name: _text(value) for name, value in span_tags(span, content=content)}
    if span.status is StatusCode.ERROR:
        tags["error"] = "true"
    kind = kind_of(span)
    found = {
        "traceId": span.trace_id,
        "id": span.span_id,
        "parentId": span.parent_span_id,
        "kind": kind if kind in _KINDS else None,
        "name": span.name,
        "timestamp": start,
        "duration": duration,
        "localEndpoint": {"serviceName": span.service} if span.service else None,
        "annotations": [_annotation(event, content) for event in span.events],
        "tags": tags,
    }
    return {name: value for name, value in found.items() if value not in (None, [], {})}


def _annotation(event: Event, content: bool) -> dict[str, Any]:
    """An event as OpenTelemetry writes it for Zipkin: its name, or `"name":{...}` where it has attributes."""
    attributes = dict(attribute_tags(event.attributes, content=content))
    value = json.dumps({event.name: attributes}, ensure_ascii=False)[1:-1] if attributes else event.name
    return {"timestamp": event.time_ns // MICROSECOND_NS, "value": value}


def _text(value: Tag) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


__all__ = ["zipkin"]
