"""Who wrote what a task was triggered by: the causes that wait in a graph's channels.

LangGraph runs a task because a channel that triggers its node became available. This module keeps, for each of those
channels, the writers that made it so, and follows LangGraph's own rules for how long a write lasts:

* an ephemeral or last-value channel holds the writers of the last step that wrote it; an ephemeral one that a step did
  not write is cleared by that step;
* a barrier (a join) and the `AfterFinish` channels accumulate writers until they are consumed; a barrier ignores who
  comes in a later step under a name that has come already;
* every other channel (reducers, topics) accumulates;
* the queue of `Send`s keeps one writer for each packet, in the order in which LangGraph will number them.

Only channels that trigger a node are followed, so the size does not depend on the state or on how long a graph runs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from langgraph.channels.any_value import AnyValue
from langgraph.channels.ephemeral_value import EphemeralValue
from langgraph.channels.last_value import LastValue, LastValueAfterFinish
from langgraph.channels.named_barrier_value import NamedBarrierValue, NamedBarrierValueAfterFinish
from langgraph.channels.untracked_value import UntrackedValue

from otel_mas.semconv.enums import LinkKind

if TYPE_CHECKING:
    from opentelemetry.trace import SpanContext

BRANCH_TO = "branch:to:"
"""How the channel of an edge begins; the node that it leads to follows."""

# The channel of `Send` packets, and the writes that no channel receives (langgraph._internal._constants).
TASKS = "__pregel_tasks"
PUSH = "__pregel_push"
RESERVED = frozenset(
    ("__no_writes__", PUSH, "__resume__", "__interrupt__", "__return__", "__error__", "__error_source_node__")
)


class _Kind(dict[type, bool]):
    """Which classes of channels are of a kind: `isinstance`, which for LangGraph's abstract classes is slow, once."""

    def __init__(self, *kinds: type) -> None:
        self._kinds = kinds

    def __missing__(self, channel: type) -> bool:
        self[channel] = known = issubclass(channel, self._kinds)
        return known


_CONSUMED = _Kind(NamedBarrierValue, NamedBarrierValueAfterFinish, LastValueAfterFinish)
_BARRIER = _Kind(NamedBarrierValue, NamedBarrierValueAfterFinish)
_REPLACED = _Kind(LastValue, EphemeralValue, AnyValue, UntrackedValue)
_EPHEMERAL = _Kind(EphemeralValue)


class Writer:
    """A task (or a run, for its input) that wrote to channels, as a cause.

    `context` is None where the span is not known in this process; `key` then names it for the reader.
    `handed_to` are the nodes that a `Command(graph=Command.PARENT)` from inside this task went to.
    """

    __slots__ = ("context", "handed_to", "key")

    def __init__(self, context: SpanContext | None, key: str = "") -> None:
        self.context = context
        self.key = key
        self.handed_to: frozenset[str] = frozenset()

    def kind_through(self, channel: str) -> LinkKind:
        """How it caused what this channel, to which it wrote, has triggered."""
        handed = self.handed_to and channel.startswith(BRANCH_TO) and channel[len(BRANCH_TO) :] in self.handed_to
        return LinkKind.HANDOFF if handed else LinkKind.TRIGGER

    @property
    def reference(self) -> str:
        """What names it to the reader, in a text."""
        if self.context is None:
            return self.key
        return f"{self.context.trace_id:032x}-{self.context.span_id:016x}"


class Waiting(NamedTuple):
    """The causes that wait in the channels at one checkpoint."""

    channels: Mapping[str, tuple[Writer, ...]]
    sends: tuple[Writer, ...]
    saved_by: Writer | None = None
    """Whoever made the checkpoint: a run, or an update of the state."""


class Before(NamedTuple):
    """What writes that are about to be applied meet: the channels that their tasks consume, who waits in barriers."""

    consumed: Sequence[str] = ()
    arrived: Mapping[str, frozenset[str]] = {}


NOTHING = Before()
"""Where no channel keeps who has written until it is consumed."""


def is_consumed(channel: Any) -> bool:
    """Whether a channel keeps who has written until a task consumes it."""
    return _CONSUMED[type(channel)]


