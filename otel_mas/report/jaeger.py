"""Jaeger's own JSON, as its UI downloads and loads it (https://github.com/jaegertracing/jaeger-ui)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any, Final

from otel_mas.model import Event, Span, StatusCode
from otel_mas.report.span_tags import (
    MICROSECOND_NS,
    SPAN_KIND,
    Tag,
    attribute_tags,
    kind_of,
    microseconds,
    process_attributes,
    span_tags,
)

_TYPES: Final = {bool: "bool", int: "int64", float: "float64"}
_SAMPLED: Final = 1


def jaeger(spans: Iterable[Span], *, content: bool = False) -> dict[str, Any]:
    """The traces of these spans as a document, times in µs.

    The first reference of a span is its parent, below which Jaeger draws it; the others are its links, which the UI
    lists at the span and leads along.

    Args:
        spans: those of a trace one after the other.
        content: with messages, arguments, results, exceptions.
    """
    of_traces = groupby(spans, key=lambda span: span.trace_id)
    traces = [_trace(trace_id, list(own), content) for trace_id, own in of_traces]
    return {"data": traces, "total": len(traces), "limit": 0, "offset": 0, "errors": None}


def _trace(trace_id: str, spans: Sequence[Span], content: bool) -> dict[str, Any]:
    processes: dict[int, str] = {}
    described: dict[str, dict[str, Any]] = {}
    for span in spans:
        if id(span.resource) not in processes:
            key = processes[id(span.resource)] = f"p{len(processes) + 1}"
            tags = _tags(attribute_tags(process_attributes(span), content=content))
            described[key] = {"serviceName": span.service, "tags": tags}
    return {
        "traceID": trace_id,
        "spans": [_span(span, processes[id(span.resource)], content) for span in spans],
        "processes": described,
        "warnings": None,
    }


def _span(span: Span, process: str, content: bool) -> dict[str, Any]:
    start, duration = microseconds(span)
    tags = dict(span_tags(span, content=content))
    if (kind := kind_of(span)) is not None:
        tags[SPAN_KIND] = kind.lower()
    if span.status is StatusCode.ERROR:
        tags["error"] = True
    return {
        "traceID": span.trace_id,
        "spanID": span.span_id,
        "flags": _SAMPLED,
        "operationName": span.name,
        "references": list(_references(span)),
        "startTime": start,
        "duration": duration,
        "tags": _tags(tags.items()),
        "logs": [_log(event, content) for event in span.events],
        "processID": process,
        "warnings": None,
    }


def _references(span: Span) -> Iterator[dict[str, str]]:
    if span.parent_span_id is not None:
        yield {"refType": "CHILD_OF", "traceID": span.trace_id, "spanID": span.parent_span_id}
    for link in span.links:
        yield {"refType": "FOLLOWS_FROM", "traceID": link.trace_id, "spanID": link.span_id}


def _log(event: Event, content: bool) -> dict[str, Any]:
    fields = {"event": event.name, **dict(attribute_tags(event.attributes, content=content))}
    return {"timestamp": event.time_ns // MICROSECOND_NS, "fields": _tags(fields.items())}


def _tags(tags: Iterable[tuple[str, Tag]]) -> list[dict[str, Any]]:
    return [{"key": name, "type": _TYPES.get(type(value), "string"), "value": value} for name, value in tags]


__all__ = ["jaeger"]
