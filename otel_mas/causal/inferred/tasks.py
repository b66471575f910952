"""Tasks of LangGraph that another program recorded, by the graph that they ran in and by step."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from otel_mas.causal.forest import ROOT, Forest
from otel_mas.causal.inferred.evidence import origin_of
from otel_mas.causal.links import Links
from otel_mas.causal.references import texts
from otel_mas.model.channels import JOIN, PUSH, sources_of_join
from otel_mas.semconv import LinkKind, TaskOutcome
from otel_mas.semconv import attributes as names

Graph = tuple[str, str]
"""Thread (or trace, if no thread is known) and checkpoint namespace that one compiled graph ran in."""

_ENDED = (None, TaskOutcome.OK, TaskOutcome.HANDOFF)
_FAILED = (TaskOutcome.ERROR, TaskOutcome.CANCELLED)
ERROR_HANDLER = "node_error_handler"
"""A part of the path of the task that handles another one's error."""
_NO_TRIGGER = (LinkKind.RESUME, LinkKind.RETRY)
"""Kinds of edges that do not tell what made a task run."""


@dataclass(slots=True, eq=False)
class ForeignTask:
    """One span of a task."""

    number: int
    """Number of the span."""
    id: str
    node: str
    step: int
    graph: Graph
    triggers: Sequence[str]
    path: Sequence[Any]
    """LangGraph's own, such as `(__pregel_push, index, is_call)`; empty where it is not said."""
    inside: str
    """The namespace that it names: of a call and an error handler that of the task that they are of."""
    outcome: str | None
    chosen: bool
    """Whether its run went on from a checkpoint that the app chose, not from the last one of the thread."""
    block: Block = field(init=False)

    @property
    def wrote(self) -> bool:
        """Whether its writes were applied, as far as is known."""
        return self.outcome in _ENDED and not self.called

    @property
    def failed(self) -> bool:
        """Whether it may have been tried again."""
        return self.outcome in _FAILED

    @property
    def handles_error(self) -> bool:
        """Whether it is the error handler of another task."""
        return ERROR_HANDLER in self.path

    @property
    def pushed(self) -> bool:
        """Whether it was sent, or called by another task, and not triggered by a channel."""
        return PUSH in self.triggers or (bool(self.path) and self.path[0] == PUSH)

    @property
    def called(self) -> bool:
        """Whether another task called it."""
        return bool(self.path) and (self.path[-1] is True or self.path[-1] == "True")


@dataclass(slots=True, eq=False)
class Block:
    """The tasks of one step of one run of a graph; those of one that was paused or failed go on in the next run."""

    step: int
    before: Block | None
    """The step before it."""
    earlier: Block | None = None
    """The same step in an earlier run."""
    first: bool = False
    """Whether its run began with it."""
    after: int | None = None
    """The last step of the run before, of the first block of a run."""
    tasks: list[ForeignTask] = field(default_factory=list)

    def parts(self) -> Iterator[Block]:
        """It and the same step in earlier runs."""
        block: Block | None = self
        while block is not None:
            yield block
            block = block.earlier

    def wrote(self) -> list[ForeignTask]:
        """The last span of each task of the step that wrote something."""
        found: dict[str, ForeignTask] = {}
        for block in self.parts():
            for task in reversed(block.tasks):
                if task.wrote:
                    found.setdefault(task.id, task)
        return sorted(found.values(), key=lambda task: task.number)


@dataclass(slots=True)
class ForeignTasks:
    """All of them in start order."""

    all: list[ForeignTask] = field(default_factory=list)
    by_node: dict[tuple[Graph, str], list[ForeignTask]] = field(default_factory=lambda: defaultdict(list))
    by_id: dict[str, list[ForeignTask]] = field(default_factory=lambda: defaultdict(list))
    joining: dict[Graph, set[str]] = field(default_factory=lambda: defaultdict(set))
    """The nodes that a join waits for."""
    _last: dict[tuple[Graph, int], Block] = field(default_factory=dict)
    """By graph and the span around its tasks, the step that is running."""
    _last_of_graph: dict[Graph, Block] = field(default_factory=dict)

    def add(self, task: ForeignTask, above: int) -> None:
        """Add the task that starts next, and the span around it."""
        self.all.append(task)
        self.by_node[task.graph, task.node].append(task)
        self.by_id[task.id].append(task)
        for channel in task.triggers:
            if channel.startswith(JOIN):
                self.joining[task.graph].update(sources_of_join(channel))
        key = task.graph, above
        last = self._last.get(key)
        if last is None or last.step != task.step:
            last = self._last[key] = self._new(task, last)
        last.tasks.append(task)
        task.block = self._last_of_graph[task.graph] = last

    def _new(self, task: ForeignTask, last: Block | None) -> Block:
        if last is not None and last.step < task.step:
            return Block(task.step, last if last.step == task.step - 1 else None)
        before = self._last_of_graph.get(task.graph) if last is None else None
        if before is None:
            return Block(task.step, None, first=True)
        if before.step == task.step and any(task.id == one.id for block in before.parts() for one in block.tasks):
            return Block(task.step, before.before, before, first=True, after=before.step)
        follows = before.step == task.step - 1 and not task.chosen
        return Block(task.step, before if follows else None, first=True, after=before.step)


def find_tasks(forest: Forest, links: Links, foreign: Sequence[int]) -> ForeignTasks:
    """The tasks without recorded causes, of each the outermost span."""
    spans, found = forest.spans, ForeignTasks()
    ids, steps = spans.column(names.MAS_TASK_ID), spans.column(names.MAS_TASK_STEP)
    for number in foreign:
        task_id, step = ids[number], steps[number]
        if not isinstance(task_id, str) or not isinstance(step, int):
            continue
        above = forest.parent[number]
        if _is_node_around(forest, ids, number) or _has_cause(links, number):
            continue
        span = spans[number]
        path, chosen = origin_of(span)
        inside = namespace = str(span.columns.get(names.MAS_TASK_NAMESPACE) or "")
        if ERROR_HANDLER in path:
            namespace = namespace.rpartition("|")[0]
        graph = str(span.conversation_id or span.trace_id), namespace
        outcome = span.columns.get(names.MAS_TASK_OUTCOME)
        node, triggers = str(span.task_name or span.name), texts(span.get(names.MAS_TASK_TRIGGERS))
        found.add(ForeignTask(number, task_id, node, step, graph, triggers, path, inside, outcome, chosen), above)
    return found


def _is_node_around(forest: Forest, ids: Sequence[Any], number: int) -> bool:
    """Whether a task's span is that of the graph which the node around it is: the task that encloses it is the same."""
    return bool(next((ids[above] for above in around(forest, number) if ids[above] is not None), None) == ids[number])


def _has_cause(links: Links, number: int) -> bool:
    return any(links.kind[edge] not in _NO_TRIGGER for edge in links.into(number))


def around(forest: Forest, number: int) -> Iterator[int]:
    """The spans around one, the nearest first."""
    above = forest.parent[number]
    while above != ROOT:
        yield above
        above = forest.parent[above]


__all__ = ["Block", "ForeignTask", "ForeignTasks", "Graph", "around", "find_tasks"]
