"""Which task wrote what, where a saver kept only the tasks' ids: LangGraph makes them of what the checkpoints say."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from otel_mas.sources.checkpoints.channels import task_id
from otel_mas.sources.checkpoints.sqlite import INTERRUPT, NULL_TASK, Saved
from otel_mas.sources.checkpoints.tasks import PULL, PUSH, START, UPDATE

_CALLS = 1_000
"""Calls of one task that are looked for."""


def with_paths(saved: Sequence[Saved]) -> Sequence[Saved]:
    """The checkpoints of one graph, with the path of each task that wrote. Those that have them stay as they are."""
    writes = [write for one in saved for write in one.writes if write.task_id != NULL_TASK]
    if all(write.path for write in writes):
        return saved
    if any(write.path for write in writes):  # the saver keeps paths; before 1.2 LangGraph gave updates none
        return [_with(one, dict.fromkeys((write.task_id for write in one.writes), UPDATE)) for one in saved]
    names = sorted({name for one in saved for name in one.seen} | {START})
    triggers: dict[str, set[str]] = defaultdict(set)
    for one in saved:
        for channel in one.versions:
            if channel.startswith(("branch:to:", "join:")):
                triggers[channel.rpartition(":")[2]].add(channel)
        for name, channels in one.seen.items():
            triggers[name].update(channels)
    updated = {one.parent for one in saved if one.source == "update"}
    updated -= {one.parent for one in saved if one.source == "loop"}
    return [_with_paths(one, names, triggers, one.id in updated) for one in saved]


def _with_paths(saved: Saved, names: Sequence[str], triggers: dict[str, set[str]], updated: bool) -> Saved:
    wanted = {write.task_id for write in saved.writes if not write.path} - {NULL_TASK}
    paths: dict[str, str] = {}
    inside: dict[str, str] = {}  # by task, the namespace of what runs inside of it
    for name, key, path in _scheduled(saved, names, triggers):
        if key in wanted:
            paths[key] = path
            inside[key] = f"{saved.namespace}|{name}:{key}" if saved.namespace else f"{name}:{key}"
    callers = list(paths)
    while callers and wanted - paths.keys():
        caller = callers.pop()
        for name in names:
            for number in range(_CALLS):
                key = task_id(saved, inside[caller], name, "__pregel_push", paths[caller], str(number))
                if key in wanted and key not in paths:
                    paths[key] = f"{PUSH}{paths[caller]}, {number:010d}, {1:010d}"
                    inside[key] = f"{inside[caller]}|{name}:{key}"
                    callers.append(key)
    if updated:
        # An update may have the id of a task that waited: it is taken for one only where the step was left by a pause.
        paused = any(write.channel == INTERRUPT for write in saved.writes)
        paths |= dict.fromkeys(wanted - paths.keys() if paused else wanted, UPDATE)
    return _with(saved, paths)


def _with(saved: Saved, paths: dict[str, str]) -> Saved:
    paths = {**paths, NULL_TASK: ""}
    writes = [replace(write, path=write.path or paths.get(write.task_id, "")) for write in saved.writes]
    return replace(saved, writes=tuple(sorted(writes, key=lambda write: write.path)))


def _scheduled(saved: Saved, names: Iterable[str], triggers: dict[str, set[str]]) -> Iterator[tuple[str, str, str]]:
    """Every task that may have run in the step that a checkpoint begins: its name, id and path."""
    for number, node in enumerate(saved.sends):
        if node is not None:
            key = task_id(saved, saved.namespace, node, "__pregel_push", str(number))
            yield node, key, f"{PUSH}{number:010d}, {0:010d}"
    for name in {*names, *triggers}:
        known = triggers.get(name, set()) | ({START} if name == START else set())
        branch = {f"branch:to:{name}"}  # every node of a StateGraph has it, even where nothing leads there
        for channels in (known, known | branch, branch):
            key = task_id(saved, saved.namespace, name, "__pregel_pull", *sorted(channels))
            yield name, key, f"{PULL}{name}"


__all__ = ["with_paths"]
