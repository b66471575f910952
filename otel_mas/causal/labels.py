"""Names of tasks that are the same for every run of the same app: `outer#1/inner#2`."""

from __future__ import annotations

from array import array
from collections import defaultdict
from dataclasses import dataclass

from otel_mas.causal.tree import ROOT, Tree, nearest
from otel_mas.semconv import attributes as names

_MOST_NESTED = 100
"""Namespaces shown of a label. Real graphs nest a few; this keeps a hostile trace from filling the memory."""


@dataclass(frozen=True, slots=True)
class Labels:
    """Task spans by number: the whole label, and its last part (`inner#2`, or `inner` where there is only one)."""

    full: dict[int, str]
    short: dict[int, str]


def label(tree: Tree) -> Labels:
    """Number the tasks of a name by their how-manieth distinct `mas.task.id` within the task that encloses them.

    In the order of the runs that they belong to, then of step, then of start. A paused and a resumed span share their
    task id, and so their label; the runs of a conversation count on.
    """
    task_id = [span.columns.get(names.MAS_TASK_ID) for span in tree.spans]
    tasks = [i for i, known in enumerate(task_id) if known]
    if not tasks:
        return Labels({}, {})
    owner = nearest(tree.parent, [bool(known) for known in task_id])
    name = {i: str(tree.spans[i].columns.get(names.MAS_TASK_NAME) or tree.spans[i].name) for i in tasks}
    groups: dict[tuple[object, str], dict[object, tuple[int, int, int, int]]] = defaultdict(dict)
    group_of: dict[int, tuple[object, str]] = {}
    for i in tasks:
        above = owner[i]
        while above != ROOT and task_id[above] == task_id[i]:
            above = owner[above]
        owner[i] = above
        group = group_of[i] = (task_id[above] if above != ROOT else None, name[i])
        when = _when(tree, i)
        known = groups[group].get(task_id[i])
        if known is None or when < known:
            groups[group][task_id[i]] = when
    number = {
        group: {task: k for k, task in enumerate(sorted(members, key=members.__getitem__), start=1)}
        for group, members in groups.items()
    }
    used: dict[str, int] = defaultdict(int)
    for (_, called), members in groups.items():
        used[called] += len(members)
    part = {i: f"{name[i]}#{number[group_of[i]][task_id[i]]}" for i in tasks}
    short = {i: part[i] if used[name[i]] > 1 else name[i] for i in tasks}
    return Labels({i: _path(i, owner, part) for i in tasks}, short)


def _when(tree: Tree, i: int) -> tuple[int, int, int, int]:
    above = tree.parent[i]
    step = tree.spans[i].columns.get(names.MAS_TASK_STEP)
    run = tree.start[above] if above != ROOT else tree.start[i]
    return run, step if isinstance(step, int) else 0, tree.start[i], i


def _path(i: int, owner: array[int], part: dict[int, str]) -> str:
    above = owner[i]
    parts = [part[i]]
    while above != ROOT and len(parts) <= _MOST_NESTED:
        parts.append(part[above])
        above = owner[above]
    if above != ROOT:
        parts.append("…")
    return "/".join(reversed(parts))
