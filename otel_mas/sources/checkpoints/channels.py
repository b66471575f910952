"""`otel_mas.model.channels` on stored checkpoints: what was available, what was to run, who wrote it.

The kind of a channel shows in the name that LangGraph gives it, and in its value.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from otel_mas.model.channels import (
    BRANCH_TO,
    INTERRUPT,
    JOIN,
    START,
    TASKS,
    ChannelKind,
    WaitingWriters,
    fired,
    is_complete,
    node_of,
)
from otel_mas.sources.checkpoints.reader import Checkpoint

_NO_NODES = frozenset(("__input__", INTERRUPT, START))
WriterT = TypeVar("WriterT")


def waiting_after(
    waiting: WaitingWriters[WriterT | None],
    written: Sequence[tuple[WriterT, Sequence[tuple[str, Any]]]],
    checkpoint: Checkpoint,
    consumed: Collection[str] = (),
) -> WaitingWriters[WriterT | None]:
    """Return what waits at the next checkpoint, `checkpoint`.

    The arrivals at a join are counted, not read from the checkpoint: LangGraph may save it only when the next step has
    added to the same set. A `Send` whose writer is not known has None.
    """
    sent = sum(channel == TASKS for _, writes in written for channel, _ in writes)
    found = waiting.after(
        written,
        followed=checkpoint.values,
        kind_of=lambda channel: _kind(checkpoint, channel),
        consumed=consumed,
        is_step=sent == len(checkpoint.sends),
    )
    return replace(
        found,
        channels={name: writers for name, writers in found.channels.items() if name in checkpoint.values},
        sends=found.sends if len(found.sends) == len(checkpoint.sends) else (None,) * len(checkpoint.sends),
    )


def is_available(checkpoint: Checkpoint, channel: str, waiting: WaitingWriters[Any]) -> bool:
    """Whether a channel could trigger a task at a checkpoint."""
    if channel not in checkpoint.values:
        return False
    value, finished = checkpoint.values[channel], True
    if _is_deferred(value):
        value, finished = value
    if finished and channel.startswith(JOIN):
        return is_complete(channel, waiting.arrived.get(channel, value if isinstance(value, tuple) else ()))
    return bool(finished)


def fired_at(
    checkpoint: Checkpoint, waiting: WaitingWriters[Any], node: str, triggers: Collection[str], late: Iterable[str] = ()
) -> list[str]:
    """The channels that made a node run; of its triggers also those that the caller wrote `late`, on resuming."""

    def available(channel: str) -> bool:
        return checkpoint.versions.get(channel) is not None and is_available(checkpoint, channel, waiting)

    found = fired(triggers, checkpoint.versions, checkpoint.seen.get(node, {}), available)
    return sorted({*found, *(channel for channel in late if channel in triggers)})


def scheduled_at(
    checkpoint: Checkpoint, waiting: WaitingWriters[Any], triggers: Mapping[str, Collection[str]]
) -> list[tuple[str, int | None]]:
    """Nodes and numbered `Send`s that were to run next.

    Args:
        checkpoint: The checkpoint.
        waiting: Writes that wait there.
        triggers: The channels that trigger each node, as far as they are known.
    """
    nodes = {name for name, channels in triggers.items() if fired_at(checkpoint, waiting, name, channels)}
    for channel in checkpoint.values:
        name = node_of(channel)
        if channel.startswith((BRANCH_TO, JOIN)) and fired_at(checkpoint, waiting, name, (channel,)):
            nodes.add(name)
    return [
        *((name, number) for number, name in enumerate(checkpoint.sends) if name is not None),
        *((name, None) for name in sorted(nodes - _NO_NODES)),
    ]


def changed(before: Checkpoint | None, checkpoint: Checkpoint) -> set[str]:
    """The channels that a checkpoint holds in another version than the one before."""
    versions = before.versions if before is not None else {}
    return {
        name
        for name, version in checkpoint.versions.items()
        if versions.get(name) != version and name in checkpoint.values
    }


def _kind(checkpoint: Checkpoint, channel: str) -> ChannelKind:
    if channel.startswith(JOIN):
        return ChannelKind.BARRIER
    # A channel that a step clears is gone from the checkpoint.
    return ChannelKind.AFTER_FINISH if _is_deferred(checkpoint.values.get(channel)) else ChannelKind.LAST_VALUE


def _is_deferred(value: Any) -> bool:
    """Whether it is the value of a deferred node's channel: with it is kept whether all other nodes have finished."""
    return isinstance(value, list | tuple) and len(value) == 2 and isinstance(value[1], bool)
