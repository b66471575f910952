"""Rebuilt runs and tasks, and LangGraph's ids and paths of tasks.

A task's path tells whether it was triggered, sent or called. Older savers kept only the tasks' ids, from which
`with_paths` finds the paths again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from otel_mas.model.channels import BRANCH_TO, ERROR, ERROR_SOURCE, INTERRUPT, JOIN, PULL, PUSH, RESUME, START, node_of
from otel_mas.semconv import LinkKind, TaskOutcome
from otel_mas.sources.checkpoints.reader import NULL_TASK, Checkpoint, TaskWrite

PULLED, PUSHED = f"~{PULL}, ", f"~{PUSH}, "
UPDATE = f"~{INTERRUPT}"
HANDLER = ", node_error_handler, "
NOT_RESULTS = frozenset((INTERRUPT, RESUME, ERROR, ERROR_SOURCE))
"""Channels of writes that are no result of a task."""
_CALLS = 1_000
"""Calls of one task that are looked for."""


UNFINISHED = (TaskOutcome.INTERRUPTED, TaskOutcome.ERROR)


@dataclass(eq=False, slots=True)
class RebuiltRun:
    """One invocation; in a subgraph, the part of one that ran there.

    `source` is that of its first checkpoint ("input", "update", "fork", "loop"), or "resume".
    """

    first: Checkpoint
    source: str
    start_ns: int
    last: Checkpoint
    number: int
    outer: RebuiltTask | None = None
    tasks: list[RebuiltTask] = field(default_factory=list)
    forked_from: RebuiltRun | None = None
    """The run that made the older checkpoint from which it went on, where the thread had gone on already."""
    incomplete: str | None = None
    """Fields that checkpoints do not have."""
    pending_nodes: tuple[str, ...] = ()
    """Nodes that were to run when it was left, of which nothing is known."""

    @property
    def agent(self) -> str | None:
        name = self.first.metadata.get("lc_agent_name")
        return str(name) if name else None

    @property
    def started_from(self) -> str | None:
        """The id of the checkpoint that it began from."""
        return self.first.id if self.source == "resume" else self.first.parent

    @property
    def key(self) -> tuple[str, ...]:
        """Identity among all runs."""
        first, resumed = self.first, "resume" if self.source == "resume" else ""
        return first.thread, first.namespace, first.id, resumed, str(self.number)


@dataclass(eq=False, slots=True)
class RebuiltTask:
    """One execution of a node, as far as checkpoints tell. `id` is LangGraph's."""

    run: RebuiltRun
    checkpoint: Checkpoint
    """The checkpoint that its step began from."""
    id: str
    name: str
    path: str
    outcome: TaskOutcome
    start_ns: int
    end_ns: int
    triggers: tuple[str, ...] = ()
    causes: tuple[tuple[LinkKind, RebuiltWriter], ...] = ()
    interrupts: tuple[str, ...] = ()
    error: str | None = None
    subgraph_runs: list[RebuiltRun] = field(default_factory=list)
    is_rerun: bool = False
    """Whether it ran before, from the same checkpoint."""

    @property
    def is_update(self) -> bool:
        """Whether it is no run of the node, but an `update_state` in its name."""
        return self.path == UPDATE


RebuiltWriter: TypeAlias = RebuiltTask | RebuiltRun


def task_id(checkpoint: Checkpoint, namespace: str, name: str, *parts: str) -> str:
    """The id that LangGraph gives a task in the step that a checkpoint begins, in the namespace of its caller."""
    from xxhash import xxh3_128_hexdigest

    own = f"{namespace}|{name}" if namespace else name
    text = "".join((own, str(checkpoint.step + 1), name, *parts))
    found = xxh3_128_hexdigest(bytes.fromhex(checkpoint.id.replace("-", "")) + text.encode())
    return f"{found[:8]}-{found[8:12]}-{found[12:16]}-{found[16:20]}-{found[20:]}"


def pull_id(checkpoint: Checkpoint, name: str, triggers: Iterable[str]) -> str:
    """The id of a node's task."""
    return task_id(checkpoint, checkpoint.namespace, name, PULL, *sorted(triggers))


def send_id(checkpoint: Checkpoint, name: str, number: int) -> str:
    """The id of the task of a `Send`."""
    return task_id(checkpoint, checkpoint.namespace, name, PUSH, str(number))


def call_id(checkpoint: Checkpoint, namespace: str, name: str, caller_path: str, number: int) -> str:
    """The id of a task that another one called."""
    return task_id(checkpoint, namespace, name, PUSH, caller_path, str(number))


def send_path(number: int) -> str:
    return f"{PUSHED}{number:010d}, {0:010d}"


def caller_of(path: str) -> tuple[str | None, int]:
    """Path of the task that called a pushed task (None for a `Send`), and the number of the push."""
    *head, number, _ = path[len(PUSHED) :].rsplit(", ", 2)
    return (head[0] if head else None), int(number)


