"""Clock skew between machines: found where spans contradict their causes, and corrected by one offset for each clock.

A span cannot start before its parent or before what caused it, and the server of a call cannot start after its client
has ended; one that only ends later finishes work that its client did not wait for.
Each such pair of spans on two machines bounds how far the one clock is ahead of the other; all of them together leave
an interval, as the messages of the Network Time Protocol do (D. L. Mills, RFC 5905). A clock whose interval has 0 in it
stays as it is. Jaeger's adjuster does so for one pair at a time, and so moves spans of one machine by different
amounts; for a single call both give the same.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from math import inf

from otel_mas.model import NOT_HERE, ObjectSpanTable, Span, SpanBody, SpanKind, SpanTable, Trace, clocks_of

_CALLS = {(int(SpanKind.CLIENT), int(SpanKind.SERVER))}


@dataclass(frozen=True, slots=True)
class Skew:
    """A clock that is ahead of or behind those around it."""

    clock: str
    """Its machine or process."""
    service: str
    """The service of one of its spans."""
    reference: str
    """The service whose clock it was held against: that of the first span, or a neighbour that it contradicts."""
    offset_ns: int
    """Nanoseconds that its spans were moved by; 0 where no single offset explains what was recorded."""
    spans: int
    contradictions: int
    """Spans that started before their causes, or after the callers that waited for them."""
    like: str = ""
    """The service of that neighbour."""


@dataclass(slots=True)
class _Bounds:
    """Nanoseconds that a second clock's times must be moved by, held against a first one."""

    least: float = -inf
    most: float = inf
    ended: float = inf
    """The most, by calls that cannot outlast their callers; not where that contradicts the rest: callers time out."""

    def both(self) -> tuple[float, float]:
        return (self.least, min(self.most, self.ended)) if self.least <= self.ended else (self.least, self.most)


def without_skew(traces: Sequence[Trace]) -> tuple[Sequence[Trace], list[Skew]]:
    """The traces with the times of one clock, that of the first span; the same objects where nothing contradicts it."""
    clocks = [clocks_of(trace.spans) for trace in traces]
    if len({clock for some in clocks for clock in set(some)}) < 2:
        return traces, []
    found = _Found()
    for trace, some in zip(traces, clocks, strict=True):
        if some:
            found.add(_table(trace), some)
    if not found.contradictions:
        return traces, []
    offsets = found.offsets()
    skews = list(found.skews(offsets))
    moved = {clock: round(offset) for clock, (offset, _) in offsets.items() if round(offset)}
    if not moved:
        return traces, skews
    return [_moved(trace, moved) for trace in traces], skews


