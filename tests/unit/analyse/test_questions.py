"""What became of questions: each state, how long it took, and whether that was too long."""

from __future__ import annotations

from typing import Any

from otel_mas.analyse.questions import Question, QuestionState, questions
from otel_mas.causal import build
from otel_mas.model import Span, Trace

S = 10**9
NOW = 1_000 * S


def run(trace: str, start: int, end: int | None, started: str | None, ended: str) -> Span:
    columns = {"mas.run.outcome": "ok", "mas.checkpoint.id": started, "mas.checkpoint.last.id": ended}
    return Span(trace, f"run of {trace}", None, "run", start * S, None if end is None else end * S, columns=columns)


def task(trace: str, span_id: str, start: int, end: int, outcome: str, **more: Any) -> Span:
    columns = {"mas.task.id": "k", "mas.task.name": "review", "mas.task.outcome": outcome}
    columns |= {f"mas.{name.replace('_', '.')}": value for name, value in more.items()}
    return Span(trace, span_id, f"run of {trace}", "task review", start * S, end * S, columns=columns)


def asking(trace: str, span_id: str, start: int, end: int, **more: Any) -> Span:
    return task(trace, span_id, start, end, "interrupted", interrupt_ids=["i"], **more)


def answer(trace: str, parent: str, at: int) -> Span:
    return Span(trace, f"answer of {parent}", parent, "human_input review", at * S, at * S,
                columns={"mas.record.kind": "HUMAN_INPUT"})  # fmt: skip


def found(*spans: Span, timeout_s: float | None = 60) -> tuple[Question, ...]:
    ids = dict.fromkeys(span.trace_id for span in spans)
    traces = [Trace(one, tuple(span for span in spans if span.trace_id == one)) for one in ids]
    return questions(build(traces), now_ns=NOW, timeout_s=timeout_s)


FIRST = (run("t1", 0, 10, None, "c1"), asking("t1", "a", 5, 10))


def test_a_question_without_an_answer_waits_until_now() -> None:
    (one,) = found(*FIRST)
    assert (one.state, one.ended_ns, one.answer) == (QuestionState.WAITING, None, None)
    assert (one.asked_ns, one.waited_ns) == (10 * S, 990 * S)
    assert one.overdue


def test_nothing_is_overdue_where_nobody_said_within_how_long() -> None:
    (one,) = found(*FIRST, timeout_s=None)
    assert one.timeout_ns is None
    assert not one.overdue


def test_the_timeout_that_was_recorded_goes_before_that_of_the_reader() -> None:
    patient = asking("t1", "a", 5, 10, interrupt_timeout=5_000.0)
    (one,) = found(FIRST[0], patient)
    assert one.timeout_ns == 5_000 * S
    assert not one.overdue


def test_an_answer_ends_the_wait_and_may_come_too_late() -> None:
    def second(at: int) -> list[Span]:
        return [run("t2", at, at + 9, "c1", "c2"), task("t2", "b", at, at + 1, "ok"), answer("t2", "b", at)]

    (in_time,) = found(*FIRST, *second(70))
    assert (in_time.state, in_time.waited_ns, in_time.overdue) == (QuestionState.ANSWERED, 60 * S, False)
    assert in_time.answer is not None
    assert in_time.answer.span_id == "answer of b"
    (late,) = found(*FIRST, *second(71))
    assert (late.state, late.waited_ns, late.overdue) == (QuestionState.ANSWERED, 61 * S, True)


def test_a_task_that_runs_again_without_an_answer_still_asks_the_same() -> None:
    (one,) = found(*FIRST, run("t2", 20, 30, "c1", "c1"), asking("t2", "b", 20, 30))
    assert [span.span_id for span in one.paused] == ["a", "b"]
    assert one.asked_ns == 10 * S


def test_an_answered_task_may_ask_something_else() -> None:
    second = (run("t2", 20, 30, "c1", "c1"), asking("t2", "b", 20, 30), answer("t2", "b", 20))
    first, other = found(*FIRST, *second)
    assert (first.state, first.waited_ns) == (QuestionState.ANSWERED, 10 * S)
    assert (other.state, other.asked_ns) == (QuestionState.WAITING, 30 * S)


def test_an_update_in_place_of_the_task_ends_the_wait() -> None:
    update = Span("t2", "u", None, "update_state review", 40 * S, 41 * S, columns={
        "mas.task.id": "k", "mas.task.outcome": "ok", "mas.task.updated": True,
        "mas.checkpoint.id": "c1", "mas.checkpoint.last.id": "c2",
    })  # fmt: skip
    (one,) = found(*FIRST, update)
    assert (one.state, one.answer, one.waited_ns) == (QuestionState.WRITTEN, update, 30 * S)


def test_a_thread_that_goes_on_without_the_task_drops_its_question() -> None:
    (one,) = found(*FIRST, run("t2", 500, 600, "c1", "c2"))
    assert (one.state, one.ended_ns) == (QuestionState.DROPPED, 500 * S)
    assert not one.overdue


def test_a_run_elsewhere_in_the_thread_or_under_way_drops_nothing() -> None:
    (elsewhere,) = found(*FIRST, run("t2", 500, 600, "c0", "c2"))
    (under_way,) = found(*FIRST, run("t2", 500, None, "c1", "c1"))
    assert (elsewhere.state, under_way.state) == (QuestionState.WAITING, QuestionState.WAITING)


def test_tasks_around_the_one_that_asks_ask_nothing() -> None:
    assert found(run("t1", 0, 10, None, "c1"), task("t1", "outer", 0, 10, "interrupted")) == ()
