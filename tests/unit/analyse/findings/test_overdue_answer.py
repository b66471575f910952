"""Answers are overdue after the time that was recorded, or else that of the reader; without either never."""

from __future__ import annotations

from otel_mas.analyse.findings import RunFacts
from otel_mas.analyse.findings.overdue_answer import overdue_answer
from otel_mas.model import Finding, Severity
from tests.unit.analyse.findings.run import facts, made

S = 10**9


def asked(timeout_s: float | None = None, *, answered: int | None = None, own: float | None = None) -> list[Finding]:
    """Findings, 100 s after a task asked something in its 10th second."""
    more = {} if own is None else {"interrupt_timeout": own}
    spans = [
        made.span("run", 0, 10 * S, run_outcome="interrupted", **{"mas.checkpoint.last.id": "c1"}),
        made.agent("review1", 0, 10 * S, "run", task_outcome="interrupted", interrupt_ids=["i"], **more),
    ]
    if answered is not None:
        spans += [
            made.span("run2", answered * S, (answered + 5) * S, run_outcome="ok", **{"mas.checkpoint.id": "c1"}),
            made.agent("review2", answered * S, (answered + 5) * S, "run2", task_outcome="ok", task_id="review1"),
            made.span("person", answered * S, answered * S, "review2", record_kind="HUMAN_INPUT"),
        ]
    run = facts(*spans, now_ns=110 * S)
    return list(overdue_answer(RunFacts(run.graph, now_ns=run.now_ns, input_timeout_s=timeout_s)))


def test_a_question_that_still_waits() -> None:
    (found,) = asked(60)

    assert (found.severity, found.confidence, found.subject) == (Severity.WARNING, 1.0, "review")
    assert found.summary == "review has waited 1m 40s for a person, who was to answer within 1m 00s"
    assert (found.spans, found.saves_ns) == (("review1",), None)


def test_an_answer_that_came_too_late() -> None:
    (found,) = asked(60, answered=80)

    assert found.summary == "review got its answer after 1m 10s from a person, who was to answer within 1m 00s"
    assert found.spans == ("review1", "person")
    assert found.saves_ns == 10 * S


def test_an_answer_in_time_is_none() -> None:
    assert asked(60, answered=50) == []


def test_the_time_that_was_recorded_goes_first() -> None:
    assert asked(60, own=500) == []
    assert len(asked(None, own=50)) == 1


def test_nothing_is_overdue_where_nobody_said_within_how_long() -> None:
    assert asked(None) == []
