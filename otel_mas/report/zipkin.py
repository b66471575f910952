"""Zipkin's JSON, version 2 (https://zipkin.io/zipkin-api/)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from otel_mas.model import Span, StatusCode
from otel_mas.report.span_tags import MICROSECOND_NS, Tag, kind_of, microseconds, span_tags

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
        "annotations": [{"timestamp": one.time_ns // MICROSECOND_NS, "value": one.name} for one in span.events],
        "tags": tags,
    }
    return {name: value for name, value in found.items() if value not in (None, [], {})}


def _text(value: Tag) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


__all__ = ["zipkin"]
