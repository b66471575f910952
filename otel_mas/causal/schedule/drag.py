"""Drag: how much sooner a run ends if a span takes no time, for all spans at once.

The term is Stephen Devaux's (critical path drag, *Total Project Control*, 1999). It is what `reschedule` saves if the
span, with all that is inside, lasts 0 ns; exclusive drag, if only its own time goes, without that of its children.

Each event takes place a lag after the last of what it waits for (`dependencies`), so without the lags of a span only
events after its start come sooner. The walk cuts the order of all events where the last of those in the span is: what
crosses the cut is either sooner, or has some time left before the run ends later. The least of those is the drag. A
heap that is swept over the order once has what crosses and is not sooner, and nothing inside a span has to be looked
at if it waits for nothing outside.

Tasks that waited for a free place are taken to have the places that they had: drag is then at least that much.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Sequence
from heapq import heapify, heappop, heappush
from math import inf

from otel_mas.causal.forest import ROOT
from otel_mas.causal.schedule.dependencies import NOTHING, Dependencies
from otel_mas.causal.schedule.nesting import Nesting
from otel_mas.causal.schedule.timing import last_end, latest_times, places_as_taken


def drag(waits: Dependencies, times: Sequence[int], lags: Sequence[int], *, exclusive: bool = False) -> Sequence[int]:
    """Drag of every span of a schedule, in ns; 0 where nothing is gained.

    Args:
        waits: The dependencies of each event.
        times: When each takes place.
        lags: How long after what it depends on.
        exclusive: Only a span's own time goes, not that of its children.
    """
    return _Sweep(*places_as_taken(waits, times, lags)).run(exclusive)


class _Sweep:
    """Goes once through all events in their order, and stops where a span has ended that may have drag."""

    def __init__(self, waits: Dependencies, times: Sequence[int], lags: Sequence[int]) -> None:
        self.waits = waits
        self.times = times
        self.lags = lags
        self.end = last_end(waits, times)
        self.latest = latest_times(waits, times, lags)
        self.order = waits.order
        self.place = array("q", [0]) * len(times)
        for place, event in enumerate(self.order):
            self.place[event] = place
        self.nesting = Nesting(waits, self.place)
        self.first, self.after = _successors(waits, len(times))
        self.last = frozenset(waits.count + root for root in waits.roots)
        self.swept = 0
        self.crossing: list[tuple[float, float, int]] = []
        """Edges that cross the cut: how much later their effect could have been, its place, and their cause."""

    def run(self, exclusive: bool) -> Sequence[int]:
        count = self.waits.count
        found = [0] * count
        for event, latest in enumerate(self.latest[: 2 * count]):
            if latest != inf and self._is_free(event):
                heappush(self.crossing, (latest - self.times[event], self.place[event], NOTHING))
        for cut, span in sorted((self._cut(span), span) for span in self._candidates()):
            self._sweep(cut)
            found[span] = self._gain(cut, self._without(span, cut, exclusive))
        return found

    def _without(self, span: int, cut: int, exclusive: bool) -> dict[int, int]:
        """Events up to a cut that come sooner without the time of a span, and when they then take place."""
        end, instant = self.waits.count + span, self.times[span] == self.times[self.waits.count + span]
        if exclusive and not instant:
            return self._sooner({end, *self.nesting.children(span)}, cut)
        if self.nesting.alone[span]:
            return {end: self.times[span]}
        inside = () if instant else self.nesting.inside(span)
        return self._sooner({end, *inside, *(self.waits.count + one for one in inside)}, cut)

    def _candidates(self) -> set[int]:
        """Spans on the chains that decide the end, and those around them."""
        count, parent, found = self.waits.count, self.waits.parent, set[int]()
        for event in range(2 * count):
            span = event % count
            if self.latest[event] == self.times[event]:
                while span != ROOT and span not in found:
                    found.add(span)
                    span = parent[span]
        return found

    def _cut(self, span: int) -> int:
        """The place of the last event that the time of a span decides by itself."""
        count, place = self.waits.count, self.place
        inside = () if self.nesting.alone[span] else self.nesting.inside(span)
        return max(place[count + span], *(place[one + shift] for one in inside for shift in (0, count)), 0)

    def _is_free(self, event: int) -> bool:
        """Whether an event depends on nothing."""
        waits = self.waits
        return waits.before[event] == waits.joined[event] == NOTHING and not waits.causes.get(event)

    def _following(self, event: int) -> Iterator[int]:
        for at in range(self.first[event], self.first[event + 1]):
            yield self.after[at]

    def _sweep(self, cut: int) -> None:
        """Add the edges that begin up to a cut and end after it."""
        for place in range(self.swept, cut + 1):
            event = self.order[place]
            if event in self.last:
                heappush(self.crossing, (self.end - self.times[event], inf, event))
            for effect in self._following(event):
                if self.place[effect] > cut and self.latest[effect] != inf:
                    heappush(self.crossing, (self._left(event, effect), self.place[effect], event))
        self.swept = max(self.swept, cut + 1)

    def _left(self, cause: int, effect: int) -> float:
        """How much later a cause could have been for the sake of one of its effects, in ns."""
        return self.latest[effect] - self.lags[effect] - self.times[cause]

    def _sooner(self, without: set[int], cut: int) -> dict[int, int]:
        """Events up to a cut that come sooner if some have no lag, and when they then take place."""
        count, times, place, closed = self.waits.count, self.times, self.place, self.nesting.closed
        waiting = [place[event] for event in without]
        heapify(waiting)
        sooner: dict[int, int] = {}
        seen = -1
        while waiting:
            at = heappop(waiting)
            if at == seen:
                continue
            seen, event = at, self.order[at]
            span = event - count
            if 0 <= span < count and closed[span] and event not in without and span in sooner:
                time = times[event] - times[span] + sooner[span]
            else:
                time = self._ready(event, sooner) + (0 if event in without else self.lags[event])
            if time >= times[event] or self._is_free(event):
                continue
            sooner[event] = time
            passed = event < count and closed[event] and count + event not in without and place[count + event] <= cut
            for effect in self._following(event):
                # What is inside a closed span is as much sooner as the span, and changes nothing else.
                if place[effect] <= cut and not (passed and effect < count and self.waits.parent[effect] == event):
                    heappush(waiting, place[effect])
        return sooner

    def _ready(self, event: int, sooner: dict[int, int]) -> int:
        waits, times = self.waits, self.times
        awaited: Iterable[int] = (waits.before[event], waits.joined[event], *waits.causes.get(event, ()))
        return max((sooner.get(one, times[one]) for one in awaited if one != NOTHING), default=0)

    def _gain(self, cut: int, sooner: dict[int, int]) -> int:
        """By how much all that crosses a cut may move, so that the run ends so much sooner."""
        least: float = inf
        for event, time in sooner.items():
            earlier = self.times[event] - time
            if event in self.last:
                least = min(least, self.end - time)
            for effect in self._following(event):
                if self.place[effect] > cut:
                    least = min(least, self._left(event, effect) + earlier)
        crossing, aside = self.crossing, []
        while crossing and crossing[0][0] < least:
            _, until, cause = crossing[0]
            if until > cut and cause not in sooner:
                least = crossing[0][0]
                break
            one = heappop(crossing)
            if until > cut:
                aside.append(one)
        for one in aside:
            heappush(crossing, one)
        return 0 if least == inf else int(least)


def _successors(waits: Dependencies, events: int) -> tuple[array[int], array[int]]:
    """Effects of each event: where those begin in the second array, and that."""
    first = array("q", [0]) * (events + 1)
    before, joined = waits.before, waits.joined
    for causes in (before, joined, *waits.causes.values()):
        for cause in causes:
            if cause != NOTHING:
                first[cause + 1] += 1
    for event in range(events):
        first[event + 1] += first[event]
    after, at = array("q", [0]) * first[-1], first[:]
    known = [(enumerate(causes)) for causes in (before, joined)]
    further = ((effect, cause) for effect, causes in waits.causes.items() for cause in causes)
    for pairs in (*known, further):
        for effect, cause in pairs:
            if cause != NOTHING:
                after[at[cause]] = effect
                at[cause] += 1
    return first, after


__all__ = ["drag"]