def by_task(checkpoint: Checkpoint) -> dict[str, list[TaskWrite]]:
    """Writes of a step, by task, in the order of their paths."""
    tasks: dict[str, list[TaskWrite]] = defaultdict(list)
    for write in checkpoint.writes:
        if write.task_id != NULL_TASK and write.path and not write.path.startswith(UPDATE):
            tasks[write.task_id].append(write)
    return tasks


def is_unfinished(writes: Iterable[TaskWrite]) -> bool:
    """Whether a task was left in its middle, at least once; one whose error was handled does not run again."""
    channels = {write.channel for write in writes}
    return INTERRUPT in channels or (ERROR in channels and ERROR_SOURCE not in channels)


def is_finished(writes: Iterable[TaskWrite]) -> bool:
    return any(write.channel not in NOT_RESULTS for write in writes)


def is_answered(writes: Sequence[TaskWrite]) -> bool:
    """Whether a task went on. Before 1.0 an answer by id leaves no trace but what the task then wrote."""
    return is_finished(writes) or any(write.channel == RESUME for write in writes)


# -- paths that were not kept ------------------------------------------------------------------------------------------


def with_paths(checkpoints: Sequence[Checkpoint]) -> Sequence[Checkpoint]:
    """The checkpoints of one graph, with the path of each task that wrote. Those that have them stay as they are."""
    writes = [write for one in checkpoints for write in one.writes if write.task_id != NULL_TASK]
    if all(write.path for write in writes):
        return checkpoints
    if any(write.path for write in writes):  # the saver keeps paths; before 1.2 LangGraph gave updates none
        return [_with(one, dict.fromkeys((write.task_id for write in one.writes), UPDATE)) for one in checkpoints]
    names = sorted({name for one in checkpoints for name in one.seen} | {START})
    triggers: dict[str, set[str]] = defaultdict(set)
    for one in checkpoints:
        for channel in one.versions:
            if channel.startswith((BRANCH_TO, JOIN)):
                triggers[node_of(channel)].add(channel)
        for name, channels in one.seen.items():
            triggers[name].update(channels)
    updated = {one.parent for one in checkpoints if one.source == "update"}
    updated -= {one.parent for one in checkpoints if one.source == "loop"}
    return [_with(one, _paths(one, names, triggers, one.id in updated)) for one in checkpoints]


def _with(checkpoint: Checkpoint, paths: dict[str, str]) -> Checkpoint:
    paths = {**paths, NULL_TASK: ""}
    writes = [replace(write, path=write.path or paths.get(write.task_id, "")) for write in checkpoint.writes]
    return replace(checkpoint, writes=tuple(sorted(writes, key=lambda write: write.path)))


def _paths(
    checkpoint: Checkpoint, names: Sequence[str], triggers: dict[str, set[str]], updated: bool
) -> dict[str, str]:
    """The paths of the tasks that wrote in the step that a checkpoint begins, by id."""
    wanted = {write.task_id for write in checkpoint.writes if not write.path} - {NULL_TASK}
    paths: dict[str, str] = {}
    namespaces: dict[str, str] = {}  # of what runs in a task
    for name, key, path in _candidates(checkpoint, names, triggers):
        if key in wanted:
            paths[key] = path
            namespaces[key] = f"{checkpoint.namespace}|{name}:{key}" if checkpoint.namespace else f"{name}:{key}"
    callers = list(paths)
    while callers and wanted - paths.keys():
        caller = callers.pop()
        for name in names:
            for number in range(_CALLS):
                key = call_id(checkpoint, namespaces[caller], name, paths[caller], number)
                if key in wanted and key not in paths:
                    paths[key] = f"{PUSHED}{paths[caller]}, {number:010d}, {1:010d}"
                    namespaces[key] = f"{namespaces[caller]}|{name}:{key}"
                    callers.append(key)
    if updated:
        # An update may have the id of a task that waited: it is taken for one only where the step was left by a pause.
        paused = any(write.channel == INTERRUPT for write in checkpoint.writes)
        paths |= dict.fromkeys(wanted - paths.keys() if paused else wanted, UPDATE)
    return paths


def _candidates(
    checkpoint: Checkpoint, names: Iterable[str], triggers: dict[str, set[str]]
) -> Iterator[tuple[str, str, str]]:
    """Every task that may have run in the step that a checkpoint begins: its name, id and path."""
    for number, node in enumerate(checkpoint.sends):
        if node is not None:
            yield node, send_id(checkpoint, node, number), send_path(number)
    for name in {*names, *triggers}:
        known = triggers.get(name, set()) | ({START} if name == START else set())
        branch = {f"{BRANCH_TO}{name}"}  # every node of a StateGraph has it, even where nothing leads there
        for channels in (known, known | branch, branch):
            yield name, pull_id(checkpoint, name, channels), f"{PULLED}{name}"
