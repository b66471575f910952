"""The state that a task read, or that a graph had at a moment, and two of them compared."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from otel_mas.analyse.state.changes import StateChange, StateTimeline, Step
from otel_mas.analyse.topology import GraphScope
from otel_mas.causal.references import texts
from otel_mas.model import Span
from otel_mas.model.channels import TASKS
from otel_mas.semconv import attributes as names


@dataclass(frozen=True, slots=True)
class ChannelVersion:
    """A channel as it was read. `changes` are the writes that it is made of, the last one last."""

    channel: str
    version: int
    changes: tuple[StateChange, ...]
    inherited: bool
    """Given by the graph around, whose version it is."""

    @property
    def last(self) -> StateChange:
        return self.changes[-1]

    @property
    def writers(self) -> tuple[str, ...]:
        """The tasks that made this version."""
        made = [change.task for change in self.changes if change.version == self.version]
        return tuple(dict.fromkeys(made))

    @property
    def value(self) -> Any:
        """The value, where the channel holds the last one; else the updates that were kept, in order."""
        if self.last.replaces:
            return self.last.value
        return [change.value for change in self.changes if change.missing is None]

    @property
    def missing(self) -> str | None:
        """Why the value, or an update that it is made of, is not there."""
        if self.last.replaces:
            return self.last.missing
        return next((change.missing for change in self.changes if change.missing is not None), None)

    @property
    def key(self) -> tuple[str, str, int, str]:
        """The same for the same version of the same channel of the same graph."""
        return self.last.graph, self.channel, self.version, self.last.span.span_id


@dataclass(frozen=True, slots=True)
class StateSnapshot:
    """The channels that had been written, by name."""

    where: str
    """Label of the task, or the moment."""
    time_ns: int
    channels: tuple[ChannelVersion, ...]
    notes: tuple[str, ...]
    """Gaps in it, in words."""

    def channel(self, name: str) -> ChannelVersion | None:
        """A channel by its name; None where nothing had been written."""
        return next((one for one in self.channels if one.channel == name), None)


@dataclass(frozen=True, slots=True)
class Difference:
    """A channel in two snapshots; None where it had not been written."""

    channel: str
    first: ChannelVersion | None
    second: ChannelVersion | None
    same: bool
    between: tuple[StateChange, ...]
    """The changes that one has and the other lacks."""


@dataclass(frozen=True, slots=True)
class StateComparison:
    """Two snapshots, channel by channel."""

    first: StateSnapshot
    second: StateSnapshot
    differences: tuple[Difference, ...]
    """Differences of all channels, those that are the same included."""


def read_by(timeline: StateTimeline, task: Span) -> StateSnapshot:
    """The state that a task read: what earlier steps of its graph had written."""
    label = timeline.labels.get(task.span_id, task.name)
    step = next((step for step in timeline.steps if task in step.tasks), None)
    notes = list(_notes(timeline))
    if TASKS in texts(task.get(names.MAS_TASK_TRIGGERS)):
        notes.insert(0, f"{label} was sent its input, which may be less than the state, or something else")
    if step is None:
        return StateSnapshot(label, task.start_ns, (), ("it belongs to no graph whose steps are known", *notes))
    scope, before = step.graph, step.before
    return StateSnapshot(label, task.start_ns, tuple(_channels(timeline, scope, before)), tuple(notes))


def read_at(timeline: StateTimeline, time_ns: int, where: str) -> StateSnapshot:
    """The state of the outermost graph that ran last, as it was at a moment."""
    steps = [step for step in timeline.steps if not step.graph.place and step.graph.runs[0].task_id is None]
    steps = [step for step in steps if timeline.scopes.around(step.graph.runs[0]) is None]
    applied = [step for step in steps if step.applied_ns <= time_ns]
    notes = tuple(_notes(timeline))
    if not applied:
        return StateSnapshot(where, time_ns, (), ("nothing had been written by then", *notes))
    last = max(applied, key=lambda step: step.applied_ns)
    return StateSnapshot(where, time_ns, tuple(_channels(timeline, last.graph, last)), notes)


def compared(first: StateSnapshot, second: StateSnapshot) -> StateComparison:
    """Two snapshots side by side, in the order of the channels of the first, then of the second."""
    channels = dict.fromkeys(one.channel for snapshot in (first, second) for one in snapshot.channels)
    return StateComparison(
        first, second, tuple(_difference(name, first.channel(name), second.channel(name)) for name in channels)
    )


def _difference(name: str, first: ChannelVersion | None, second: ChannelVersion | None) -> Difference:
    same = first is not None and second is not None and (first.key == second.key or _equal(first, second))
    one, other = (set(_keys(version)) for version in (first, second))
    both = {_key(change): change for version in (first, second) if version for change in version.changes}
    apart = () if same else tuple(change for key, change in both.items() if (key in one) != (key in other))
    return Difference(name, first, second, same, apart)


def _equal(first: ChannelVersion, second: ChannelVersion) -> bool:
    """Whether two graphs' channels hold the same last value, by its digest."""
    last, other = first.last, second.last
    return bool(last.replaces and other.replaces) and last.digest == other.digest and ":" not in last.digest


def _keys(version: ChannelVersion | None) -> Iterator[tuple[str, str]]:
    yield from map(_key, version.changes if version is not None else ())


def _key(change: StateChange) -> tuple[str, str]:
    return change.span.span_id, change.channel


def _channels(timeline: StateTimeline, scope: GraphScope, step: Step | None) -> Iterator[ChannelVersion]:
    """The channels at the end of a step, and those that a graph inside a node has from the one around it."""
    found: dict[str, list[StateChange]] = {}
    for earlier in reversed(list(step.chain()) if step is not None else []):
        for change in earlier.changes:
            if change.replaces and change.channel in found:
                found[change.channel] = [one for one in found[change.channel] if one.version == change.version]
            found.setdefault(change.channel, []).append(change)
    run = scope.runs[0]
    if run.task_id is not None:
        declared = scope.topology.channels if scope.topology is not None else None
        for one in read_by(timeline, run).channels:
            if declared is None or one.channel in declared:
                own = found.pop(one.channel, [])
                if own and own[-1].replaces:
                    yield ChannelVersion(one.channel, own[-1].version, tuple(own), False)
                elif own:
                    yield ChannelVersion(one.channel, own[-1].version, (*one.changes, *own), False)
                else:
                    yield ChannelVersion(one.channel, one.version, one.changes, True)
    for channel, changes in found.items():
        yield ChannelVersion(channel, changes[-1].version, tuple(changes), False)


def _notes(timeline: StateTimeline) -> Iterator[str]:
    for run in timeline.carried:
        thread = run.conversation_id
        where = f": ask for the conversation {thread}" if thread else ""
        yield f"{run.workflow or run.agent or run.name} went on from an earlier trace, whose state is not here{where}"


__all__ = ["ChannelVersion", "Difference", "StateComparison", "StateSnapshot", "compared", "read_at", "read_by"]