class ChannelCauses:
    """The writers that wait in each triggering channel of one run of a graph."""

    __slots__ = ("_triggering", "channels", "sends")

    def __init__(self, triggering: Iterable[str], waiting: Waiting | None = None) -> None:
        self._triggering = triggering if isinstance(triggering, Mapping) else frozenset(triggering)
        self.channels: dict[str, tuple[Writer, ...]] = dict(waiting.channels) if waiting else {}
        self.sends: tuple[Writer, ...] = waiting.sends if waiting else ()

    def waiting(self, saved_by: Writer | None = None) -> Waiting:
        """What waits now; safe to keep, later writes do not change it."""
        return Waiting(dict(self.channels), self.sends, saved_by)

    def before(self, tasks: Iterable[Any], channels: Mapping[str, Any]) -> Before:
        """What is about to change, to be asked before the writes of these tasks are applied."""
        consumed: list[str] = []
        for task in tasks:
            for name in task.triggers:
                channel = channels.get(name)
                if channel is not None and _CONSUMED[type(channel)] and name not in consumed and channel.is_available():
                    consumed.append(name)
        arrived = {}
        for name in self.channels:
            channel = channels.get(name)
            if _BARRIER[type(channel)] and name not in consumed:
                arrived[name] = frozenset(channel.seen)  # type: ignore[union-attr]
        return Before(consumed, arrived)

    def apply(
        self,
        written: Iterable[tuple[Writer, Iterable[tuple[str, Any]]]],
        channels: Mapping[str, Any],
        before: Before,
        *,
        steps: bool,
    ) -> None:
        """Follow one `apply_writes`.

        Args:
            written: each writer with its writes, in the order in which LangGraph applies them.
            channels: the graph's channels.
            before: what `before` said.
            steps: whether the step counter moves, i.e. whether any of the writers is a task with triggers.
        """
        consumed, arrived = before
        fresh: dict[str, list[Writer]] = {}
        sends: list[Writer] = []
        triggering = self._triggering
        for writer, writes in written:
            for name, value in writes:
                if name == TASKS:
                    sends.append(writer)
                elif name in triggering and name not in RESERVED:
                    if arrived and value in arrived.get(name, ()):
                        continue
                    writers = fresh.get(name)
                    if writers is None:
                        fresh[name] = [writer]
                    elif writers[-1] is not writer:
                        writers.append(writer)
        waiting = self.channels
        for name in consumed:
            waiting.pop(name, None)
        for name, writers in fresh.items():
            if _REPLACED[type(channels.get(name))]:
                waiting[name] = tuple(writers)
            else:
                held = waiting.get(name, ())
                waiting[name] = held + tuple(w for w in writers if w not in held)
        if steps:
            for name in waiting.keys() - fresh.keys():
                if _EPHEMERAL[type(channels.get(name))]:
                    del waiting[name]
            self.sends = tuple(sends)
        elif sends:
            self.sends += tuple(sends)


def fired(task: Any, checkpoint: Mapping[str, Any], channels: Mapping[str, Any]) -> list[str]:
    """The channels that made this task run: available, and newer than what its node has seen.

    The rule is `langgraph.pregel._algo._triggers`, which stops at the first such channel; all of them are wanted here.
    """
    if len(task.triggers) == 1:  # LangGraph has found that it did
        return list(task.triggers)
    seen = checkpoint["versions_seen"].get(task.name)
    versions = checkpoint["channel_versions"]
    names = []
    for name in task.triggers:
        channel = channels.get(name)
        if channel is None or not channel.is_available():
            continue
        if seen is None or name not in seen or (name in versions and versions[name] > seen[name]):
            names.append(name)
    return names


def unknown_writers(checkpoint_id: str, triggering: Iterable[str], channels: Mapping[str, Any]) -> Waiting:
    """What waits in a checkpoint of another process: each filled channel, its writer known only by its key."""
    filled = {
        name: (Writer(None, f"{checkpoint_id}|{name}"),)
        for name in triggering
        if name != TASKS and (channel := channels.get(name)) is not None and _holds_anything(channel)
    }
    packets = getattr(channels.get(TASKS), "values", None) or ()
    return Waiting(filled, tuple(Writer(None, f"{checkpoint_id}|{TASKS}[{i}]") for i in range(len(packets))))


def _holds_anything(channel: Any) -> bool:
    # A barrier is not available before all have written, but remembers who has.
    return bool(channel.is_available() or getattr(channel, "seen", None))


def in_write_order(tasks: Sequence[Any]) -> Sequence[Any]:
    """Tasks in the order in which LangGraph applies their writes, which is how it numbers `Send`s."""
    return sorted(tasks, key=_write_order()) if len(tasks) > 1 else tasks


@cache
def _write_order() -> Any:
    from langgraph.pregel import _algo

    path_of = _algo.task_path_str
    key = getattr(_algo, "writes_sort_key", None)
    if key is not None:
        return lambda task: key(path_of(task.path))
    return lambda task: path_of(task.path[:3])
