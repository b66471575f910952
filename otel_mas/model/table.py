"""Spans by number, in columns: a graph of 100,000 spans needs no object for each."""

from __future__ import annotations

from abc import abstractmethod
from array import array
from collections.abc import Iterator, Mapping, MutableSequence, Sequence
from dataclasses import dataclass
from itertools import repeat
from operator import is_
from typing import Final, overload

from otel_mas.dialects import OWN_SCOPE
from otel_mas.model.span import AttributeValue, Resource, Scope, Span
from otel_mas.semconv import attributes as names

_CLOCKS: Final = (names.HOST_ID, names.HOST_NAME, names.SERVICE_INSTANCE_ID, names.MAS_INSTANCE_ID)
_OURS: Final = frozenset((OWN_SCOPE, ""))
"""Scopes of spans that we recorded, or made of records and checkpoints."""
NOT_HERE: Final = -1
"""Stands for a span that is not in the table."""


@dataclass(frozen=True, slots=True)
class LinkTable:
    """The links of the spans of a table, in the order of these spans."""

    effects: Sequence[int]
    """The number of the span that a link is on."""
    causes: Sequence[int]
    """The number of the span that it points at, or `NOT_HERE`."""
    kinds: Sequence[str | None]
    in_other_traces: Mapping[int, tuple[str, str]]
    """Trace and span id of a cause that is `NOT_HERE`, by the place in these columns."""


class SpanTable(Sequence[Span]):
    """A sequence of spans of which the columns can be had without an object for any span.

    Columns are as long as there are spans, and not to be changed. The same number gives the same object each time.
    """

    trace_ids: Sequence[str]
    ids: Sequence[str]
    numbers: Mapping[str, int]
    """The number of a span by its id: the last, where several have the same."""
    parents: Sequence[str | None]
    names: Sequence[str]
    starts: MutableSequence[int]
    lasts: Sequence[int]
    """`Span.last_ns`."""
    open_spans: Sequence[int]
    """The numbers of the spans that have not ended."""
    kinds: Sequence[int]
    statuses: Sequence[int]

    @abstractmethod
    def column(self, name: str) -> Sequence[AttributeValue]:
        """The values of `Span.columns` under a name, None where there is none."""

    @abstractmethod
    def value(self, number: int, name: str) -> AttributeValue:
        """The value of one span."""

    @abstractmethod
    def having(self, name: str) -> Iterator[tuple[int, AttributeValue]]:
        """Number and value of the spans that have a value under a name, other than an empty one."""

    @abstractmethod
    def links(self) -> LinkTable:
        """The links of all spans."""

    @abstractmethod
    def processes(self) -> Sequence[object]:
        """Objects that differ where the processes differ that emitted the spans."""

    @abstractmethod
    def foreign(self) -> Sequence[int]:
        """The numbers of the spans that another instrumentation emitted, one that names itself."""

    @abstractmethod
    def clocks(self) -> Sequence[str]:
        """By span the clock that its times are of, as far as its process says: `clock_of`."""

    @abstractmethod
    def services(self) -> Sequence[str]:
        """`Span.service` of all spans."""

    def __len__(self) -> int:
        return len(self.ids)


class ObjectSpanTable(SpanTable):
    """A table over spans that are there as objects."""

    def __init__(self, spans: Sequence[Span]) -> None:
        self._spans = spans
        self.trace_ids = [span.trace_id for span in spans]
        self.ids = [span.span_id for span in spans]
        self.parents = [span.parent_span_id for span in spans]
        self.names = [span.name for span in spans]
        self.starts = [span.start_ns for span in spans]
        ends = [span.end_ns for span in spans]
        self.kinds = [span.kind for span in spans]
        self.statuses = [span.status for span in spans]
        self._columns = [span.columns for span in spans]
        self.numbers = dict(zip(self.ids, range(len(spans)), strict=True))
        self.open_spans = [number for number, end in enumerate(ends) if end is None] if None in ends else []
        self.lasts = [span.last_ns if end is None else end for span, end in zip(spans, ends, strict=True)]

    @overload
    def __getitem__(self, number: int) -> Span: ...
    @overload
    def __getitem__(self, number: slice) -> Sequence[Span]: ...
    def __getitem__(self, number: int | slice) -> Span | Sequence[Span]:
        return self._spans[number]

    def __iter__(self) -> Iterator[Span]:
        return iter(self._spans)

    def column(self, name: str) -> Sequence[AttributeValue]:
        return [columns.get(name) if columns else None for columns in self._columns]

    def value(self, number: int, name: str) -> AttributeValue:
        return self._columns[number].get(name)

    def having(self, name: str) -> Iterator[tuple[int, AttributeValue]]:
        for number, columns in enumerate(self._columns):
            value = columns.get(name) if columns else None
            if value:
                yield number, value

    def links(self) -> LinkTable:
        effects, causes, kinds = array("q"), array("q"), []
        in_other_traces: dict[int, tuple[str, str]] = {}
        numbers, trace_ids = self.numbers, self.trace_ids
        for effect, span in enumerate(self._spans):
            for link in span.links:
                cause = numbers.get(link.span_id, NOT_HERE)
                if cause == NOT_HERE or trace_ids[cause] != link.trace_id:
                    cause = NOT_HERE
                    in_other_traces[len(causes)] = link.trace_id, link.span_id
                effects.append(effect)
                causes.append(cause)
                kinds.append(link.kind)
        return LinkTable(effects, causes, kinds, in_other_traces)

    def processes(self) -> Sequence[object]:
        return [span.resource.attributes.get(names.MAS_INSTANCE_ID) for span in self._spans]

    def foreign(self) -> Sequence[int]:
        return foreign_of([span.scope for span in self._spans])

    def clocks(self) -> Sequence[str]:
        return clocks_of(self._spans)

    def services(self) -> Sequence[str]:
        return [span.service for span in self._spans]


def foreign_of(scopes: Sequence[Scope]) -> Sequence[int]:
    """The places of the scopes of another instrumentation."""
    if scopes and scopes[0].name in _OURS and all(map(is_, scopes, repeat(scopes[0]))):
        return ()  # as in most traces of ours, in no time
    distinct = dict(zip(map(id, scopes), scopes, strict=True))  # a process has one object for each of its few scopes
    others = {key for key, scope in distinct.items() if scope.name not in _OURS}
    return [number for number, scope in enumerate(scopes) if id(scope) in others] if others else ()


def clocks_of(spans: Sequence[Span]) -> Sequence[str]:
    """By span the clock that its times are of."""
    if isinstance(spans, SpanTable):
        return spans.clocks()
    known: dict[int, str] = {}  # by resource, of which each process has one, or each span
    return [
        known.get(id(span.resource)) or known.setdefault(id(span.resource), clock_of(span.resource, span.service))
        for span in spans
    ]


def clock_of(resource: Resource, service: str) -> str:
    """The clock of a process: its machine's, or its own where it does not say which machine it runs on."""
    values = map(resource.attributes.get, _CLOCKS)
    return str(next(filter(None, values), service))
