"""The writers of a graph's channels as causes: `otel_mas.model.channels` on LangGraph's own objects.

Only channels that trigger a node are followed, so the size does not depend on the state or on how long a graph runs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, TypeAlias

from otel_mas.model.channels import BRANCH_TO, TASKS, ChannelKind, WaitingWriters, fired
from otel_mas.semconv.enums import LinkKind

if TYPE_CHECKING:
    from opentelemetry.trace import SpanContext

_CLASSES = {
    "NamedBarrierValue": ChannelKind.BARRIER,
    "NamedBarrierValueAfterFinish": ChannelKind.BARRIER,
    "LastValueAfterFinish": ChannelKind.AFTER_FINISH,
    "EphemeralValue": ChannelKind.EPHEMERAL,
    "LastValue": ChannelKind.LAST_VALUE,
    "AnyValue": ChannelKind.LAST_VALUE,
    "UntrackedValue": ChannelKind.LAST_VALUE,
}


class TaskWriter:
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
        handed_over = self.handed_to and channel.startswith(BRANCH_TO) and channel[len(BRANCH_TO) :] in self.handed_to
        return LinkKind.HANDOFF if handed_over else LinkKind.TRIGGER

    @property
    def reference(self) -> str:
        """The text that names it for the reader."""
        if self.context is None:
            return self.key
        return f"{self.context.trace_id:032x}-{self.context.span_id:016x}"


TaskWriters: TypeAlias = WaitingWriters[TaskWriter]


_KINDS: dict[type, ChannelKind] = {}


def kind_of(channel: Any) -> ChannelKind:
    """The kind of a channel of LangGraph's."""
    kind = _KINDS.get(type(channel))
    if kind is None:
        classes = [one for one in type(channel).__mro__ if one.__module__.startswith("langgraph.channels.")]
        kinds = (_CLASSES[one.__name__] for one in classes if one.__name__ in _CLASSES)
        kind = _KINDS[type(channel)] = next(kinds, ChannelKind.ACCUMULATED)
    return kind


def is_consumed(channel: Any) -> bool:
    """Whether a channel keeps its writers until a task consumes it."""
    return kind_of(channel).is_consumed


def consumed_by(tasks: Iterable[Any], channels: Mapping[str, Any]) -> list[str]:
    """The channels that LangGraph will consume when it applies the writes of these tasks."""
    triggers = dict.fromkeys(name for task in tasks for name in task.triggers)
    return [
        name
        for name in triggers
        if (channel := channels.get(name)) is not None and is_consumed(channel) and channel.is_available()
    ]


def after_writes(
    waiting: TaskWriters,
    written: Iterable[tuple[TaskWriter, Iterable[tuple[str, Any]]]],
    *,
    triggering: Mapping[str, Any],
    channels: Mapping[str, Any],
    consumed: Sequence[str],
    is_step: bool,
) -> TaskWriters:
    """Follow one `apply_writes`. See `WaitingWriters.after`."""
    return waiting.after(
        written,
        followed=triggering,
        kind_of=lambda name: kind_of(channels.get(name)),
        consumed=consumed,
        is_step=is_step,
    )


def fired_by(task: Any, checkpoint: Mapping[str, Any], channels: Mapping[str, Any]) -> list[str]:
    """The channels that made this task run."""
    if len(task.triggers) == 1:  # it did, or LangGraph would not have scheduled the task
        return list(task.triggers)
    return fired(
        task.triggers,
        checkpoint["channel_versions"],
        checkpoint["versions_seen"].get(task.name) or {},
        lambda name: name in channels and channels[name].is_available(),
    )


def unknown_writers(checkpoint_id: str, triggering: Iterable[str], channels: Mapping[str, Any]) -> TaskWriters:
    """Writes that wait in a checkpoint of another process: each filled channel, its writer known by its key alone."""
    filled: dict[str, tuple[TaskWriter, ...]] = {}
    arrived: dict[str, frozenset[Any]] = {}
    for name in triggering:
        channel = channels.get(name)
        if name == TASKS or channel is None:
            continue
        if kind_of(channel) is ChannelKind.BARRIER and channel.seen:  # available only once all have arrived
            arrived[name] = frozenset(channel.seen)
        if name in arrived or channel.is_available():
            filled[name] = (TaskWriter(None, f"{checkpoint_id}|{name}"),)
    packets = getattr(channels.get(TASKS), "values", None) or ()
    sends = tuple(TaskWriter(None, f"{checkpoint_id}|{TASKS}[{i}]") for i in range(len(packets)))
    return WaitingWriters(filled, arrived, sends)


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
