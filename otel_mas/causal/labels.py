"""Names of tasks that are the same for every run of the same app: `outer#1/inner#2`."""

from __future__ import annotations

import re
from array import array
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from otel_mas.causal.forest import ROOT, Forest, nearest
from otel_mas.semconv import attributes as names

_MOST_NESTED = 100
"""Namespaces shown of a label. Real graphs nest a few; this keeps a hostile trace from filling the memory."""


_NUMBER = re.compile(r"#\d+(?=/|$)")


def unnumbered(label: str) -> str:
    """A label without numbers: the path of a node, the same for each of its tasks."""
    return _NUMBER.sub("", label)


@dataclass(frozen=True, slots=True)
class Labels:
    """The tasks among the spans, by number: their last parts (`inner#2`) and the tasks that enclose them."""

    tasks: list[int]
    name: dict[int, str]
    part: dict[int, str]
    owner: array[int]
    number_of: Counter[str]
    """The number of tasks of each name."""

    def short(self) -> dict[int, str]:
        """The name alone where only one task has it, or else the last part."""
        return {i: self.part[i] if self.number_of[name] > 1 else name for i, name in self.name.items()}

    def full(self, i: int) -> str:
        """The whole label of a task span."""
        return self._joined(i, self.part)

    def path(self, i: int) -> str:
        """The path of the node that a task span ran: its label without numbers."""
        return self.name[i] if self.owner[i] == ROOT else self._joined(i, self.name)

    def _joined(self, i: int, known: Mapping[int, str]) -> str:
        parts = [known[i]]
        above = self.owner[i]
        while above != ROOT and len(parts) <= _MOST_NESTED:
            parts.append(known[above])
            above = self.owner[above]
        if above != ROOT:
            parts.append("…")
        return "/".join(reversed(parts))


def label(forest: Forest) -> Labels:
    """Number the tasks of a name by their how-manieth distinct `mas.task.id` within the task that encloses them.

    In the order of the runs that they belong to, then of step, then of `mas.task.index` (of start where there is none).
    A paused and a resumed span share their task id, and so their label; the runs of a conversation count on.
    """
    task_id = [known if isinstance(known, str) else None for known in forest.spans.column(names.MAS_TASK_ID)]
    tasks = [i for i, known in enumerate(task_id) if known]
    owner = _owners(forest, task_id)
    called = forest.spans.column(names.MAS_TASK_NAME)
    name = {i: str(called[i] or forest.spans[i].name) for i in tasks}
    groups: dict[tuple[str | None, str], dict[str | None, int]] = defaultdict(dict)
    part: dict[int, str] = {}
    for i in _ordered(tasks, forest):
        above = owner[i]
        group = groups[task_id[above] if above != ROOT else None, name[i]]
        part[i] = f"{name[i]}#{group.setdefault(task_id[i], len(group) + 1)}"
    number_of: Counter[str] = Counter()
    for (_, shared), group in groups.items():
        number_of[shared] += len(group)
    return Labels(tasks, name, part, owner, number_of)


def _owners(forest: Forest, task_id: list[str | None]) -> array[int]:
    """For every span the nearest task around it that is another task: an agent's span may repeat its task's id."""
    owner = nearest(forest.parent, [bool(known) for known in task_id])
    for i, known in enumerate(task_id):
        above = owner[i]
        if known and above != ROOT and task_id[above] == known:
            while above != ROOT and task_id[above] == known:
                above = owner[above]
            owner[i] = above
    _place_updates(forest, task_id, owner)
    return owner


def _place_updates(forest: Forest, task_id: list[str | None], owner: array[int]) -> None:
    """Assign updates of a subgraph's state, which lie in no task, to the task that their namespace names."""
    last: dict[str, int] = {}
    namespaces = forest.spans.column(names.MAS_TASK_NAMESPACE)
    for i, known in enumerate(task_id):
        if not known:
            continue
        namespace = namespaces[i]
        if owner[i] == ROOT and namespace and isinstance(namespace, str):
            owner[i] = last.get(namespace.rpartition(":")[2], ROOT)
        last[known] = i


def _ordered(tasks: list[int], forest: Forest) -> Iterator[int]:
    """Order tasks by the start of what they lie in, by step, by index and by their own start."""
    steps, indices = forest.spans.column(names.MAS_TASK_STEP), forest.spans.column(names.MAS_TASK_INDEX)
    keys = []
    for i in tasks:
        above, step, index = forest.parent[i], steps[i], indices[i]
        start = forest.start[above if above != ROOT else i]
        keys.append((start, step if isinstance(step, int) else 0, index if isinstance(index, int) else 0, i))
    keys.sort()
    return (key[-1] for key in keys)
