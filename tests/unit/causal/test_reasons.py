"""Reasons for which a step waited, in words."""

from __future__ import annotations

import pytest

from otel_mas.causal.links import INFERRED, Links
from otel_mas.causal.reasons import NO_REASON, NO_SPAN, PAUSED, WAITED, ReasonText, lasting
from otel_mas.model import ObjectSpanTable, Span
from otel_mas.semconv import attributes as names


@pytest.mark.parametrize(
    ("ns", "text"),
    [
        (0, "0 s"),
        (7, "7 ns"),
        (1_500, "1.5 µs"),
        (42_000_000, "42 ms"),
        (1_200_000_000, "1.2 s"),
        (59_000_000_000, "59 s"),
        (125_000_000_000, "2 min 5 s"),
    ],
)
def test_durations_have_two_digits_or_more(ns: int, text: str) -> None:
    assert lasting(ns) == text


def test_names_of_tasks_are_asked_for_once() -> None:
    """They are made for all tasks at once: a path of 100,000 steps must not do so for each."""
    spans = [Span("t1", str(i), None, "task", 0, 1, columns={names.MAS_TASK_ID: str(i)}) for i in range(3)]
    asked: list[dict[int, str]] = []

    def tasks() -> dict[int, str]:
        asked.append({i: f"task#{i}" for i in range(3)})
        return asked[-1]

    words = ReasonText(ObjectSpanTable(spans), tasks, Links(len(spans)))
    assert asked == []
    assert words.sentence((WAITED, 0, 1, ())) == "task#0 waited for task#1"
    assert words.sentence((WAITED, 1, 2, ())) == "task#1 waited for task#2"
    assert len(asked) == 1


def test_names_say_what_is_specific() -> None:
    """Tasks by their name; workflows, agents and tools without their operation; models by the whole span name."""
    named = ["task x", "invoke_agent critic", "execute_tool search", "chat gpt", ""]
    spans = [Span("t1", str(i), None, name, 0, 1) for i, name in enumerate(named)]
    tasks = {0: "x#2"}
    spans[0] = Span("t1", "0", None, "task x", 0, 1, columns={names.MAS_TASK_ID: "k"})
    words = ReasonText(ObjectSpanTable(spans), lambda: tasks, Links(len(spans)))
    assert words.sentence((WAITED, 0, 1, ())) == "x#2 waited for critic"
    assert words.sentence((WAITED, 2, 3, ())) == "search waited for chat gpt"
    assert words.sentence((PAUSED, 4, NO_SPAN, ())) == "a span without a name paused to wait for input"
    assert words.sentence(NO_REASON) == ""
    assert words.sentence((WAITED, 1, 2, (3, 3, 0))) == (
        "critic waited for search (last of 3 branches, together with chat gpt)"
    )


def test_names_of_tasks_are_looked_up_when_the_first_is_needed() -> None:
    def fail() -> dict[int, str]:
        raise AssertionError("looked up")

    words = ReasonText(ObjectSpanTable([Span("t1", "0", None, "a", 0, 1)]), fail, Links(1))
    assert words.sentence((PAUSED, 0, NO_SPAN, ())) == "a paused to wait for input"


def test_a_cause_that_was_only_inferred_is_said_with_its_probability() -> None:
    links = Links(2)
    links.add(0, 1, "trigger", INFERRED, 0.9)
    spans = [Span("t1", name, None, name, 0, 1) for name in "ab"]
    words = ReasonText(ObjectSpanTable(spans), dict, links)
    assert words.sentence((WAITED, 1, 0, ())) == "b waited for a (inferred, 90 %)"
