"""The changes of a state in order: the task that wrote, the channel, the value, the version that it made."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from otel_mas.analyse.content import NO_CONTENT, RunContent
from otel_mas.analyse.state.values import StateValues, written_channels
from otel_mas.analyse.topology import GraphScope, GraphScopes
from otel_mas.causal import CausalGraph
from otel_mas.model import Span
from otel_mas.semconv import attributes as names

REPLACING = frozenset(("LastValue", "AnyValue", "UntrackedValue", "EphemeralValue", "LastValueAfterFinish"))
"""LangGraph's channels whose written value is the new one."""
INPUT = "input"
"""Writer of what a graph was given."""


@dataclass(frozen=True, slots=True)
class StateChange:
    """A write to a channel. Times in ns since the epoch.

    `value` is what was written: the new value of a channel that holds the last one, the update of one with a reducer.
    """

    span: Span
    task: str
    """Label of the task; "input" for what a graph was given."""
    graph: str
    """Label of the task that the graph is; empty for the outermost graph."""
    channel: str
    channel_class: str | None
    """LangGraph's class of the channel, as `LastValue`; None where the recording lacks it."""
    reducer: str | None
    """Name of the reducer; None for a channel without one, and where the recording lacks it."""
    version: int
    """How many steps of the graph have written it by then, this one included."""
    digest: str
    value: Any
    missing: str | None
    """Why the value is not there; None where it is."""
    time_ns: int
    """When the step ended, so that others could read it."""

    @property
    def replaces(self) -> bool | None:
        """Whether the value is the new one of the channel, and no update of it; None where that is not known."""
        return None if self.channel_class is None else self.channel_class in REPLACING


@dataclass(slots=True, eq=False)
class Step:
    """A superstep of a graph, or its input. `before` is the one whose state it began with."""

    graph: GraphScope
    number: int
    before: Step | None
    given: Span | None = None
    """The run whose input it is."""
    tasks: list[Span] = field(default_factory=list)
    changes: tuple[StateChange, ...] = ()
    versions: Mapping[str, int] = field(default_factory=dict)
    """By channel, how many steps have written it by the end of this one."""

    @property
    def applied_ns(self) -> int:
        """When its writes were applied: at the end of its last task, or at the start of a run that got input."""
        return self.given.start_ns if self.given is not None else max(task.last_ns for task in self.tasks)

    def count(self, channels: Iterable[str]) -> None:
        """Number the versions of channels that it writes."""
        known = self.before.versions if self.before is not None else {}
        made = {channel: known.get(channel, 0) + 1 for channel in channels}
        self.versions = {**known, **made} if made else known

    def chain(self) -> Iterator[Step]:
        """It and the steps before it, the latest first."""
        step: Step | None = self
        while step is not None:
            yield step
            step = step.before


@dataclass(frozen=True, slots=True)
class StateTimeline:
    """All changes in the order in which they were applied, and the graphs and steps that they belong to."""

    changes: tuple[StateChange, ...]
    steps: tuple[Step, ...]
    carried: tuple[Span, ...]
    """Runs that started from a checkpoint of a trace that is not here: what the state held then is not known."""
    labels: dict[str, str]
    causal: CausalGraph
    scopes: GraphScopes

    def only(self, changes: tuple[StateChange, ...]) -> StateTimeline:
        """The same with some of the changes."""
        return replace(self, changes=changes)

    def of_channel(self, channel: str) -> tuple[StateChange, ...]:
        """The changes of one channel, in all graphs."""
        return tuple(change for change in self.changes if change.channel == channel)


def state_timeline(causal: CausalGraph, content: RunContent = NO_CONTENT) -> StateTimeline:
    """Return what was written to the states of a run's graphs.

    Args:
        causal: the graph of a trace or a conversation.
        content: the values; without it there are digests.
    """
    return _Timeline(causal, content).made()


