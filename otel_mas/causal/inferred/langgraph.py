"""Causes of LangGraph's tasks by its public metadata: step, namespace, triggers, path.

A task runs because of what the step before it wrote. The cause is the task of that step, if only one wrote; a join
names its sources; a call and an error handler have their task in their namespace. Such edges are certain. If several
tasks wrote, their results may name the node; else it is one of them.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, NamedTuple

from otel_mas.causal.forest import ROOT, Forest
from otel_mas.causal.inferred import probabilities
from otel_mas.causal.inferred.evidence import Leads, declared_edges, goes_on, leads_of
from otel_mas.causal.inferred.tasks import Block, ForeignTask, ForeignTasks, Graph, around
from otel_mas.model.channels import END, JOIN, START, path_text, sources_of_join
from otel_mas.semconv import LinkKind, TaskOutcome

_FIRST_STEP = 1
_OF_INPUT = 2
"""Steps from the last one of a thread to the first one of a run with a new input, at least: the input is one."""

_number = attrgetter("number")


class Inferred(NamedTuple):
    """A cause, by the number of its span."""

    cause: int
    kind: str
    probability: float | None = None
    """How likely it is one, from 0 to 1; None where it is certain."""


def task_causes(forest: Forest, tasks: ForeignTasks, *, complete: bool) -> Iterator[tuple[int, Sequence[Inferred]]]:
    """The causes of each task, by the number of its span.

    Args:
        forest: the spans.
        tasks: those to find causes of.
        complete: whether no span is known to be missing. Else nothing follows for certain from there being one task.
    """
    search = _Search(forest, tasks, complete)
    for task in tasks.all:
        yield task.number, search.causes(task)


@dataclass(slots=True)
class _Step:
    """A step, as the tasks of the next one see it."""

    writers: list[ForeignTask]
    sent: int
    """Tasks of the next step that were sent."""
    nodes: int
    """Nodes of the next step that were triggered."""
    packets: list[tuple[ForeignTask, str]] | None = None
    """`Send`s in LangGraph's order: the sender, and the node that it was for."""
    senders: defaultdict[str, dict[int, None]] | None = None
    """By node the senders."""


