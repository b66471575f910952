"""`otel-mas state --json`, in its three forms."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, TypedDict

from otel_mas.analyse.state import ChannelVersion, StateChange, StateComparison, StateSnapshot
from otel_mas.analyse.state.values import value_text
from otel_mas.report.json.fields import OMITTED, PROBLEMS, TIME

_VALUE = "what was written, as JSON: the new value, or the update of a channel with a reducer; null where `missing`"


class ChangeForm(TypedDict):
    time_ns: Annotated[int, f"when others could read it, at the end of its step{TIME}"]
    trace_id: Annotated[str, "32 hex digits"]
    span_id: Annotated[str, "the span that wrote it"]
    task: Annotated[str, 'label of the task that wrote it; "input" for what a graph was given']
    graph: Annotated[str, "label of the task that the graph is; empty for the outermost one"]
    channel: Annotated[str, "name of the channel"]
    channel_class: Annotated[str | None, "LangGraph's class of it; null where the recording lacks it"]
    reducer: Annotated[str | None, "name of its reducer; null without one, or where the recording lacks it"]
    version: Annotated[int, "how many steps of its graph have written it by then"]
    digest: Annotated[str, "`mas.state.digests`"]
    value: Annotated[Any, _VALUE, OMITTED]
    text: Annotated[str | None, "what was written, as text; null where `missing`"]
    missing: Annotated[str | None, "why there is no value; null where there is"]


class ChannelForm(TypedDict):
    channel: Annotated[str, "name of the channel"]
    version: Annotated[int, "how many steps have written it by then"]
    writers: Annotated[list[str], "the tasks that made this version"]
    reducer: Annotated[str | None, "name of its reducer; null without one, or where the recording lacks it"]
    inherited: Annotated[bool, "it came from the graph around"]
    value: Annotated[Any, "the value; of a channel with a reducer, or of an unknown class, a list of its updates"]
    missing: Annotated[str | None, "why the value, or one of the updates, is not there"]


class SnapshotForm(TypedDict):
    where: Annotated[str, "label of the task, or the moment"]
    time_ns: Annotated[int, f"when{TIME}"]
    channels: Annotated[list[ChannelForm], "what it read, by channel"]
    notes: Annotated[list[str], "what is not known, in words"]


class DifferenceForm(TypedDict):
    channel: Annotated[str, "name of the channel"]
    first: Annotated[int | None, "the version that the first one read; null where nothing had been written"]
    second: Annotated[int | None, "the version that the second one read"]
    same: Annotated[bool, "both read the same"]
    between: Annotated[list[str], "the tasks whose changes one has and the other lacks"]


class StateDocument(TypedDict):
    changes: Annotated[list[ChangeForm] | None, "in the order in which they were applied; null with --at or --compare"]
    snapshots: Annotated[list[SnapshotForm], "with --at one, with --compare two"]
    differences: Annotated[list[DifferenceForm], "with --compare, channel by channel"]
    problems: Annotated[list[str], PROBLEMS]


def state(
    problems: Sequence[str],
    *,
    changes: Sequence[StateChange] | None = None,
    snapshot: StateSnapshot | None = None,
    comparison: StateComparison | None = None,
) -> StateDocument:
    """Changes, or a snapshot, or two of them compared."""
    snapshots = [snapshot] if snapshot is not None else []
    if comparison is not None:
        snapshots = [comparison.first, comparison.second]
    return {
        "changes": None if changes is None else [change(one) for one in changes],
        "snapshots": [
            {
                "where": one.where,
                "time_ns": one.time_ns,
                "channels": [channel(version) for version in one.channels],
                "notes": list(one.notes),
            }
            for one in snapshots
        ],
        "differences": [
            {
                "channel": one.channel,
                "first": None if one.first is None else one.first.version,
                "second": None if one.second is None else one.second.version,
                "same": one.same,
                "between": list(dict.fromkeys(written.task for written in one.between)),
            }
            for one in (comparison.differences if comparison is not None else ())
        ],
        "problems": list(problems),
    }


def change(one: StateChange) -> ChangeForm:
    """A write to a channel."""
    return {
        "time_ns": one.time_ns,
        "trace_id": one.span.trace_id,
        "span_id": one.span.span_id,
        "task": one.task,
        "graph": one.graph,
        "channel": one.channel,
        "channel_class": one.channel_class,
        "reducer": one.reducer,
        "version": one.version,
        "digest": one.digest,
        "value": one.value,
        "text": None if one.missing is not None else value_text(one.value),
        "missing": one.missing,
    }


def channel(one: ChannelVersion) -> ChannelForm:
    """A channel as it was read."""
    return {
        "channel": one.channel,
        "version": one.version,
        "writers": list(one.writers),
        "reducer": one.last.reducer,
        "inherited": one.inherited,
        "value": one.value,
        "missing": one.missing,
    }


__all__ = ["ChangeForm", "ChannelForm", "StateDocument", "change", "channel", "state"]
