"""The barrier between LangGraph's steps: a step ends only when all of its tasks have, whatever the next one needs."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from typing import NamedTuple

from otel_mas.causal.forest import Forest
from otel_mas.semconv import attributes as names


class _Ended(NamedTuple):
    """The tasks of a run by step, then by end, then by number: a list for each of the three."""

    steps: list[int]
    ends: list[int]
    numbers: list[int]


class Barrier:
    """Finds the task that kept a step from ending."""

    def __init__(self, forest: Forest) -> None:
        self._forest = forest
        self._step = forest.spans.column(names.MAS_TASK_STEP)
        self._namespace = forest.spans.column(names.MAS_TASK_NAMESPACE)
        self._runs: dict[int, dict[str, _Ended]] = {}
        """By the span around them and their namespace: nodes of one graph share both."""

    def holder(self, effect: int, ready: int) -> int | None:
        """The task of the step before that ended last, if most of the wait since `ready` was for it.

        Args:
            effect: The task that waited for its step to begin.
            ready: When its causes had ended, in ns.
        """
        step = self._step[effect]
        if not isinstance(step, int):
            return None
        steps, ends, numbers = self._tasks_of_run(effect)
        before = bisect_left(steps, step)
        if before == 0:
            return None
        begin = self._forest.start[effect]
        # The same step again, where a run was resumed or retried, ends later: only what had ended counts.
        last = bisect_right(ends, begin, bisect_left(steps, steps[before - 1]), before)
        if last == 0:
            return None
        end, number = ends[last - 1], numbers[last - 1]
        return number if number != effect and 2 * (end - ready) >= begin - ready else None

    def _tasks_of_run(self, effect: int) -> _Ended:
        """The tasks of the run that a task belongs to. All of a run are sorted once, so that long runs stay cheap."""
        above = self._forest.parent[effect]
        if above not in self._runs:
            found: dict[str, list[int]] = {}
            for child in self._forest.roots if above < 0 else self._forest.children(above):
                if isinstance(self._step[child], int):
                    found.setdefault(_text(self._namespace[child]), []).append(child)
            self._runs[above] = {namespace: self._sorted(tasks) for namespace, tasks in found.items()}
        return self._runs[above][_text(self._namespace[effect])]

    def _sorted(self, tasks: list[int]) -> _Ended:
        end, step = self._forest.end, self._step
        tasks.sort(key=end.__getitem__)
        tasks.sort(key=step.__getitem__)
        return _Ended([step[task] for task in tasks], [end[task] for task in tasks], tasks)


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