class _Timeline:
    def __init__(self, causal: CausalGraph, content: RunContent) -> None:
        self._causal = causal
        self._values = StateValues(content)
        self._scopes = GraphScopes(causal)
        self._labels = causal.labels()

    def made(self) -> StateTimeline:
        steps = [step for scope in self._scopes.all for step in self._steps(scope)]
        changes = [change for step in steps for change in step.changes]
        changes.sort(key=lambda change: change.time_ns)
        return StateTimeline(
            tuple(changes), tuple(steps), tuple(self._carried()), self._labels, self._causal, self._scopes
        )

    def _carried(self) -> Iterator[Span]:
        ended = {span.columns.get(names.MAS_CHECKPOINT_LAST_ID) for span in self._causal.spans}
        for scope in self._scopes.all:
            began = scope.runs[0].columns.get(names.MAS_CHECKPOINT_ID)
            if began is not None and began not in ended and scope.runs[0].task_id is None:
                yield scope.runs[0]

    def _steps(self, scope: GraphScope) -> list[Step]:
        """The steps of a graph. One with an earlier number than the last begins a branch of the thread's history."""
        found: list[Step] = []
        current: Step | None = None
        inputs = [run for run in scope.runs if run.task_id is None and written_channels(run)]
        for task in scope.tasks:
            while inputs and inputs[0].start_ns <= task.start_ns:
                current = self._input(scope, inputs.pop(0), current, task)
                found.append(current)
            number, fork = _number(task), self._fork(task, current)
            if fork is not None:
                current = Step(scope, number, _forked_from(fork, found, scope) or _before(current, number))
                found.append(current)
            elif current is None or current.number != number or not current.tasks:
                current = Step(scope, number, _before(current, number))
                found.append(current)
            current.tasks.append(task)
        for run in inputs:
            current = self._input(scope, run, current, None)
            found.append(current)
        for step in found:
            writers = [step.given] if step.given is not None else step.tasks
            step.count(channel for span in writers for channel in written_channels(span))
            applied_ns = step.applied_ns  # of a step of thousands of tasks it looks at all of them
            step.changes = tuple(change for span in writers for change in self._writes(step, span, applied_ns))
        return found

    def _fork(self, task: Span, current: Step | None) -> str | None:
        """The checkpoint that a task's run branched off from, if it is the first task in it."""
        if current is None or not current.tasks or current.tasks[-1].trace_id == task.trace_id:
            return None
        fork = (self._scopes.around(task) or task).get(names.MAS_FORK_CHECKPOINT_ID)
        return None if fork is None else str(fork)

    def _input(self, scope: GraphScope, run: Span, current: Step | None, task: Span | None) -> Step:
        number = _number(task) - 1 if task is not None else 0 if current is None else current.number + 1
        return Step(scope, number, _before(current, number), given=run)

    def _writes(self, step: Step, span: Span, applied_ns: int) -> Iterator[StateChange]:
        label = INPUT if span is step.given else self._labels.get(span.span_id, span.name)
        channels = step.graph.topology.channels if step.graph.topology is not None else {}
        run = step.graph.runs[0]
        graph = self._labels.get(run.span_id, "") if run.task_id is not None else self._inside(run)
        for channel, digest, value, missing in self._values.written(span):
            kind, reducer = channels.get(channel, (None, None))
            yield StateChange(
                span,
                label,
                graph,
                channel,
                kind,
                reducer or None,
                step.versions[channel],
                digest,
                value,
                missing,
                applied_ns,
            )

    def _inside(self, run: Span) -> str:
        around = self._scopes.around(run)
        if around is None:
            return ""
        return f"{self._labels.get(around.span_id, around.name)}/{run.workflow or run.agent or run.name}"


def _before(current: Step | None, number: int) -> Step | None:
    """The step that one of this number follows: the latest one with a smaller number."""
    if current is None:
        return None
    return next((step for step in current.chain() if step.number < number), None)


def _forked_from(checkpoint: str, steps: list[Step], scope: GraphScope) -> Step | None:
    """The last step before a checkpoint: the one before those that started from it, or the last of the run it ended."""
    for step in reversed(steps):
        if any(task.columns.get(names.MAS_CHECKPOINT_ID) == checkpoint for task in step.tasks):
            return step.before
    ended = {run.trace_id for run in scope.runs if run.columns.get(names.MAS_CHECKPOINT_LAST_ID) == checkpoint}
    return next((step for step in reversed(steps) if any(task.trace_id in ended for task in step.tasks)), None)


def _number(task: Span) -> int:
    step = task.columns.get(names.MAS_TASK_STEP)
    return step if isinstance(step, int) else 0


__all__ = ["INPUT", "StateChange", "StateTimeline", "Step", "state_timeline"]
