"""LangGraph's rules for channels, as far as causes need them: who wrote what waits, and what makes a node run.

LangGraph runs a task because a channel that triggers its node became available. Its causes are the tasks that wrote to
that channel, for as long as the channel's kind lets a write last.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Container, Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any, Generic, TypeVar

START, END = "__start__", "__end__"
BRANCH_TO, JOIN = "branch:to:", "join:"
"""How the channels of edges begin: `branch:to:NODE`, and `join:SOURCE+SOURCE:NODE` for a join."""
TASKS = "__pregel_tasks"
"""The channel of `Send` packets."""
PULL, PUSH = "__pregel_pull", "__pregel_push"
"""How the paths of tasks begin: triggered by channels; sent, or called by another task."""
INTERRUPT, RESUME, ERROR, ERROR_SOURCE = "__interrupt__", "__resume__", "__error__", "__error_source_node__"
RETURN = "__return__"
"""The channel of a `@task`'s result."""
RESERVED = frozenset(("__no_writes__", PUSH, RESUME, INTERRUPT, RETURN, ERROR, ERROR_SOURCE))
"""Target of writes that no channel receives."""

WriterT = TypeVar("WriterT")


class ChannelKind(Enum):
    """How long a channel holds its writers."""

    EPHEMERAL = auto()
    """Those of one step; a step that does not write it clears it."""
    LAST_VALUE = auto()
    """Those of the last step that wrote it."""
    BARRIER = auto()
    """All since it was last consumed, but for those that come in a later step under a name that has arrived."""
    AFTER_FINISH = auto()
    """All since it was last consumed."""
    ACCUMULATED = auto()
    """All: reducers and topics."""

    @property
    def is_consumed(self) -> bool:
        """Whether a task that it triggers empties it."""
        return self in (ChannelKind.BARRIER, ChannelKind.AFTER_FINISH)


@dataclass(slots=True)  # not frozen, which would cost the app's thread a microsecond at each step
class WaitingWriters(Generic[WriterT]):
    """The writers of what waits in the channels at one checkpoint. Never changed once it is made."""

    channels: Mapping[str, tuple[WriterT, ...]] = field(default_factory=dict)
    arrived: Mapping[str, frozenset[Any]] = field(default_factory=dict)
    """By barrier, the names that were written to it."""
    sends: tuple[WriterT, ...] = ()
    """One for each waiting `Send`, in LangGraph's order."""

    def after(
        self,
        written: Iterable[tuple[WriterT, Iterable[tuple[str, Any]]]],
        *,
        followed: Container[str],
        kind_of: Callable[[str], ChannelKind],
        consumed: Collection[str],
        is_step: bool,
    ) -> WaitingWriters[WriterT]:
        """Return what waits once writes are applied.

        Args:
            written: each writer with its writes, in the order in which LangGraph applies them.
            followed: the channels that may trigger a node; others are left out.
            kind_of: the kind of a channel.
            consumed: the channels that the writing tasks have consumed.
            is_step: whether a step ends with these writes. The writes of inputs and updates may be applied before.
        """
        fresh: dict[str, list[tuple[WriterT, Any]]] = {}
        sends: list[WriterT] = []
        for writer, writes in written:
            for channel, value in writes:
                if channel == TASKS:
                    sends.append(writer)
                elif channel in followed and channel not in RESERVED:
                    fresh.setdefault(channel, []).append((writer, value))
        channels, arrived = dict(self.channels), dict(self.arrived)
        for channel in consumed:
            channels.pop(channel, None)
            arrived.pop(channel, None)
        if is_step:
            for channel in channels.keys() - fresh.keys():
                if kind_of(channel) is ChannelKind.EPHEMERAL:
                    del channels[channel]
        for channel, pairs in fresh.items():
            kind = kind_of(channel)
            held = () if kind in _REPLACED else channels.get(channel, ())
            if len(pairs) == 1 and not held and kind is not ChannelKind.BARRIER:
                channels[channel] = (pairs[0][0],)
                continue
            if kind is ChannelKind.BARRIER:
                names = arrived.get(channel, frozenset())
                pairs = [(writer, name) for writer, name in pairs if name not in names]
                arrived[channel] = names.union(name for _, name in pairs)
            channels[channel] = tuple(dict.fromkeys((*held, *(writer for writer, _ in pairs))))
        return WaitingWriters(channels, arrived, tuple(sends) if is_step else (*self.sends, *sends))


_REPLACED = (ChannelKind.EPHEMERAL, ChannelKind.LAST_VALUE)


def fired(
    triggers: Iterable[str], versions: Mapping[str, Any], seen: Mapping[str, Any], is_available: Callable[[str], bool]
) -> list[str]:
    """The channels that make a node run: available, and changed since it last ran.

    LangGraph's own rule (`langgraph.pregel._algo._triggers`) stops at the first one.

    Args:
        triggers: the node's.
        versions: of the channels, at the checkpoint.
        seen: the versions that the node saw when it last ran.
        is_available: whether a channel could trigger a node.
    """
    return [
        channel
        for channel in triggers
        if is_available(channel)
        and (channel not in seen or (channel in versions and versions[channel] > seen[channel]))
    ]


def node_of(channel: str) -> str:
    """The node to which the edge of a channel leads."""
    return channel.rpartition(":")[2]


def sources_of_join(channel: str) -> list[str]:
    return _sources_text(channel).split("+")


def is_complete(join: str, arrived: Iterable[Any]) -> bool:
    """Whether all sources of a join have arrived. Their names may hold a `+`: the length of all of them is compared."""
    return len("+".join(map(str, arrived))) == len(_sources_text(join))


def _sources_text(join: str) -> str:
    return join.removeprefix(JOIN).rpartition(":")[0]


def path_text(path: Iterable[Any]) -> str:
    """A task's path as LangGraph writes it, by which it orders tasks (`task_path_str`)."""
    parts = (
        path_text(part) if isinstance(part, tuple | list) else f"{part:010d}" if isinstance(part, int) else str(part)
        for part in path
    )
    return f"~{', '.join(parts)}"
