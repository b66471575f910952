"""The newest traces that match, found exactly where a server promises neither an order nor a complete answer.

A server takes a span of time and a most, and answers with traces that have spans within it, in no certain order. An
answer that is shorter than the most is all there is. So time is walked backwards in windows, each made narrower until
its answer is complete: then all that started within the walked time is known, and what started earlier is older.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from otel_mas.errors import SourceError, UnsupportedQuery
from otel_mas.model import TraceSummary

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
    """The server takes shorter windows only."""


class FewerTraces(SourceError):
    """The server gives fewer traces at a time."""


@dataclass(slots=True)
class _Found:
    """What is known so far: when each trace started, which were looked at, which of these match."""

    look: Callable[[str], TraceSummary | None]
    known: dict[str, int] = field(default_factory=dict)
    looked: set[str] = field(default_factory=set)
    matching: list[TraceSummary] = field(default_factory=list)

    def look_back_to(self, lo: int, limit: int) -> None:
        """Look at what started since, the newest first, until enough of it matches."""
        new = [trace_id for trace_id, start_ns in self.known.items() if start_ns >= lo and trace_id not in self.looked]
        for trace_id in sorted(new, key=self.known.__getitem__, reverse=True):
            if len(self.matching) >= limit:
                return
            self.looked.add(trace_id)
            summary = self.look(trace_id)
            if summary is not None:
                self.matching.append(summary)


@dataclass(frozen=True, slots=True)
class Walk:
    """How to walk back through a server's time.

    Args:
        find: asks the server for the traces with spans from `lo` to `hi` (ns), at most so many.
        look: the summary of a trace that was found; None where it does not match after all.
        grain_ns: what the server tells apart. Windows overlap by as much, and do not get narrower than twice that.
        widest_ns: the longest window that the server takes; None where it takes any.
    """

    find: Callable[[int, int, int], Page]
    look: Callable[[str], TraceSummary | None]
    location: str
    grain_ns: int
    widest_ns: int | None = None
    most_looked_at: int = MOST_LOOKED_AT

    def newest(self, limit: int, floor_ns: int, now_ns: int) -> list[TraceSummary]:
        """The newest matching traces that started at or after `floor_ns`, the newest first.

        Raises:
            UnsupportedQuery: too many traces would have to be looked at, because the server cannot select them.
            SourceError: the server fails.
        """
        found = _Found(self.look)
        most, ceiling = min(max(limit, 20) + 1, _MOST_AT_ONCE), _MOST_AT_AN_INSTANT
        hi, width = now_ns + DAY, self._within(DAY + _FIRST)  # clocks of other machines may be ahead
        if floor_ns >= hi:
            return []
        while True:
            lo = max(floor_ns, hi - width)
            try:
                page = self.find(lo, hi, most)
            except NarrowerWindow:
                if hi - lo <= self._narrowest:
                    raise
                width = max((hi - lo) // 2, self._narrowest)
                continue
            except FewerTraces:
                if most <= 1:
                    raise
                most = ceiling = most // 2
                continue
            found.known.update(page.candidates)
            if not page.complete:
                if hi - lo > self._narrowest:
                    width = self._narrower(page, lo, hi)
                elif most < ceiling:
                    most = min(2 * most, ceiling)
                else:
                    raise UnsupportedQuery(self._too_many(lo))
                continue
            found.look_back_to(lo, limit)
            if len(found.matching) >= limit or lo <= floor_ns:
                return sorted(found.matching, key=lambda summary: (-summary.start_ns, summary.trace_id))[:limit]
            if len(found.known) >= self.most_looked_at:
                raise UnsupportedQuery(self._too_many(lo))
            hi, width = lo + self.grain_ns, self._within((hi - lo) * _WIDER)

    @property
    def _narrowest(self) -> int:
        return 2 * self.grain_ns

    def _within(self, width: int) -> int:
        return max(self._narrowest, width if self.widest_ns is None else min(width, self.widest_ns))

    def _narrower(self, page: Page, lo: int, hi: int) -> int:
        """Half the window, or less: what held about half of the traces that came, where they came newest first."""
        starts = sorted(candidate.start_ns for candidate in page.candidates)
        middle = starts[len(starts) // 2] if starts else lo
        half = (lo + hi) // 2
        return max(hi - (max(middle, half) if middle < hi else half), self._narrowest)

    def _too_many(self, lo: int) -> str:
        from datetime import UTC, datetime

        since = datetime.fromtimestamp(lo / SECOND, UTC).isoformat(timespec="seconds")
        return (
            f"{self.location} cannot select these traces itself, and holds too many to look at each: say since when"
            f" (later than {since}), or of which service"
        )
