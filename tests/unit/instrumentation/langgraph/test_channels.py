"""The channel rules alone, without a graph: who waits where after each application of writes."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from langgraph.channels.binop import BinaryOperatorAggregate
from langgraph.channels.ephemeral_value import EphemeralValue
from langgraph.channels.named_barrier_value import NamedBarrierValue

from otel_mas.instrumentation.langgraph.channels import TASKS, Before, ChannelCauses, Writer, unknown_writers

A, B, C = Writer(None, "a"), Writer(None, "b"), Writer(None, "c")


def graph(**extra: Any) -> dict[str, Any]:
    return {
        "branch:to:x": EphemeralValue(Any, guard=False),
        "join:a+b:c": NamedBarrierValue(str, {"a", "b"}),
        "topic": BinaryOperatorAggregate(list, lambda left, right: left + right),
        **extra,
    }


def causes() -> ChannelCauses:
    return ChannelCauses(graph())


def test_an_ephemeral_channel_holds_the_writers_of_the_last_step_only() -> None:
    found, channels = causes(), graph()
    found.apply([(A, [("branch:to:x", None)]), (B, [("branch:to:x", None)])], channels, Before(), steps=True)
    assert found.channels["branch:to:x"] == (A, B)
    found.apply([(C, [("branch:to:x", None)])], channels, Before(), steps=True)
    assert found.channels["branch:to:x"] == (C,)


def test_an_ephemeral_channel_that_a_step_does_not_write_is_cleared_by_it() -> None:
    found, channels = causes(), graph()
    found.apply([(A, [("branch:to:x", None)])], channels, Before(), steps=True)
    found.apply([(B, [])], channels, Before(), steps=False)
    assert found.channels["branch:to:x"] == (A,)
    found.apply([(B, [])], channels, Before(), steps=True)
    assert "branch:to:x" not in found.channels


def test_a_barrier_accumulates_over_steps_and_re_arms_when_consumed() -> None:
    found, channels = causes(), graph()
    barrier = channels["join:a+b:c"]
    found.apply([(A, [("join:a+b:c", "a")])], channels, Before(), steps=True)
    barrier.update(["a"])
    task = SimpleNamespace(triggers=("join:a+b:c",))
    before = found.before([task], channels)
    assert before == ([], {"join:a+b:c": {"a"}})
    found.apply([(B, [("join:a+b:c", "b")])], channels, before, steps=True)
    barrier.update(["b"])
    assert found.channels["join:a+b:c"] == (A, B)
    before = found.before([task], channels)
    assert before == (["join:a+b:c"], {})
    found.apply([(C, [("join:a+b:c", "a")])], channels, before, steps=True)
    assert found.channels["join:a+b:c"] == (C,)


def test_a_barrier_does_not_wait_for_who_has_come_in_an_earlier_step() -> None:
    found, channels = causes(), graph()
    found.apply([(A, [("join:a+b:c", "a")]), (B, [("join:a+b:c", "a")])], channels, Before(), steps=True)
    channels["join:a+b:c"].update(["a", "a"])
    assert found.channels["join:a+b:c"] == (A, B)
    before = found.before([], channels)
    found.apply([(C, [("join:a+b:c", "a")])], channels, before, steps=True)
    assert found.channels["join:a+b:c"] == (A, B)


def test_sends_keep_one_writer_a_packet_in_write_order() -> None:
    found, channels = causes(), graph()
    found.apply([(A, [(TASKS, 1), (TASKS, 2)]), (B, [(TASKS, 3)])], channels, Before(), steps=True)
    assert found.sends == (A, A, B)
    found.apply([(C, [(TASKS, 4)])], channels, Before(), steps=False)
    assert found.sends == (A, A, B, C)
    found.apply([(C, [])], channels, Before(), steps=True)
    assert found.sends == ()


def test_channels_that_trigger_nothing_are_not_followed() -> None:
    found = ChannelCauses({"branch:to:x": ["x"]})
    found.apply([(A, [("messages", 1), ("branch:to:x", None)])], graph(), Before(), steps=True)
    assert set(found.channels) == {"branch:to:x"}


def test_what_waits_is_not_changed_by_later_writes() -> None:
    found, channels = causes(), graph()
    found.apply([(A, [("branch:to:x", None)])], channels, Before(), steps=True)
    waiting = found.waiting()
    found.apply([(B, [("branch:to:x", None)])], channels, Before(), steps=True)
    assert waiting.channels["branch:to:x"] == (A,)


def test_a_checkpoint_of_another_process_names_its_writers_by_checkpoint_and_channel() -> None:
    channels = graph(**{TASKS: SimpleNamespace(values=["packet", "packet"])})
    channels["join:a+b:c"].update(["a"])  # half full: not available, yet somebody has written
    channels["branch:to:x"].update([None])
    waiting = unknown_writers("ckpt", ["branch:to:x", "join:a+b:c"], channels)
    keys = {name: [w.key for w in writers] for name, writers in waiting.channels.items()}
    assert keys == {"branch:to:x": ["ckpt|branch:to:x"], "join:a+b:c": ["ckpt|join:a+b:c"]}
    assert [w.key for w in waiting.sends] == [f"ckpt|{TASKS}[0]", f"ckpt|{TASKS}[1]"]
