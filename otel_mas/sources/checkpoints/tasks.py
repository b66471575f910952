"""What a rebuilt run consists of, and what the rows of a checkpoint's writes say of its tasks."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from otel_mas.semconv import LinkKind, TaskOutcome
from otel_mas.sources.checkpoints.sqlite import ERROR, INTERRUPT, NULL_TASK, RESERVED, Saved, Write

if TYPE_CHECKING:
    from otel_mas.sources.checkpoints.channels import Written

START = "__start__"
PULL, PUSH = "~__pregel_pull, ", "~__pregel_push, "
UPDATE = "~__interrupt__"
HANDLER = ", node_error_handler, "


@dataclass(eq=False, slots=True)
class Run:
    """One invocation; in a subgraph, the part of one that ran there.

    `how` it began is the source of its first checkpoint, or "resume".
    """

    first: Saved
    how: str
    start_ns: int
    last: Saved
    number: int
    outer: Task | None = None
    tasks: list[Task] = field(default_factory=list)
    forked_from: Run | None = None
    """Who made the older checkpoint that it went on from, where the thread had gone on already."""
    lost: str | None = None
    """What the checkpoints do not have of it."""
    due: tuple[str, ...] = ()
    """Nodes that were to run when it was left, of which nothing is known."""

    @property
    def namespace(self) -> str:
        return self.first.namespace


@dataclass(eq=False, slots=True)
class Task:
    """One execution of a node, as far as checkpoints tell. `key` is LangGraph's id of it."""

    run: Run
    at: Saved
    key: str
    name: str
    path: str
    outcome: TaskOutcome
    start_ns: int
    end_ns: int
    triggers: tuple[str, ...] = ()
    causes: tuple[tuple[LinkKind, Task | Run], ...] = ()
    interrupts: tuple[str, ...] = ()
    error: str | None = None
    inside: list[Run] = field(default_factory=list)
    again: bool = False
    """It ran before, from the same checkpoint."""


LEFT = (TaskOutcome.INTERRUPTED, TaskOutcome.ERROR)


def channels_of(written: Iterable[Written]) -> set[str]:
    return {channel for _, writes in written for channel, _ in writes}


def updated(task: Task) -> bool:
    """Whether it is no run of the node, but an `update_state` in its name."""
    return task.path == UPDATE


def by_task(saved: Saved) -> dict[str, list[Write]]:
    """What the tasks of a step wrote, by task, in the order of their paths."""
    tasks: dict[str, list[Write]] = defaultdict(list)
    for write in saved.writes:
        if write.task_id != NULL_TASK and write.path and not write.path.startswith(UPDATE):
            tasks[write.task_id].append(write)
    return tasks


def unfinished(writes: Iterable[Write]) -> bool:
    """Whether a task was left in its middle, at least once; one whose error was handled does not run again."""
    channels = {write.channel for write in writes}
    return INTERRUPT in channels or (ERROR in channels and "__error_source_node__" not in channels)


def finished(writes: Iterable[Write]) -> bool:
    return any(write.channel not in RESERVED for write in writes)


def caller_of(path: str) -> tuple[str | None, int]:
    """Of a pushed task the path of the task that called it (None for a `Send`), and its number."""
    *head, number, _ = path[len(PUSH) :].rsplit(", ", 2)
    return (head[0] if head else None), int(number)