class _Found:
    """The bounds between each two clocks, and whose spans contradict each other."""

    def __init__(self) -> None:
        self.bounds: dict[str, dict[str, _Bounds]] = defaultdict(lambda: defaultdict(_Bounds))
        """By the clock of causes, then by that of effects: what the latter must be moved by."""
        self.contradictions: dict[frozenset[str], int] = defaultdict(int)
        self.services: dict[str, str] = {}
        self.spans: dict[str, int] = defaultdict(int)
        self._first_ns: float = inf
        self._first_clock = ""

    def add(self, table: SpanTable, clocks: Sequence[str]) -> None:
        """Add what a trace says."""
        for clock, service in zip(clocks, table.services(), strict=True):
            self.spans[clock] += 1
            self.services.setdefault(clock, service or clock)
        first = min(range(len(table)), key=table.starts.__getitem__)
        root = next((i for i, parent in enumerate(table.parents) if table.numbers.get(parent or "") is None), first)
        if table.starts[root] < self._first_ns:
            self._first_ns, self._first_clock = table.starts[root], clocks[root]
        for cause, effect in _pairs(table):
            if clocks[cause] != clocks[effect]:
                self._bound(table, clocks, cause, effect)

    def _bound(self, table: SpanTable, clocks: Sequence[str], cause: int, effect: int) -> None:
        one, other = clocks[cause], clocks[effect]
        earliest = table.starts[cause] - table.starts[effect]
        forth, back = self.bounds[one][other], self.bounds[other][one]
        forth.least, back.most = max(forth.least, earliest), min(back.most, -earliest)
        contradicts = earliest > 0
        if (table.kinds[cause], table.kinds[effect]) in _CALLS and table.ids[cause] == table.parents[effect]:
            latest = table.lasts[cause] - table.lasts[effect]
            if latest >= earliest:  # else it took longer than its caller: that one did not wait for it
                forth.ended = min(forth.ended, latest)
                contradicts = contradicts or table.starts[effect] > table.lasts[cause]
        if contradicts:
            self.contradictions[frozenset((one, other))] += 1

    def offsets(self) -> dict[str, tuple[float, str]]:
        """The offset of each clock that is connected to that of the first span, and the clock it was held against."""
        placed: dict[str, tuple[float, str]] = {self._first_clock: (0.0, self._first_clock)}
        waiting = [self._first_clock]
        while waiting:
            one = waiting.pop(0)
            for other in self.bounds[one]:
                if other not in placed:
                    placed[other] = self._offset(other, placed), one
                    waiting.append(other)
        return placed

    def _offset(self, clock: str, placed: dict[str, tuple[float, str]]) -> float:
        """The offset that the clocks around one leave to it: none, one of theirs, or the middle of what is possible."""
        least, most = -inf, inf
        near = [one for one in placed if clock in self.bounds[one]]
        for one in near:
            low, high = self._between(one, clock)
            least, most = max(least, placed[one][0] + low), min(most, placed[one][0] + high)
        if least > most:
            return 0.0
        for offset in (0.0, *(placed[one][0] for one in near)):
            if least <= offset <= most:
                return offset
        if least == -inf:
            return most
        return least if most == inf else (least + most) / 2

    def _between(self, one: str, other: str) -> tuple[float, float]:
        low, high = self.bounds[one][other].both()
        back_low, back_high = self.bounds[other][one].both()
        return max(low, -back_high), min(high, -back_low)

    def skews(self, offsets: dict[str, tuple[float, str]]) -> Iterator[Skew]:
        """Each clock that was moved, and each that contradicts others whatever it is moved by."""
        for clock, (offset, reference) in offsets.items():
            number = sum(times for pair, times in self.contradictions.items() if clock in pair)
            impossible = any(low > high for low, high in (self._between(one, clock) for one in self.bounds[clock]))
            if clock == reference or not (round(offset) or impossible):
                continue
            name, near = self.services[self._first_clock if round(offset) else reference], self.services[reference]
            yield Skew(clock, self.services[clock], name, round(offset), self.spans[clock], number, near)


def _table(trace: Trace) -> SpanTable:
    return trace.spans if isinstance(trace.spans, SpanTable) else ObjectSpanTable(trace.spans)


def _pairs(table: SpanTable) -> Iterator[tuple[int, int]]:
    """Each span after its parent, and after each cause that it names, by number."""
    for effect, parent in enumerate(table.parents):
        cause = table.numbers.get(parent or "", NOT_HERE)
        if cause != NOT_HERE:
            yield cause, effect
    links = table.links()
    for effect, cause, kind in zip(links.effects, links.causes, links.kinds, strict=True):
        if cause != NOT_HERE and kind is not None:
            yield cause, effect


def _moved(trace: Trace, offsets: dict[str, int]) -> Trace:
    """The trace with the spans of these clocks at other times."""
    clocks = clocks_of(trace.spans)
    if offsets.keys().isdisjoint(clocks):
        return trace
    spans = [_later(span, offsets.get(clock, 0)) for span, clock in zip(trace.spans, clocks, strict=True)]
    return replace(trace, spans=tuple(sorted(spans, key=lambda span: span.start_ns)))


def _later(span: Span, offset_ns: int) -> Span:
    if not offset_ns:
        return span

    def load() -> SpanBody:
        body = span.body
        return body.changed(events=tuple(replace(one, time_ns=one.time_ns + offset_ns) for one in body.events))

    times = (None if time is None else time + offset_ns for time in (span.end_ns, span.seen_ns))
    end_ns, seen_ns = times
    return replace(span, start_ns=span.start_ns + offset_ns, end_ns=end_ns, seen_ns=seen_ns, load=load, _body=None)


__all__ = ["Skew", "without_skew"]
