"""The same answer again and again, nothing new read, is a repetition; new messages, retries and samples are none."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from otel_mas.analyse.findings.step_repetition import step_repetition
from otel_mas.model import Finding, Severity
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
