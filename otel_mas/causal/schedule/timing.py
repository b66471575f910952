"""Times of events from their dependencies, and how late each may be without the run ending later."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from math import inf

from otel_mas.causal.schedule.dependencies import NOTHING, Dependencies
from otel_mas.causal.schedule.limits import FreePlaces, freeing


def recorded_times(waits: Dependencies) -> list[int]:
    """When each event took place, in ns since the Unix epoch."""
    times = [*waits.forest.start, *waits.forest.end]
    for join in range(waits.first_join, len(waits.before)):
        time, earlier = times[waits.before[join]], waits.joined[join]
        times.append(time if earlier == NOTHING else max(time, times[earlier]))
    return times


_OPEN, _PLACED = 1, 2


def in_order(waits: Dependencies) -> Dependencies:
    """The same dependencies, with an order in which no event depends on a later one; without limits if there is none.

    Tasks may take their places in another order than they ended in when they were recorded.
    """
    placed, order = bytearray(len(waits.before)), []
    for first in waits.order:
        stack = [first]
        while stack:
            event = stack[-1]
            if placed[event]:
                stack.pop()
                if placed[event] == _OPEN:
                    placed[event] = _PLACED
                    order.append(event)
                continue
            placed[event] = _OPEN
            for earlier in _all_before(waits, event):
                if placed[earlier] == _OPEN:
                    return in_order(replace(waits, limits={}))
                if not placed[earlier]:
                    stack.append(earlier)
    return replace(waits, order=order)


def _all_before(waits: Dependencies, event: int) -> Iterator[int]:
    """All events whose times have to be known first: under a limit the chain of the tasks before."""
    yield from _awaited_by(waits, event)
    limit = waits.limits.get(event)
    if limit is not None:
        for task in limit.earlier if limit.at == limit.places else limit.tasks[limit.at - 1 : limit.at]:
            yield task
            yield waits.count + task


class _Ready:
    """When all that an event depends on has taken place."""

    def __init__(self, waits: Dependencies, times: Sequence[int]) -> None:
        self._waits = waits
        self._times = times
        self._taken: dict[int, FreePlaces] = defaultdict(FreePlaces)

    def at(self, event: int) -> int:
        """In ns; 0 where it depends on nothing. Those under a limit are asked for in their order."""
        waits, times = self._waits, self._times
        known = [times[one] for one in (waits.before[event], waits.joined[event]) if one != NOTHING]
        known += [times[cause] for cause in waits.causes.get(event, ())]
        limit = waits.limits.get(event)
        if limit is not None:
            known.append(self._taken[limit.tasks[0]].free_at(limit, lambda task: times[waits.count + task]))
        return max(known, default=0)


def lags_of(waits: Dependencies, times: Sequence[int]) -> list[int]:
    """How long after the last of what it depends on each event took place, in ns; since the epoch if on nothing."""
    ready, lags = _Ready(waits, times), [0] * len(times)
    for event in waits.order:
        lags[event] = times[event] - ready.at(event)
    return lags


def times_of(waits: Dependencies, lags: Sequence[int]) -> list[int]:
    """When each event takes place that follows what it depends on by these lags. Linear, but for limits."""
    times = [0] * len(lags)
    ready, before, joined = _Ready(waits, times), waits.before, waits.joined
    special = waits.causes.keys() | waits.limits.keys()
    for event in waits.order:
        if event in special:
            times[event] = ready.at(event) + lags[event]
            continue
        one, other = before[event], joined[event]
        time = times[one] if one != NOTHING else 0
        if other != NOTHING and times[other] > time:
            time = times[other]
        times[event] = time + lags[event]
    return times


def last_end(waits: Dependencies, times: Sequence[int]) -> int:
    """The end of the run: of the last of its roots."""
    return max((times[waits.count + root] for root in waits.roots), default=0)


def latest_times(waits: Dependencies, times: Sequence[int], lags: Sequence[int]) -> list[float]:
    """The latest time of each event with which the run still ends when it does; infinite if nothing waits for it."""
    latest = [inf] * len(times)
    end = last_end(waits, times)
    for root in waits.roots:
        latest[waits.count + root] = end
    places = _PlacesLeft(waits, times)
    for event in reversed(waits.order):
        bound = latest[event] - lags[event]
        if bound != inf:
            for earlier in _awaited_by(waits, event):
                if latest[earlier] > bound:
                    latest[earlier] = bound
        for earlier, other in places.left_by(event, bound):
            if latest[earlier] > other:
                latest[earlier] = other
    return latest


class _PlacesLeft:
    """How late tasks before a limit may end, asked for from the last one under it backwards.

    All but the `places - 1` of them that end last must leave the next task its place.
    """

    def __init__(self, waits: Dependencies, times: Sequence[int]) -> None:
        self._waits = waits
        self._times = times
        self._freeing: dict[int, dict[int, list[int]]] = {}
        self._bounds: dict[int, float] = {}

    def left_by(self, event: int, bound: float) -> Iterator[tuple[int, float]]:
        """Ends that a start waited for, and no start under the limit before it; and the latest time of them."""
        limit = self._waits.limits.get(event)
        if limit is None:
            return
        step, count = limit.tasks[0], self._waits.count
        if step not in self._freeing:  # the last one comes first
            self._freeing[step] = freeing(limit, self._waits.limits, lambda task: self._times[count + task])
        bound = self._bounds[step] = min(bound, self._bounds.get(step, inf))
        for task in self._freeing[step].get(event, ()):
            yield count + task, bound


def _awaited_by(waits: Dependencies, event: int) -> Iterator[int]:
    """The events that an event waits for, limits aside."""
    for earlier in (waits.before[event], waits.joined[event]):
        if earlier != NOTHING:
            yield earlier
    yield from waits.causes.get(event, ())


def places_as_taken(
    waits: Dependencies, times: Sequence[int], lags: Sequence[int]
) -> tuple[Dependencies, Sequence[int], Sequence[int]]:
    """The same schedule without limits: a start under one waits for the ends that had made room for it."""
    if not waits.limits:
        return waits, times, lags
    before, joined, times, lags = list(waits.before), waits.joined[:], list(times), list(lags)
    causes, count, added = waits.causes.copy(), waits.count, dict[int, list[int]]()
    last = {limit.tasks[0]: limit for limit in sorted(waits.limits.values(), key=lambda limit: limit.at)}
    for limit in last.values():
        freed = freeing(limit, waits.limits, lambda task: times[count + task])
        join = NOTHING
        for task in limit.tasks:
            for one in freed.get(task, ()):
                before.append(count + one)
                joined.append(join)
                times.append(times[count + one] if join == NOTHING else max(times[count + one], times[join]))
                lags.append(0)
                join = len(before) - 1
                added.setdefault(task, []).append(join)
            if task in waits.limits and join != NOTHING:
                causes[task] = [*causes.get(task, ()), join]
    order = [one for event in waits.order for one in (*added.get(event, ()), event)]
    return replace(waits, before=before, joined=joined, causes=causes, limits={}, order=order), times, lags


def chain_to_end(waits: Dependencies, times: Sequence[int], lags: Sequence[int]) -> list[tuple[int, int]]:
    """Pairs of events, each first one the last that the second one waited for: from the end of the run backwards."""
    end = last_end(waits, times)
    event = next((waits.count + root for root in waits.roots if times[waits.count + root] == end), NOTHING)
    chain = []
    while event != NOTHING:
        ready = times[event] - lags[event]
        awaited = list(_awaited_by(waits, event))
        if event in waits.limits:
            awaited = [*(waits.count + task for task in waits.limits[event].earlier), *awaited]
        # Among several a cause says more than a join, and a join more than the span around.
        earlier = next((one for one in reversed(awaited) if times[one] == ready), NOTHING)
        if earlier != NOTHING:
            chain.append((earlier, event))
        event = earlier
    return chain


__all__ = [
    "chain_to_end",
    "in_order",
    "lags_of",
    "last_end",
    "latest_times",
    "places_as_taken",
    "recorded_times",
    "times_of",
]
