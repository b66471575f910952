"""Rows of ClickHouse → OTLP messages. Attributes are text there: those of the registry get their types back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from otel_mas.model import SpanKind, StatusCode
from otel_mas.sources.restore import typed_value

if TYPE_CHECKING:
    from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, Span

# Places in a row.
_PROCESS = (10, 11, 12)
_ATTRIBUTES, _EVENTS, _LINKS = 13, 14, 17
_KINDS = {kind.name.lower(): kind.value for kind in SpanKind}
_STATUSES = {status.name.lower(): status.value for status in StatusCode}


def resource_spans(rows: Iterable[Sequence[Any]]) -> Iterator[ResourceSpans]:
    """A message for each row of `statements.SPANS` or `COUNTED_SPANS`, or several rows in turn of one process."""
    from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans

    for (resource, scope, version), group in groupby(rows, key=itemgetter(*_PROCESS)):
        found = ResourceSpans()
        _fill(found.resource.attributes, resource)
        of_scope = found.scope_spans.add()
        of_scope.scope.name, of_scope.scope.version = scope, version
        for row in group:
            span = of_scope.spans.add()
            _describe(span, *row[: _PROCESS[0]])
            _fill(span.attributes, row[_ATTRIBUTES])
            if len(row) > _EVENTS:
                _add_events(span, *row[_EVENTS:_LINKS])
                _add_links(span, *row[_LINKS:])
        yield found


def _describe(span: Any, start: Any, duration: Any, *texts: str) -> None:
    trace_id, span_id, parent, state, name, kind, status, message = texts
    span.trace_id, span.span_id, span.parent_span_id = map(bytes.fromhex, (trace_id, span_id, parent))
    span.trace_state, span.name = state, name
    span.start_time_unix_nano = int(start)
    span.end_time_unix_nano = (int(start) + int(duration)) % 2**64  # of a span that ends before it starts it wraps
    span.kind = _KINDS.get(kind.lower(), 0)
    span.status.code, span.status.message = _STATUSES.get(status.lower(), 0), message


def _add_events(
    span: Span, times: Sequence[Any], names: Sequence[str], attributes: Sequence[Mapping[str, str]]
) -> None:
    for at, name, found in zip(times, names, attributes, strict=True):
        event = span.events.add(time_unix_nano=int(at), name=name)
        _fill(event.attributes, found)


def _add_links(span: Span, *columns: Sequence[Any]) -> None:
    for trace_id, span_id, state, attributes in zip(*columns, strict=True):
        link = span.links.add(trace_id=bytes.fromhex(trace_id), span_id=bytes.fromhex(span_id), trace_state=state)
        _fill(link.attributes, attributes)


def _fill(pairs: Any, attributes: Mapping[str, str]) -> None:
    for name, text in attributes.items():
        value = typed_value(name, text)
        to = pairs.add(key=name).value
        if isinstance(value, bool):
            to.bool_value = value
        elif isinstance(value, int):
            to.int_value = value
        elif isinstance(value, float):
            to.double_value = value
        else:
            to.string_value = text
