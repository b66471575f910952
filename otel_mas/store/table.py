"""The spans of a trace in columns, as the log has them; the object of a span is made at the first access."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, overload

from otel_mas.model import (
    Link,
    LinkTable,
    Resource,
    Scope,
    Span,
    SpanBody,
    SpanKind,
    SpanTable,
    StatusCode,
    clock_of,
    foreign_of,
)
from otel_mas.otlp.decode import decode_resource
from otel_mas.semconv import attributes as names

LoadBody = Callable[[int], SpanBody]

KINDS: Mapping[int, SpanKind] = {int(kind): kind for kind in SpanKind}
_STATUSES: Mapping[int, StatusCode] = {int(status): status for status in StatusCode}


class Process:
    """The process that emitted spans; its resource is decoded at the first access."""

    __slots__ = ("_body", "_resource", "_schema_url", "service")

    def __init__(self, service: str = "", schema_url: str = "", body: bytes | None = None) -> None:
        """`body` is an OTLP `Resource`; None where nothing is known of it."""
        self.service = service
        self._schema_url = schema_url
        self._body = body
        self._resource: Resource | None = None

    @property
    def resource(self) -> Resource:
        if self._resource is None:
            try:
                self._resource = Resource() if self._body is None else decode_resource(self._body, self._schema_url)
            except (ValueError, TypeError):  # damaged: its spans can be read all the same
                self._resource = Resource()
        return self._resource


class Rows:
    """The columns of ended and open spans while they are read, and put in order."""

    def __init__(self) -> None:
        self.keys = array("q")
        self.ids: list[str] = []
        self.parents: list[str | None] = []
        self.names: list[str] = []
        self.kinds: list[int] = []
        self.starts = array("q")
        self.lasts = array("q")
        self.statuses: list[int] = []
        self.processes: list[Process] = []
        self.scopes: list[Scope] = []
        self.attributes: dict[str, list[Any]] = {}
        self.open: dict[int, Span] = {}
        """Spans that have not ended, by number: there are few, and more is known of them than columns."""

    def add_open(self, span: Span, process: Process) -> None:
        """Append a span that has not ended."""
        number = len(self.ids)
        self.open[number] = span
        self.keys.append(0)
        self.ids.append(span.span_id)
        self.parents.append(span.parent_span_id)
        self.names.append(span.name)
        self.kinds.append(span.kind)
        self.starts.append(span.start_ns)
        self.lasts.append(span.last_ns)
        self.statuses.append(span.status)
        self.processes.append(process)
        self.scopes.append(span.scope)
        for name in span.columns.keys() - self.attributes.keys():
            self.attributes[name] = [None] * number
        for name, values in self.attributes.items():
            values.append(span.columns.get(name))

    def in_order(self, order: Sequence[int]) -> Rows:
        """The rows in another order: the n-th is the one with the number `order[n]`."""
        rows = Rows()
        for name, values in vars(self).items():
            if isinstance(values, array):
                setattr(rows, name, array("q", map(values.__getitem__, order)))
            elif isinstance(values, list):
                setattr(rows, name, list(map(values.__getitem__, order)))
        rows.attributes = {name: list(map(found.__getitem__, order)) for name, found in self.attributes.items()}
        if self.open:
            rows.open = {place: self.open[number] for place, number in enumerate(order) if number in self.open}
        return rows


class StoredSpans(SpanTable):
    """The spans of one trace, in start order."""

    def __init__(
        self,
        trace_id: str,
        rows: Rows,
        numbers: Mapping[str, int],
        links: LinkTable,
        load: LoadBody,
    ) -> None:
        self.trace_ids = [trace_id] * len(rows.ids)
        self.ids = rows.ids
        self.numbers = numbers
        self.parents = rows.parents
        self.names = rows.names
        self.starts = rows.starts
        self.lasts = rows.lasts
        self.open_spans = sorted(rows.open)
        self.kinds = rows.kinds
        self.statuses = rows.statuses
        self._trace_id = trace_id
        self._rows = rows
        self._links = links
        self._load = load
        self._made = dict(rows.open)
        self._link_attributes: dict[str | None, Mapping[str, Any]] = {None: {}}

    @overload
    def __getitem__(self, number: int) -> Span: ...
    @overload
    def __getitem__(self, number: slice) -> Sequence[Span]: ...
    def __getitem__(self, number: int | slice) -> Span | Sequence[Span]:
        if isinstance(number, slice):
            return [self[one] for one in range(*number.indices(len(self)))]
        place = range(len(self))[number]
        # Threads that come together get the same object.
        return self._made.get(place) or self._made.setdefault(place, self._make(place))

    def __iter__(self) -> Iterator[Span]:
        made = self._made
        for place in range(len(self)):
            yield made.get(place) or made.setdefault(place, self._make(place))

    def column(self, name: str) -> Sequence[Any]:
        return self._rows.attributes.get(name) or [None] * len(self)

    def value(self, number: int, name: str) -> Any:
        column = self._rows.attributes.get(name)
        return column[number] if column else None

    def having(self, name: str) -> Iterator[tuple[int, Any]]:
        return ((number, value) for number, value in enumerate(self._rows.attributes.get(name, ())) if value)

    def links(self) -> LinkTable:
        return self._links

    def processes(self) -> Sequence[object]:
        processes = self._rows.processes
        if len(set(processes)) == 1:
            return processes
        return [process.resource.attributes.get(names.MAS_INSTANCE_ID) for process in processes]

    def foreign(self) -> Sequence[int]:
        return foreign_of(self._rows.scopes)

    def clocks(self) -> Sequence[str]:
        known = {process: clock_of(process.resource, process.service) for process in set(self._rows.processes)}
        return list(map(known.__getitem__, self._rows.processes))

    def services(self) -> Sequence[str]:
        return [process.service for process in self._rows.processes]

    def _make(self, number: int) -> Span:
        rows = self._rows
        process = rows.processes[number]
        return Span(
            self._trace_id,
            rows.ids[number],
            rows.parents[number],
            rows.names[number],
            rows.starts[number],
            rows.lasts[number],
            KINDS.get(rows.kinds[number], SpanKind.UNSPECIFIED),
            _STATUSES.get(rows.statuses[number], StatusCode.UNSET),
            process.service,
            self._links_of(number),
            {name: values[number] for name, values in rows.attributes.items() if values[number] is not None},
            process.resource,
            rows.scopes[number],
            _Body(self._load, rows.keys[number]),
        )

    def _links_of(self, effect: int) -> tuple[Link, ...]:
        effects, causes, kinds = self._links.effects, self._links.causes, self._links.kinds
        place = bisect_left(effects, effect)
        found = []
        while place < len(effects) and effects[place] == effect:
            kind, cause = kinds[place], causes[place]
            if kind not in self._link_attributes:
                self._link_attributes[kind] = {names.MAS_LINK_KIND: kind}
            cause_ids = (self._trace_id, self.ids[cause]) if cause >= 0 else self._links.in_other_traces[place]
            found.append(Link(*cause_ids, kind, self._link_attributes[kind]))
            place += 1
        return tuple(found)


class _Body:
    """Decodes the body of one span: smaller than a partial, of which there would be one for each span."""

    __slots__ = ("_key", "_load")

    def __init__(self, load: LoadBody, key: int) -> None:
        self._load = load
        self._key = key

    def __call__(self) -> SpanBody:
        return self._load(self._key)
