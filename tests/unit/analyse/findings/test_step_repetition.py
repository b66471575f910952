"""The same answer again and again, nothing new read, is a repetition; new messages, retries and samples are none."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from otel_mas.analyse.findings.step_repetition import step_repetition
from otel_mas.model import Finding, Severity, Span
from otel_mas.semconv import attributes as names
from tests.unit.analyse.findings.run import facts, made


def found(
    *calls: tuple[Sequence[str], str],
    each_ns: int = 10,
    failed: Sequence[int] = (),
    task_failed: bool = False,
    **thresholds: float,
) -> list[Finding]:
    """Findings about an agent whose model calls read and wrote these messages, one after the other."""
    spans = [
        made.call(f"chat{i}", each_ns * i + 1, each_ns * i + 6, "writer1", failed=i in failed)
        for i in range(len(calls))
    ]
    for span in spans:
        span.columns = {**span.columns, names.MAS_COST_USD: 0.5}
    read = {f"chat{i}": one for i, (one, _) in enumerate(calls)}
    wrote = {f"chat{i}": [one] for i, (_, one) in enumerate(calls)}
    agent = made.agent("writer1", 0, 1000, failed=task_failed)
    return list(step_repetition(facts(agent, *spans, read=read, wrote=wrote, **thresholds)))


def test_the_same_question_and_the_same_answer() -> None:
    (one,) = found((["q"], "a"), (["q"], "a"), (["q"], "a"))

    assert (one.severity, one.confidence, one.subject) == (Severity.WARNING, 1.0, "writer: small")
    assert one.summary == "writer asked small 3 times with nothing new to it and got the same answer"
    assert (one.spans, one.messages) == (("chat1", "chat2", "chat0"), ("a",))
    assert (one.saves_ns, one.saves_usd) == (10, 1.0)


def test_its_own_answers_are_nothing_new_to_an_agent() -> None:
    assert len(found((["q"], "a"), (["q", "a"], "a"), (["q", "a", "a"], "a"))) == 1


def test_twice_is_none_and_the_threshold_can_be_set() -> None:
    assert found((["q"], "a"), (["q"], "a")) == []
    assert len(found((["q"], "a"), (["q"], "a"), repeated_steps=2)) == 1


@pytest.mark.parametrize(
    "calls",
    [
        ((["q"], "a"), (["q", "r1"], "a"), (["q", "r2"], "a"), (["q", "r3"], "a")),
        ((["q"], "a"), (["q"], "b"), (["q"], "a"), (["q"], "b")),
        (([], "a"), ([], "a"), ([], "a")),
    ],
    ids=["new messages", "other answers", "not recorded"],
)
def test_what_is_no_repetition(calls: Sequence[tuple[Sequence[str], str]]) -> None:
    assert found(*calls) == []


def test_samples_side_by_side_are_none() -> None:
    assert found(*[(["q"], "a")] * 5, each_ns=1) == []


def test_calls_that_failed_or_whose_task_failed_are_tried_again() -> None:
    assert found(*[(["q"], "a")] * 3, failed=(0, 1)) == []
    assert found(*[(["q"], "a")] * 3, task_failed=True) == []


def ran(*states: str, between: Sequence[str] = (), **more: Any) -> list[Finding]:
    """Findings about a node that asked its model different things, and wrote this to the state each time.

    Args:
        between: written by another node after each but the last.
        more: columns of its tasks.
    """
    spans = [made.agent("paper1", 0, 1000)]
    read, wrote = {}, {}
    for i, state in enumerate(states):
        spans.append(_task(f"write{i}", 50 * i, state, **more))
        spans.append(made.call(f"chat{i}", 50 * i + 1, 50 * i + 9, f"write{i}"))
        read[f"chat{i}"], wrote[f"chat{i}"] = [f"q{i}"], ["a"]
        if i < len(between):
            spans.append(_task(f"check{i}", 50 * i + 20, between[i]))
    return list(step_repetition(facts(*spans, read=read, wrote=wrote)))


def _task(span_id: str, start: int, state: str, **more: Any) -> Span:
    written = {names.MAS_STATE_CHANGED: ("text",), names.MAS_STATE_DIGESTS: (state,)}
    return made.task(span_id, start, start + 10, "paper1", **written, **more)


def test_a_node_that_writes_the_same_while_nothing_else_changes() -> None:
    (one,) = ran("s", "s", "s")

    assert (one.severity, one.confidence, one.subject) == (Severity.WARNING, 0.8, "write of paper")
    assert one.summary == "write of paper ran 3 times and wrote the same each time, with no other change of the state"
    assert (one.spans, one.saves_ns) == (("write1", "write2", "write0"), 20)
    assert len(ran("s", "s", "s", "s", between=["x", "x", "x"])) == 1


def test_a_node_that_has_something_new_before_it_repeats_nothing() -> None:
    assert ran("s", "s", "s", "s", between=["x", "y", "z"]) == []
    assert ran("s", "t", "s", "t") == []
    assert ran("s", "s") == []
    assert ran("s", "s", "s", failed=True) == []


def test_tasks_that_a_send_began_have_an_input_of_their_own() -> None:
    assert ran("s", "s", "s", causes=[("send", "paper1")]) == []