class _Search:
    """Tasks in start order, and what was found of those before."""

    def __init__(self, forest: Forest, tasks: ForeignTasks, complete: bool) -> None:
        self._alone = None if complete else probabilities.ALONE
        self._forest = forest
        self._tasks = tasks
        self._leads: dict[int, Leads] = {}
        self._declared: dict[int, set[tuple[str, str]]] = {}
        self._joined: dict[tuple[Graph, str], int] = {}
        """By graph and a join's channel: the task that it last made run."""
        self._steps: dict[int, _Step] = {}
        """By the identity of the step that follows."""
        self._found: dict[int, list[Inferred]] = {}
        self._seen: dict[str, ForeignTask] = {}
        """The last span of each task."""

    def causes(self, task: ForeignTask) -> Sequence[Inferred]:
        """The causes of the task that starts next."""
        before = self._seen.get(task.id)
        self._seen[task.id] = task
        if before is None:
            found = self._first_time(task)
        else:
            found = [one for one in self._found[before.number] if one.kind != LinkKind.RETRY]
            if before.failed and self._above(before) == self._above(task):
                found = [*found, Inferred(before.number, LinkKind.RETRY.value)]
        self._found[task.number] = found
        return found

    def _above(self, task: ForeignTask) -> int:
        return self._forest.parent[task.number]

    def _first_time(self, task: ForeignTask) -> list[Inferred]:
        if task.called or task.handles_error:
            return self._of_caller(task)
        if task.block.before is None:
            return self._of_run(task) if task.block.first else []  # else the step before was not recorded
        step = self._step(task.block, task.block.before)
        if task.pushed:
            return self._sent(task, step)
        writers = [one for one in step.writers if self._leads_on(one, task)]
        joined = self._join(task)
        left = [one for one in writers if one not in joined]
        certain = [Inferred(one.number, LinkKind.TRIGGER.value) for one in joined]
        return certain + (self._named(task, left) if joined else self._triggered(task, left, step))

    def _step(self, block: Block, before: Block) -> _Step:
        found = self._steps.get(id(block))
        if found is None:
            sent = {one.id for one in block.tasks if one.pushed and not one.called}
            nodes = {one.node for one in block.tasks if not one.pushed}
            found = self._steps[id(block)] = _Step(before.wrote(), len(sent), len(nodes))
        return found

    def _of_caller(self, task: ForeignTask) -> list[Inferred]:
        """The task that its namespace names: who called it, or whose error it handles."""
        caller = task.inside.rpartition(":")[2]
        kind = LinkKind.CALL if task.called else LinkKind.ERROR_HANDLER
        spans = [one for one in self._tasks.by_id.get(caller, ()) if one.number < task.number]
        if task.called and len(spans) > 1:
            enclosing = set(around(self._forest, task.number))
            spans = [one for one in spans if one.number in enclosing] or spans
        return [Inferred(spans[-1].number, kind.value)] if spans else []

    def _of_run(self, task: ForeignTask) -> list[Inferred]:
        """The run, if its input made the task run."""
        above = self._above(task)
        kind = LinkKind.SEND if task.pushed else LinkKind.TRIGGER
        if above == ROOT:
            return []
        if task.step <= _FIRST_STEP or START in task.triggers:
            return [Inferred(above, kind.value)]
        on = goes_on(self._forest.spans[above])
        if on or (task.block.after is not None and task.step < task.block.after + _OF_INPUT):
            return []  # it goes on from what was not recorded
        return [Inferred(above, kind.value, probabilities.LATER_RUN if on is None else probabilities.LATER_INPUT)]

    # -- Send ------------------------------------------------------------------------------------------------------

    def _sent(self, task: ForeignTask, step: _Step) -> list[Inferred]:
        kind = LinkKind.SEND.value
        if len(step.writers) == 1:
            (sender,) = step.writers
            sends = self._leads_of(sender).sends
            odd = sends and task.node not in sends
            return [Inferred(sender.number, kind, probabilities.ODD if odd else self._alone)]
        if step.packets is None:
            by_path = sorted(step.writers, key=lambda one: path_text(_numbered(one.path)))
            step.packets = [(one, node) for one in by_path for node in self._leads_of(one).sends]
        index = _numbered(task.path)[1] if len(task.path) > 1 else None
        if len(step.packets) == step.sent and isinstance(index, int) and 0 <= index < step.sent:
            sender, node = step.packets[index]
            if node == task.node:
                return [Inferred(sender.number, kind, probabilities.PACKET)]
        if step.senders is None:
            step.senders = defaultdict(dict)
            for one, node in step.packets:
                step.senders[node][one.number] = None
        senders = list(step.senders.get(task.node, ())) or [one.number for one in step.writers]
        probability = min(probabilities.NAMED, 1 / len(senders))
        return [Inferred(one, kind, probability) for one in senders] if probability >= probabilities.LEAST else []

    # -- edges -----------------------------------------------------------------------------------------------------

    def _leads_on(self, writer: ForeignTask, task: ForeignTask) -> bool:
        """An error handler leads only where it says; what its node would have led to waits for nothing."""
        return not writer.handles_error or self._leads_of(writer).names(task.node)

    def _triggered(self, task: ForeignTask, writers: list[ForeignTask], step: _Step) -> list[Inferred]:
        declared = self._declared_around(task)
        if len(writers) == 1:
            return [self._only(writers[0], task, declared)]
        likely = [(one, self._likelihood(one, task, declared)) for one in writers]
        if None in (probability for _, probability in likely):
            unknown = sum(probability is None for _, probability in likely)
            found = any(probability is not None and probability >= probabilities.DECLARED for _, probability in likely)
            share = max(1 / unknown, 1 / step.nodes) * (probabilities.BESIDE if found else probabilities.ONLY_ONE)
            likely = [(one, share if probability is None else probability) for one, probability in likely]
        return [
            Inferred(one.number, self._kind(one, task), probability)
            for one, probability in likely
            if probability is not None and probability >= probabilities.LEAST
        ]

    def _only(self, writer: ForeignTask, task: ForeignTask, declared: set[tuple[str, str]]) -> Inferred:
        """The only task of the step before: the cause for certain, unless another one may have been lost."""
        probability = self._likelihood(writer, task, declared)
        odd = probability is not None and probability < probabilities.LIKELY and not self._joins(writer, task)
        return Inferred(writer.number, self._kind(writer, task), probabilities.ODD if odd else self._alone)

    def _named(self, task: ForeignTask, writers: list[ForeignTask]) -> list[Inferred]:
        """Those that name the node, of tasks that need not be causes."""
        return [
            Inferred(one.number, self._kind(one, task), probabilities.NAMED)
            for one in writers
            if self._leads_of(one).names(task.node)
        ]

    def _likelihood(self, writer: ForeignTask, task: ForeignTask, declared: set[tuple[str, str]]) -> float | None:
        """How likely a task of the step before is a cause; None where nothing tells."""
        leads = self._leads_of(writer)
        if leads.names(task.node):
            return probabilities.NAMED
        named = [*leads.goto, *leads.sends, *leads.routed]
        leads_away = any(one == END or (task.graph, one) in self._tasks.by_node for one in named)
        if declared:
            if (writer.node, task.node) not in declared:
                return 0.0
            return probabilities.DECLARED_BUT_ROUTED if leads_away else probabilities.DECLARED
        return probabilities.ELSEWHERE if leads_away or self._joins(writer, task) else None

    def _joins(self, writer: ForeignTask, task: ForeignTask) -> bool:
        """Whether a join waits for a task, so that it need not lead anywhere else."""
        return writer.node in self._tasks.joining[task.graph]

    def _kind(self, writer: ForeignTask, task: ForeignTask) -> str:
        if writer.outcome == TaskOutcome.HANDOFF:
            leads = self._leads_of(writer)
            if leads.handed_over and task.node in leads.goto:
                return LinkKind.HANDOFF.value
        return LinkKind.TRIGGER.value

    def _join(self, task: ForeignTask) -> list[ForeignTask]:
        """The sources of the joins that are complete."""
        found: dict[ForeignTask, None] = {}
        for channel in task.triggers:
            if channel.startswith(JOIN):
                found.update(dict.fromkeys(self._sources(task, channel)))
        return list(found)

    def _sources(self, task: ForeignTask, channel: str) -> list[ForeignTask]:
        """The first tasks of each source since it was last complete; none where one is missing."""
        key = task.graph, channel
        joined, found = self._joined.get(key, -1), list[ForeignTask]()
        for name in sources_of_join(channel):
            same = self._tasks.by_node.get((task.graph, name), ())
            at = bisect_right(same, joined, key=_number)
            first = next((same[place] for place in range(at, len(same)) if same[place].wrote), None)
            if first is None or first.number > task.number or first.step == task.step:
                return []
            found += [one for one in first.block.tasks if one.node == name and one.wrote and one.number > joined]
        self._joined[key] = task.number
        return found

    # -- what was recorded -----------------------------------------------------------------------------------------

    def _leads_of(self, task: ForeignTask) -> Leads:
        found = self._leads.get(task.number)
        if found is None:
            found = self._leads[task.number] = leads_of(self._forest, task.number, task.id, task.node)
        return found

    def _declared_around(self, task: ForeignTask) -> set[tuple[str, str]]:
        """The edges that the run lists of the outermost graph; none of another graph."""
        above = self._above(task)
        if task.graph[1] or above == ROOT:
            return set()
        if above not in self._declared:
            spans = (self._forest.spans[one] for one in (above, *around(self._forest, above)))
            self._declared[above] = next(filter(None, map(declared_edges, spans)), set())
        return self._declared[above]


def _numbered(path: Sequence[Any]) -> list[Any]:
    """A path with its numbers, where they came as text."""
    return [int(part) if isinstance(part, str) and part.isdecimal() else part for part in path]


__all__ = ["Inferred", "task_causes"]
