"""Rows of `statements.GRAPH_SPANS` and `COUNTED_SPANS` → spans, without a message in between: there are many."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import groupby
from operator import itemgetter
from typing import Any

from otel_mas.model import AttributeValue, Link, Resource, Scope, Span, SpanKind, StatusCode
from otel_mas.semconv import BOOLEANS, DOUBLES, INTEGERS, STRING_ARRAYS
from otel_mas.semconv import attributes as names
from otel_mas.sources.restore import causes_of, restored_links, restored_value, typed_value

_KINDS = {kind.name.lower(): kind for kind in SpanKind}
_STATUSES = {status.name.lower(): status for status in StatusCode}
_PARTS = f"{names.MAS_PART}."
_TRACE, _SPAN, _RESOURCE, _ATTRIBUTES, _LINKS = 2, 3, 10, 13, 17
"""Places in a row."""

Row = Sequence[Any]


class ChosenSpans:
    """Spans of traces, each once, and rows of traces that are not read here."""

    def __init__(self, rows: Iterable[Row]) -> None:
        """
        Args:
            rows: Those of each trace in turn.
        """
        self.spans: dict[str, list[Span]] = {}
        """By trace, in the order of the rows."""
        self.others: dict[str, list[Row]] = {}
        """The rows of traces with spans of other instrumentation, which say in other attributes what they are, or with
        arrays in several attributes."""
        self._resources: dict[frozenset[tuple[str, str]], Resource] = {}
        for trace_id, group in groupby(rows, key=itemgetter(_TRACE)):
            found = list(group)
            if any(row[-1] or any(name.startswith(_PARTS) for name in row[_ATTRIBUTES]) for row in found):
                self.others.setdefault(trace_id, []).extend(found)
            else:
                self.spans[trace_id] = list(map(self._span, _distinct(found)))

    def _span(self, row: Row) -> Span:
        start, duration, trace_id, span_id, parent, _, name, kind, status, _ = row[:_RESOURCE]
        resource, scope, version, given = row[_RESOURCE : _ATTRIBUTES + 1]
        links = row[_LINKS:-1]
        columns = _typed(given)
        causes = causes_of(columns)
        linked = tuple(_links(*links)) if links else ()
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
            links=restored_links(linked, causes) if causes else linked,
            columns=columns,
            resource=found,
            scope=_scope(scope, version),
        )

    def _resource(self, attributes: Mapping[str, str]) -> Resource:
        key = frozenset(attributes.items())
        if key not in self._resources:
            self._resources[key] = Resource(_typed(attributes))
        return self._resources[key]


def _distinct(rows: Sequence[Row]) -> Iterator[Row]:
    """Each row once, since delivery is at least once."""
    met: dict[str, list[Row]] = {}
    for row in rows:
        same = met.setdefault(row[_SPAN], [])
        if row not in same:
            same.append(row)
            yield row


def _links(
    traces: Sequence[str], spans: Sequence[str], states: Sequence[str], attributes: Sequence[Mapping[str, str]]
) -> Iterator[Link]:
    for trace_id, span_id, state, given in zip(traces, spans, states, attributes, strict=True):
        yield Link(trace_id, span_id, given.get(names.MAS_LINK_KIND), given, state)


@lru_cache(maxsize=1024)
def _scope(name: str, version: str) -> Scope:
    return Scope(name, version)


def _typed(attributes: Mapping[str, str]) -> dict[str, AttributeValue]:
    found: dict[str, AttributeValue] = {}
    for name, value in attributes.items():
        convert = _converter(name)
        found[name] = value if convert is None else convert(name, value)
    return found


@lru_cache(maxsize=1024)
def _converter(name: str) -> Callable[[str, str], AttributeValue] | None:
    """The function that restores values of this name; None where text is text. Of names that a statement chose."""
    if name in STRING_ARRAYS:
        return restored_value
    return typed_value if name in INTEGERS or name in DOUBLES or name in BOOLEANS else None


__all__ = ["ChosenSpans"]
