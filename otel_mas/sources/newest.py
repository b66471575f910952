"""The newest traces that match, found exactly where a server promises neither an order nor a complete answer.

A server takes a span of time and a most, and answers with traces that have spans within it, in no certain order. An
answer that is shorter than the most is all there is. So time is walked backwards in windows, each made narrower until
its answer is complete: then all that started within the walked time is known, and what started earlier is older.
A server may find what came late only in a window that reaches to when it came: then windows overlap by far more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from otel_mas.errors import SourceError, UnsupportedQuery
from otel_mas.model import TraceSummary
from otel_mas.sources.progress import Listener, telling

SECOND = 10**9
HOUR = 3600 * SECOND
DAY = 24 * HOUR

_FIRST = HOUR
_WIDER = 8
_MOST_AT_ONCE = 200
_MOST_AT_AN_INSTANT = 2_000
MOST_LOOKED_AT = 10_000
"""Traces; more would take minutes, and a question that asks for as many is better asked otherwise."""


class Candidate(NamedTuple):
    """A trace that may match, and when it started."""

    trace_id: str
    start_ns: int


class Page(NamedTuple):
    """What a server gave for a window; `complete` is False where there may be more."""

    candidates: Sequence[Candidate]
    complete: bool


class NarrowerWindow(SourceError):
    """The server takes shorter windows only; `widest_ns` where it says how short."""

    def __init__(self, message: str, widest_ns: int | None = None) -> None:
        super().__init__(message)
        self.widest_ns = widest_ns


class FewerTraces(SourceError):
    """The server gives fewer traces at a time."""


@dataclass(slots=True)
class _Found:
    """What is known so far: when each trace started, which were looked at, which of these match."""

    look: Callable[[str], TraceSummary | None]
    at_once: int
    tell: Listener
    known: dict[str, int] = field(default_factory=dict)
    looked: set[str] = field(default_factory=set)
    matching: list[TraceSummary] = field(default_factory=list)

    def add(self, candidates: Iterable[Candidate]) -> None:
        self.known.update(candidates)
        if self.known:
            self.tell(f"{len(self.known)} traces found")

    def look_back_to(self, lo: int, limit: int) -> None:
        """Look at what started since, the newest first, until enough of it matches."""
        new = [trace_id for trace_id, start_ns in self.known.items() if start_ns >= lo and trace_id not in self.looked]
        new.sort(key=self.known.__getitem__, reverse=True)
        while new and len(self.matching) < limit:
            number = min(limit - len(self.matching), len(new)) if self.at_once > 1 else 1
            part, new = new[:number], new[number:]
            for trace_id, summary in zip(part, self._looked_at(part), strict=True):
                self.looked.add(trace_id)
                if summary is not None:
                    self.matching.append(summary)
                self.tell(f"{len(self.looked)} of {len(self.known)} traces read")

    def _looked_at(self, trace_ids: Sequence[str]) -> Iterator[TraceSummary | None]:
        if self.at_once == 1 or len(trace_ids) == 1:
            yield from map(self.look, trace_ids)
            return
        from concurrent.futures import ThreadPoolExecutor

        pool = ThreadPoolExecutor(self.at_once, "otel-mas reading")
        try:
            yield from pool.map(self.look, trace_ids)
        finally:
            pool.shutdown(cancel_futures=True)


@dataclass(frozen=True, slots=True)
class Walk:
    """How to walk back through a server's time.

    Args:
        find: asks the server for the traces with spans from `lo` to `hi` (ns), at most so many.
        look: the summary of a trace that was found; None where it does not match after all.
        grain_ns: what the server tells apart. Windows overlap by as much, and do not get narrower than twice that.
        overlap_ns: by how much windows overlap instead, where the server finds a trace that came late only in a window
            that reaches to when it came. Less where that are too many traces at a time.
        widest_ns: the longest window that the server takes; None where it takes any, or says which.
        most_at_once: traces to ask for at a time.
        looks_at_once: traces to look at in parallel.
    """

    find: Callable[[int, int, int], Page]
    look: Callable[[str], TraceSummary | None]
    location: str
    grain_ns: int
    overlap_ns: int = 0
    widest_ns: int | None = None
    most_at_once: int = _MOST_AT_ONCE
    looks_at_once: int = 1
    most_looked_at: int = MOST_LOOKED_AT

    def newest(
        self, limit: int, floor_ns: int, now_ns: int, known: Callable[[], Iterable[Candidate]] = tuple
    ) -> list[TraceSummary]:
        """The newest matching traces that started at or after `floor_ns`, the newest first.

        Args:
            known: gives traces that are found otherwise.

        Raises:
            UnsupportedQuery: too many traces would have to be looked at, because the server cannot select them.
            SourceError: the server fails.
        """
        with telling() as tell:
            found = _Found(self.look, self.looks_at_once, tell)
            tell(f"asking {self.location}")
            self._walk(found, known, limit, floor_ns, now_ns + DAY)  # clocks of other machines may be ahead
        return sorted(found.matching, key=lambda summary: (-summary.start_ns, summary.trace_id))[:limit]

    def _walk(
        self, found: _Found, known: Callable[[], Iterable[Candidate]], limit: int, floor_ns: int, top_ns: int
    ) -> None:
        most, ceiling = min(max(limit, 20) + 1, self.most_at_once), max(self.most_at_once, _MOST_AT_AN_INSTANT)
        overlap, widest = max(self.overlap_ns, self.grain_ns), self.widest_ns
        covered, step = top_ns, DAY + _FIRST  # what started since `covered` is known
        while covered > floor_ns:
            hi = min(top_ns, covered + overlap)
            lo = max(floor_ns, covered - max(step, self._narrowest))
            if widest is not None:
                lo = max(lo, hi - widest)
            try:
                page = self.find(lo, hi, most)
            except NarrowerWindow as refusal:
                if hi - lo <= self._narrowest:
                    raise
                said = refusal.widest_ns
                widest = max(said if said and said < hi - lo else (hi - lo) // 2, self._narrowest)
                overlap = min(overlap, widest // 2)
                continue
            except FewerTraces:
                if most <= 1:
                    raise
                most = ceiling = most // 2
                continue
            found.add((*known(), *page.candidates))
            known = tuple  # asked for once, after the server has answered
            if not page.complete:
                if self.overlap_ns and most < ceiling:  # what is known comes again in each window
                    most = min(max(4 * most, _MOST_AT_ONCE), ceiling)
                elif overlap > self.grain_ns and covered < top_ns:
                    overlap = max(overlap // _WIDER, self.grain_ns)
                elif covered - lo > self._narrowest:
                    step = self._narrower(page, lo, covered)
                elif most < ceiling:
                    most = min(2 * most, ceiling)
                else:
                    raise UnsupportedQuery(self._too_many(lo))
                continue
            found.look_back_to(lo, limit)
            if len(found.matching) >= limit:
                return
            if lo > floor_ns and len(found.known) >= self.most_looked_at:
                raise UnsupportedQuery(self._too_many(lo))
            covered, step = lo, (covered - lo) * _WIDER

    @property
    def _narrowest(self) -> int:
        return 2 * self.grain_ns

    def _narrower(self, page: Page, lo: int, hi: int) -> int:
        """Half the window, or less: what held about half of the traces that came, where they came newest first."""
        starts = sorted(candidate.start_ns for candidate in page.candidates)
        middle = starts[len(starts) // 2] if starts else lo
        half = (lo + hi) // 2
        return max(hi - (max(middle, half) if middle < hi else half), self._narrowest)

    def _too_many(self, lo: int) -> str:
        from datetime import UTC

        from otel_mas.model.instants import instant

        since = instant(lo, UTC).isoformat()
        return (
            f"{self.location} cannot select these traces itself, and holds too many to look at each: say since when"
            f" (later than {since}), or of which service"
        )
