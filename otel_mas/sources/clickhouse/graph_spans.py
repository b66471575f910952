"""Rows of `statements.GRAPH_SPANS` → spans, at once: many are read for a question over many runs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any

from otel_mas.model import AttributeValue, Link, Resource, Scope, Span, SpanKind, StatusCode
from otel_mas.semconv import BOOLEANS, DOUBLES, INTEGERS, STRING_ARRAYS
from otel_mas.semconv import attributes as names
from otel_mas.sources.restore import causes_of, restored_links, restored_value, typed_value

_KINDS = {kind.name.lower(): kind for kind in SpanKind}
_STATUSES = {status.name.lower(): status for status in StatusCode}
_PARTS = f"{names.MAS_PART}."
_IDENTITY = slice(2, 4)

Row = Sequence[Any]


class GraphSpans:
    """Spans of traces, each once, and the traces that have to be read whole."""

    def __init__(self) -> None:
        self.spans: dict[str, list[Span]] = {}
        """By trace, in the order of the rows."""
        self.whole: set[str] = set()
        """Traces with spans of other instrumentation, which say in other attributes what they are, or with arrays in
        several attributes."""
        self._met: dict[tuple[str, str], list[Row]] = {}
        self._resources: dict[frozenset[tuple[str, str]], Resource] = {}

    def add(self, rows: Iterable[Row]) -> None:
        """Add rows; one that came before is left out, since delivery is at least once."""
        for row in rows:
            trace_id, span_id = row[_IDENTITY]
            met = self._met.setdefault((trace_id, span_id), [])
            if row in met:
                continue
            met.append(row)
            if row[-1] or any(name.startswith(_PARTS) for name in row[13]):
                self.whole.add(trace_id)
            if trace_id not in self.whole:
                self.spans.setdefault(trace_id, []).append(self._span(*row[:14], *row[17:21]))

    def _span(self, *row: Any) -> Span:
        start, duration, trace_id, span_id, parent, _, name, kind, status, _, resource, scope, version, given = row[:14]
        columns = _typed(given)
        causes = causes_of(columns)
        links = tuple(_links(*row[14:]))
        start_ns = int(start)
        found = self._resource(resource)
        return Span(
            trace_id=trace_id,
            span_id=span_id,
            parent_span_id=parent or None,
            name=name,
            start_ns=start_ns,
            end_ns=(start_ns + int(duration)) % 2**64 or None,  # of a span that ends before it starts it wraps
            kind=_KINDS.get(kind.lower(), SpanKind.UNSPECIFIED),
            status=_STATUSES.get(status.lower(), StatusCode.UNSET),
            service=str(found.attributes.get(names.SERVICE_NAME, "")),
            links=restored_links(links, causes) if causes else links,
            columns=columns,
            resource=found,
            scope=_scope(scope, version),
        )

    def _resource(self, attributes: Mapping[str, str]) -> Resource:
        key = frozenset(attributes.items())
        if key not in self._resources:
            self._resources[key] = Resource(_typed(attributes))
        return self._resources[key]


def _links(
    traces: Sequence[str], spans: Sequence[str], states: Sequence[str], attributes: Sequence[Mapping[str, str]]
) -> Iterator[Link]:
    for trace_id, span_id, state, given in zip(traces, spans, states, attributes, strict=True):
        yield Link(trace_id, span_id, given.get(names.MAS_LINK_KIND), given, state)


@cache
def _scope(name: str, version: str) -> Scope:
    return Scope(name, version)


def _typed(attributes: Mapping[str, str]) -> dict[str, AttributeValue]:
    found: dict[str, AttributeValue] = {}
    for name, value in attributes.items():
        convert = _converter(name)
        found[name] = value if convert is None else convert(name, value)
    return found


@cache
def _converter(name: str) -> Callable[[str, str], AttributeValue] | None:
    """The function that restores values of this name; None where text is text. Of names that a statement chose."""
    if name in STRING_ARRAYS:
        return restored_value
    return typed_value if name in INTEGERS or name in DOUBLES or name in BOOLEANS else None


__all__ = ["GraphSpans"]
