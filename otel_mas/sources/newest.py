"""The newest matching traces, found exactly where a server promises neither an order nor a complete answer.

A server takes a window of time and a limit, and answers with traces that have spans in the window, in no certain order.
An answer shorter than the limit is complete. So time is walked backwards in windows, each made narrower until its
answer is complete: then every trace that started within the walked time is known, and all others are older.
A server may find a trace that came late only in a window that reaches to its arrival: then windows overlap by far more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from otel_mas.errors import SourceError, UnsupportedQuery
from otel_mas.model import TraceSummary
from otel_mas.sources.progress import Listener, reporting

SECOND = 10**9
HOUR = 3600 * SECOND
DAY = 24 * HOUR

_FIRST = HOUR
_WIDER = 8
_MAX_PER_SEARCH = 200
_MAX_AT_AN_INSTANT = 2_000
MAX_COUNTED = 10_000
"""Traces for one question: more would take minutes."""


class Candidate(NamedTuple):
    """A trace that may match, and when it started."""

    trace_id: str
    start_ns: int


class Page(NamedTuple):
    """Candidates of a window; `complete` is False where there may be more."""

    candidates: Sequence[Candidate]
    complete: bool


class NarrowerWindow(SourceError):
    """The server takes only shorter windows; `widest_ns` is its limit, where it names one."""

    def __init__(self, message: str, widest_ns: int | None = None) -> None:
        super().__init__(message)
        self.widest_ns = widest_ns


class FewerTraces(SourceError):
    """The server gives only fewer traces at a time."""


@dataclass(slots=True)
class _Known:
    """Traces found so far: when each started, which were counted, which of these match."""

    summary: Callable[[str], TraceSummary | None]
    parallel: int
    report: Listener
    starts: dict[str, int] = field(default_factory=dict)
    counted: set[str] = field(default_factory=set)
    matching: list[TraceSummary] = field(default_factory=list)

    def add(self, candidates: Iterable[Candidate]) -> None:
        self.starts.update(candidates)
        if self.starts:
            self.report(f"{len(self.starts)} traces found")

    def count_back_to(self, lo: int, limit: int) -> None:
        """Count the traces that started since, the newest first, until enough of them match."""
        new = [
            trace_id for trace_id, start_ns in self.starts.items() if start_ns >= lo and trace_id not in self.counted
        ]
        new.sort(key=self.starts.__getitem__, reverse=True)
        while new and len(self.matching) < limit:
            number = min(limit - len(self.matching), len(new)) if self.parallel > 1 else 1
            part, new = new[:number], new[number:]
            for trace_id, summary in zip(part, self._summaries(part), strict=True):
                self.counted.add(trace_id)
                if summary is not None:
                    self.matching.append(summary)
                self.report(f"{len(self.counted)} of {len(self.starts)} traces read")

    def _summaries(self, trace_ids: Sequence[str]) -> Iterator[TraceSummary | None]:
        if self.parallel == 1 or len(trace_ids) == 1:
            yield from map(self.summary, trace_ids)
            return
        from concurrent.futures import ThreadPoolExecutor

        pool = ThreadPoolExecutor(self.parallel, "otel-mas reading")
        try:
            yield from pool.map(self.summary, trace_ids)
        finally:
            pool.shutdown(cancel_futures=True)


@dataclass(frozen=True, slots=True)
class Walk:
    """A walk back through a server's time.

    Args:
        search: asks the server for the traces with spans from `lo` to `hi` (ns), up to a limit.
        summary: of a trace that was found; None where it does not match after all.
        time_resolution_ns: resolution of the server's times. Windows overlap by it, and are at least twice as wide.
        overlap_ns: the overlap instead, where the server finds a trace that came late only in a window that reaches to
            its arrival. Less where those are too many traces at a time.
        widest_ns: the longest window that the server takes; None where it takes any, or names its limit.
        max_per_search: traces to ask for at a time.
        parallel: traces to count at the same time.
    """

    search: Callable[[int, int, int], Page]
    summary: Callable[[str], TraceSummary | None]
    location: str
    time_resolution_ns: int
    overlap_ns: int = 0
    widest_ns: int | None = None
    max_per_search: int = _MAX_PER_SEARCH
    parallel: int = 1
    max_counted: int = MAX_COUNTED

    def newest(
        self, limit: int, floor_ns: int, now_ns: int, known: Callable[[], Iterable[Candidate]] = tuple
    ) -> list[TraceSummary]:
        """The newest matching traces that started at or after `floor_ns`, the newest first.

        Args:
            known: gives traces that no window finds.

        Raises:
            UnsupportedQuery: too many traces would have to be looked at, because the server cannot select them.
            SourceError: the server fails.
        """
        with reporting() as report:
            found = _Known(self.summary, self.parallel, report)
            report(f"asking {self.location}")
            self._walk(found, known, limit, floor_ns, now_ns + DAY)  # clocks of other machines may be ahead
        return sorted(found.matching, key=lambda summary: (-summary.start_ns, summary.trace_id))[:limit]

    def _walk(
        self, found: _Known, known: Callable[[], Iterable[Candidate]], limit: int, floor_ns: int, top_ns: int
    ) -> None:
        batch, ceiling = min(max(limit, 20) + 1, self.max_per_search), max(self.max_per_search, _MAX_AT_AN_INSTANT)
        overlap, widest = max(self.overlap_ns, self.time_resolution_ns), self.widest_ns
        covered, step = top_ns, DAY + _FIRST  # what started since `covered` is known
        while covered > floor_ns:
            hi = min(top_ns, covered + overlap)
            lo = max(floor_ns, covered - max(step, self._narrowest))
            if widest is not None:
                lo = max(lo, hi - widest)
            try:
                page = self.search(lo, hi, batch)
            except NarrowerWindow as narrower:
                if hi - lo <= self._narrowest:
                    raise
                allowed = narrower.widest_ns
                widest = max(allowed if allowed and allowed < hi - lo else (hi - lo) // 2, self._narrowest)
                overlap = min(overlap, widest // 2)
                continue
            except FewerTraces:
                if batch <= 1:
                    raise
                batch = ceiling = batch // 2
                continue
            found.add((*known(), *page.candidates))
            known = tuple  # once, after the server has answered
            if not page.complete:
                if self.overlap_ns and batch < ceiling:  # known traces come again in each window
                    batch = min(max(4 * batch, _MAX_PER_SEARCH), ceiling)
                elif overlap > self.time_resolution_ns and covered < top_ns:
                    overlap = max(overlap // _WIDER, self.time_resolution_ns)
                elif covered - lo > self._narrowest:
                    step = self._narrower(page, lo, covered)
                elif batch < ceiling:
                    batch = min(2 * batch, ceiling)
                else:
                    raise UnsupportedQuery(self._too_many(lo))
                continue
            found.count_back_to(lo, limit)
            if len(found.matching) >= limit:
                return
            if lo > floor_ns and len(found.starts) >= self.max_counted:
                raise UnsupportedQuery(self._too_many(lo))
            covered, step = lo, (covered - lo) * _WIDER

    @property
    def _narrowest(self) -> int:
        return 2 * self.time_resolution_ns

    def _narrower(self, page: Page, lo: int, hi: int) -> int:
        """Half the window, or less: the part with about half of the traces, where they came newest first."""
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
