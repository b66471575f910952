"""LangGraph's channel rules, without LangGraph: who waits where, what triggers a node, when a join is complete."""

from __future__ import annotations

from typing import Any

import pytest

from otel_mas.model.channels import (
    INTERRUPT,
    TASKS,
    ChannelKind,
    WaitingWriters,
    fired,
    is_complete,
    node_of,
    path_text,
    sources_of_join,
)

EPHEMERAL, LAST, BARRIER, AFTER, ALL = ChannelKind
Written = list[tuple[str, list[tuple[str, Any]]]]
CHANNEL = "channel"


def apply(
    waiting: WaitingWriters[str],
    written: Written,
    kind: ChannelKind = ALL,
    *,
    consumed: bool = False,
    is_step: bool = True,
    followed: Any = (CHANNEL,),
) -> WaitingWriters[str]:
    return waiting.after(
        written,
        followed=followed,
        kind_of=lambda _: kind,
        consumed=[CHANNEL] if consumed else [],
        is_step=is_step,
    )


def writes(writers: str) -> Written:
    """Each letter is a task that writes its name to the channel, unless it is written as `task=name`."""
    pairs = [text.partition("=") for text in writers.split()]
    return [(writer, [(CHANNEL, name or writer)]) for writer, _, name in pairs]


SITUATIONS = {
    "two tasks of one step": [("a b", {})],
    "written twice by one task": [("a a", {})],
    "written again in the next step": [("a", {}), ("b", {})],
    "not written in the next step": [("a", {}), ("", {})],
    "an input or update before the step": [("a", {}), ("", {"is_step": False})],
    "written before the step as well": [("a", {}), ("b", {"is_step": False})],
    "consumed": [("a b", {}), ("", {"consumed": True})],
    "consumed and written at once": [("a b", {}), ("c=a", {"consumed": True})],
    "a name again in a later step": [("a", {}), ("c=a d", {})],
    "a name twice in one step": [("a c=a", {})],
}
WAITING = {
    "two tasks of one step": {EPHEMERAL: "ab", LAST: "ab", BARRIER: "ab", AFTER: "ab", ALL: "ab"},
    "written twice by one task": {EPHEMERAL: "a", LAST: "a", BARRIER: "a", AFTER: "a", ALL: "a"},
    "written again in the next step": {EPHEMERAL: "b", LAST: "b", BARRIER: "ab", AFTER: "ab", ALL: "ab"},
    "not written in the next step": {EPHEMERAL: "", LAST: "a", BARRIER: "a", AFTER: "a", ALL: "a"},
    "an input or update before the step": {EPHEMERAL: "a", LAST: "a", BARRIER: "a", AFTER: "a", ALL: "a"},
    "written before the step as well": {EPHEMERAL: "b", LAST: "b", BARRIER: "ab", AFTER: "ab", ALL: "ab"},
    "consumed": {EPHEMERAL: "", LAST: "", BARRIER: "", AFTER: "", ALL: ""},
    "consumed and written at once": {EPHEMERAL: "c", LAST: "c", BARRIER: "c", AFTER: "c", ALL: "c"},
    "a name again in a later step": {EPHEMERAL: "cd", LAST: "cd", BARRIER: "ad", AFTER: "acd", ALL: "acd"},
    "a name twice in one step": {EPHEMERAL: "ac", LAST: "ac", BARRIER: "ac", AFTER: "ac", ALL: "ac"},
}


@pytest.mark.parametrize("kind", ChannelKind)
@pytest.mark.parametrize("situation", SITUATIONS)
def test_the_writers_that_wait_in_a_channel(situation: str, kind: ChannelKind) -> None:
    waiting: WaitingWriters[str] = WaitingWriters()
    for writers, how in SITUATIONS[situation]:
        waiting = apply(waiting, writes(writers), kind, **how)  # type: ignore[arg-type]
    assert "".join(waiting.channels.get(CHANNEL, ())) == WAITING[situation][kind]


def test_only_joins_and_deferred_channels_keep_their_writers_until_they_are_consumed() -> None:
    assert [kind for kind in ChannelKind if kind.is_consumed] == [BARRIER, AFTER]


def test_sends_have_one_writer_each_in_the_order_of_the_writes_until_the_step_that_runs_them() -> None:
    waiting = apply(WaitingWriters(), [("a", [(TASKS, 1), (TASKS, 2)]), ("b", [(TASKS, 3)])])
    assert waiting.sends == ("a", "a", "b")
    waiting = apply(waiting, [("c", [(TASKS, 4)])], is_step=False)
    assert waiting.sends == ("a", "a", "b", "c")
    assert apply(waiting, [("d", [])]).sends == ()


def test_channels_that_trigger_nothing_and_reserved_ones_are_not_followed() -> None:
    waiting = apply(WaitingWriters(), [("a", [("messages", 1), (INTERRUPT, 1)])], followed=(CHANNEL, INTERRUPT))
    assert waiting == WaitingWriters()


def test_later_writes_do_not_change_what_waited_before() -> None:
    before = apply(WaitingWriters(), writes("a"), BARRIER)
    apply(before, writes("b"), BARRIER)
    assert before == WaitingWriters({CHANNEL: ("a",)}, {CHANNEL: frozenset("a")})


@pytest.mark.parametrize(
    ("versions", "seen", "available", "expected"),
    [
        ({"x": 2}, {"x": 1}, True, ["x"]),
        ({"x": 2}, {"x": 2}, True, []),
        ({"x": 2}, {}, True, ["x"]),
        ({}, {}, True, ["x"]),
        ({}, {"x": 1}, True, []),
        ({"x": 2}, {"x": 1}, False, []),
    ],
    ids=["newer", "seen", "never ran", "a reducer's default", "without a version", "not available"],
)
def test_a_node_is_triggered_by_channels_that_are_available_and_newer_than_what_it_saw(
    versions: dict[str, int], seen: dict[str, int], available: bool, expected: list[str]
) -> None:
    assert fired(["x"], versions, seen, lambda _: available) == expected


def test_all_channels_that_trigger_a_node_are_found() -> None:
    assert fired(["x", "y", "z"], {"x": 1, "y": 1, "z": 1}, {"y": 1}, lambda _: True) == ["x", "z"]


def test_a_join_names_its_sources_and_its_node() -> None:
    assert sources_of_join("join:a+b:c") == ["a", "b"]
    assert node_of("join:a+b:c") == "c"
    assert node_of("branch:to:a") == "a"


@pytest.mark.parametrize(
    ("join", "arrived", "complete"),
    [
        ("join:a+b:c", ("a", "b"), True),
        ("join:a+b:c", ("b", "a"), True),
        ("join:a+b:c", ("b",), False),
        ("join:a+b:c", (), False),
        ("join:a+b+c:d", ("a+b", "c"), True),
    ],
)
def test_a_join_is_complete_once_all_of_its_sources_have_arrived(join: str, arrived: Any, complete: bool) -> None:
    assert is_complete(join, arrived) is complete


def test_the_text_of_a_path_is_langgraphs() -> None:
    from langgraph.pregel._algo import task_path_str

    path = ("__pregel_push", ("__pregel_pull", "node"), 3, True)
    assert path_text(path) == task_path_str(path)
