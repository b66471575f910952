"""The barrier between LangGraph's steps: a step ends only when all of its tasks have, whatever the next one needs."""

from __future__ import annotations

from bisect import bisect_left, bisect_right

from otel_mas.causal.tree import Tree
from otel_mas.semconv import attributes as names

# (step, end, number) of tasks, sorted
_Ended = list[tuple[int, int, int]]


class Barrier:
    """Finds the task that kept a step from ending."""

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self._runs: dict[int, dict[object, _Ended]] = {}
        """By the span around them and their namespace: nodes of one graph share both."""

    def holder(self, effect: int, ready: int) -> int | None:
        """The task of the step before that ended last, if most of the wait since `ready` was for it.

        Args:
            effect: The task that waited for its step to begin.
            ready: When its causes had ended, in ns.
        """
        step = self._tree.spans[effect].columns.get(names.MAS_TASK_STEP)
        if not isinstance(step, int):
            return None
        tasks = self._beside(effect)
        before = bisect_left(tasks, (step, -1, -1))
        if before == 0:
            return None
        begin = self._tree.start[effect]
        # The same step again, where a run was resumed or retried, ends later: only what had ended counts.
        last = bisect_right(tasks, (tasks[before - 1][0], begin, len(self._tree.spans)))
        if last == 0:
            return None
        _, end, number = tasks[last - 1]
        return number if number != effect and 2 * (end - ready) >= begin - ready else None

    def _beside(self, effect: int) -> _Ended:
        """The tasks of the run that a task belongs to. All of a run are sorted once, so that long runs stay cheap."""
        above = self._tree.parent[effect]
        if above not in self._runs:
            run = self._runs[above] = {}
            for child in self._tree.roots if above < 0 else self._tree.children(above):
                columns = self._tree.spans[child].columns
                step = columns.get(names.MAS_TASK_STEP)
                if isinstance(step, int):
                    namespace = _namespace(columns.get(names.MAS_TASK_NAMESPACE))
                    run.setdefault(namespace, []).append((step, self._tree.end[child], child))
            for ended in run.values():
                ended.sort()
        return self._runs[above][_namespace(self._tree.spans[effect].columns.get(names.MAS_TASK_NAMESPACE))]


def _namespace(value: object) -> str:
    return value if isinstance(value, str) else ""
