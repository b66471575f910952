"""LangGraph's own channels: their kinds, what is about to be consumed, and what waits in a loaded checkpoint."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from langgraph.channels.any_value import AnyValue
from langgraph.channels.binop import BinaryOperatorAggregate
from langgraph.channels.ephemeral_value import EphemeralValue
from langgraph.channels.last_value import LastValue, LastValueAfterFinish
from langgraph.channels.named_barrier_value import NamedBarrierValue, NamedBarrierValueAfterFinish
from langgraph.channels.topic import Topic
from langgraph.channels.untracked_value import UntrackedValue

from otel_mas.instrumentation.langgraph.channels import (
    TaskWriter,
    TaskWriters,
    after_writes,
    consumed_by,
    kind_of,
    unknown_writers,
)
from otel_mas.model.channels import TASKS, ChannelKind, WaitingWriters

JOIN = "join:a+b:c"
A, B, C = TaskWriter(None, "a"), TaskWriter(None, "b"), TaskWriter(None, "c")


@pytest.mark.parametrize(
    ("channel", "kind"),
    [
        (EphemeralValue(str), ChannelKind.EPHEMERAL),
        (LastValue(str), ChannelKind.LAST_VALUE),
        (AnyValue(str), ChannelKind.LAST_VALUE),
        (UntrackedValue(str), ChannelKind.LAST_VALUE),
        (NamedBarrierValue(str, {"a"}), ChannelKind.BARRIER),
        (NamedBarrierValueAfterFinish(str, {"a"}), ChannelKind.BARRIER),
        (LastValueAfterFinish(str), ChannelKind.AFTER_FINISH),
        (BinaryOperatorAggregate(list, lambda left, right: left + right), ChannelKind.ACCUMULATED),
        (Topic(str), ChannelKind.ACCUMULATED),
        (None, ChannelKind.ACCUMULATED),
    ],
    ids=lambda value: type(value).__name__,
)
def test_the_kind_of_each_of_langgraphs_channels(channel: Any, kind: ChannelKind) -> None:
    assert kind_of(channel) is kind


def test_a_join_is_consumed_once_it_is_complete_and_fills_again() -> None:
    barrier = NamedBarrierValue(str, {"a", "b"})
    channels = {JOIN: barrier, "branch:to:c": EphemeralValue(Any)}
    task = SimpleNamespace(triggers=(JOIN, "branch:to:c"))

    def written(waiting: TaskWriters, writer: TaskWriter, name: str) -> TaskWriters:
        consumed = consumed_by([task], channels)
        if consumed:
            barrier.consume()
        barrier.update([name])
        return after_writes(
            waiting,
            [(writer, [(JOIN, name)])],
            triggering={JOIN: ["c"]},
            channels=channels,
            consumed=consumed,
            is_step=True,
        )

    waiting = written(WaitingWriters(), A, "a")
    waiting = written(waiting, C, "a")
    waiting = written(waiting, B, "b")
    assert waiting.channels == {JOIN: (A, B)}
    assert consumed_by([task, task], channels) == [JOIN]
    assert written(waiting, C, "a").channels == {JOIN: (C,)}


def test_a_checkpoint_of_another_process_names_its_writers_by_checkpoint_and_channel() -> None:
    barrier, branch = NamedBarrierValue(str, {"a", "b"}), EphemeralValue(Any, guard=False)
    barrier.update(["a"])  # half full: not available, yet somebody has written
    branch.update([None])
    channels = {
        "branch:to:x": branch,
        "branch:to:y": EphemeralValue(Any),
        JOIN: barrier,
        TASKS: SimpleNamespace(values=["packet", "packet"]),
    }
    waiting = unknown_writers("ckpt", channels, channels)
    keys = {name: [writer.key for writer in writers] for name, writers in waiting.channels.items()}
    assert keys == {"branch:to:x": ["ckpt|branch:to:x"], JOIN: [f"ckpt|{JOIN}"]}
    assert waiting.arrived == {JOIN: {"a"}}
    assert [writer.key for writer in waiting.sends] == [f"ckpt|{TASKS}[0]", f"ckpt|{TASKS}[1]"]
