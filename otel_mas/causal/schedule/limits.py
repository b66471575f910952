"""Limits on how many tasks of a step run at once: seen by tasks that started as soon as another one had ended."""

from __future__ import annotations

from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass
from heapq import heappop, heappush, heapreplace

_PROMPT = 4
"""A free place was waited for if it was taken within a quarter of the wait: a worker takes the next task at once."""


@dataclass(frozen=True, slots=True)
class Limit:
    """Task number `at` of a step, in the order of their starts, had to wait for one of `places` to be free."""

    tasks: Sequence[int]
    """All tasks of the step, in the order of their starts."""
    at: int
    places: int

    @property
    def earlier(self) -> Sequence[int]:
        """The tasks that had started before; all but `places - 1` of them have to end first."""
        return self.tasks[: self.at]


class FreePlaces:
    """When there is a free place for each task of a step, asked for in the order of their starts."""

    def __init__(self) -> None:
        self._ends: list[int] = []
        self._counted = 0

    def free_at(self, limit: Limit, end: Callable[[int], int]) -> int:
        """When fewer than `places` of the earlier tasks still run: the `places`-th largest of their ends."""
        for task in limit.tasks[self._counted : limit.at]:
            if len(self._ends) < limit.places:
                heappush(self._ends, end(task))
            elif end(task) > self._ends[0]:
                heapreplace(self._ends, end(task))
        self._counted = limit.at
        return self._ends[0]


def freeing(last: Limit, limited: Container[int], end: Callable[[int], int]) -> dict[int, list[int]]:
    """Tasks whose ends are waited for, by the first task under a limit that waits for them; later ones do as well.

    Those are all that had started before but the `places - 1` that end last.

    Args:
        last: The limit of the last task of a step that is under one.
        limited: The tasks that are.
        end: The end of a task.
    """
    found: dict[int, list[int]] = {}
    running: list[tuple[int, int]] = []
    known: set[int] = set()
    new: list[int] = []
    for at, task in enumerate(last.tasks[: last.at + 1]):
        if at >= last.places:
            over = [heappop(running)[1] for _ in range(len(running) - last.places)]
            new += [one for one in (*over, running[0][1]) if one not in known]
            known.update(new)
            if task in limited:
                found[task], new = new, []
        heappush(running, (end(task), task))
    return found


def find_limits(tasks: Sequence[int], start: Sequence[int], end: Sequence[int], ready: int) -> dict[int, Limit]:
    """The limits that tasks of one step started under; none where nothing shows that there was one.

    The limit is the largest number that ran at once. There was one if every task beyond it started promptly once fewer
    ran; a task that started later than that may have had other reasons.

    Args:
        tasks: By start.
        start: Of each span, in ns.
        end: Likewise.
        ready: When the step could begin, in ns.
    """
    places = _most_at_once(tasks, start, end)
    if places >= len(tasks):
        return {}
    taken, found = FreePlaces(), {}
    for at, task in enumerate(tasks[places:], start=places):
        found[task] = limit = Limit(tasks, at, places)
        free = taken.free_at(limit, end.__getitem__)
        if _PROMPT * (start[task] - free) > free - ready:
            return {}
    return found


def _most_at_once(tasks: Sequence[int], start: Sequence[int], end: Sequence[int]) -> int:
    running: list[int] = []
    most = 0
    for task in tasks:
        if running and running[0] <= start[task]:
            heapreplace(running, end[task])  # never more than the most at once, so one place is enough
        else:
            heappush(running, end[task])
        most = max(most, len(running))
    return most
