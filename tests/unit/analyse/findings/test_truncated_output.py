"""Answers that were cut off and used are found; those made good, meant to be short, or dropped are not."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from otel_mas.analyse.findings.truncated_output import truncated_output
from otel_mas.model import Finding, Severity, Span
from otel_mas.semconv import attributes as names
from tests.unit.analyse.findings.run import facts, made


def cut(reason: str = "length", **more: Any) -> Span:
    return made.call("chat1", 1, 5, "writer1", **{names.GEN_AI_RESPONSE_FINISH_REASONS: (reason,), **more})


def found(*spans: Span, read: Any = None, failed: bool = False, wrote: Any = None) -> list[Finding]:
    read = {"chat1": ["q"], **(read or {})}
    agent = made.agent("writer1", 0, 50, failed=failed)
    return list(truncated_output(facts(agent, *spans, read=read, wrote=wrote or {"chat1": ["a"]})))


@pytest.mark.parametrize("reason", ["length", "max_tokens", "MAX_TOKENS"])
def test_an_answer_with_which_its_task_went_on(reason: str) -> None:
    (one,) = found(cut(reason))

    assert (one.severity, one.confidence, one.rests_on) == (Severity.WARNING, 0.8, ("recorded", "inferred"))
    assert one.summary == "an answer of small to writer was cut off, and used all the same"
    assert (one.subject, one.spans, one.messages) == ("writer: small", ("chat1", "writer1"), ("a",))


def test_an_answer_that_its_task_wrote_is_recorded_as_used() -> None:
    (one,) = found(cut(), wrote={"chat1": ["a"], "writer1": ["q", "a"]})

    assert (one.confidence, one.rests_on) == (0.9, ("recorded",))


def test_an_answer_that_another_agent_read() -> None:
    other = made.agent("editor1", 60, 100), made.call("chat2", 61, 70, "editor1")
    (one,) = found(cut(), *other, read={"chat2": ["a"]})

    assert (one.summary, one.confidence) == (
        "an answer of small to writer was cut off, and read by editor all the same",
        0.9,
    )
    assert one.spans == ("chat1", "chat2")


@pytest.mark.parametrize("again", [["q"], ["q", "a", "go on"]], ids=["again", "go on"])
def test_an_answer_that_was_asked_for_again_is_made_good(again: list[str]) -> None:
    assert found(cut(), made.call("chat2", 10, 20, "writer1"), read={"chat2": again}) == []


def test_another_question_makes_nothing_good() -> None:
    assert len(found(cut(), made.call("chat2", 10, 20, "writer1"), read={"chat2": ["other"]})) == 1


def test_an_answer_that_was_meant_to_be_short() -> None:
    assert found(cut(**{names.GEN_AI_REQUEST_MAX_TOKENS: 1})) == []
    (one,) = found(cut(**{names.GEN_AI_REQUEST_MAX_TOKENS: 500}))
    assert "more than 500 tokens (max_tokens)" in one.advice


def test_other_finish_reasons_are_none() -> None:
    assert found(cut("stop")) == []
    assert found(cut("tool_calls")) == []


def test_reading_half_an_answer_may_end_the_run() -> None:
    parse = made.span("parse", 6, 7, "writer1", failed=True, **{names.ERROR_TYPE: "json.JSONDecodeError"})
    (one,) = found(cut(), parse, failed=True)

    assert (one.severity, one.spans) == (Severity.ERROR, ("chat1", "parse"))
    assert one.summary == "an answer of small to writer was cut off, and reading it failed (JSONDecodeError)"


def test_a_task_that_failed_of_something_else_did_not_use_it() -> None:
    other = made.span("fetch", 6, 7, "writer1", failed=True, **{names.ERROR_TYPE: "ConnectionError"})
    assert found(cut(), other, failed=True) == []


@pytest.mark.parametrize(("error", "rounds"), [("GraphRecursionError", 3), ("GraphRecursionError", 2), ("KeyError", 3)])
def test_answers_that_were_cut_until_the_recursion_limit_are_an_error(error: str, rounds: int) -> None:
    spans = [made.span("run", 0, 100, failed=True, **{names.ERROR_TYPE: f"langgraph.errors.{error}"})]
    for i in range(rounds):
        spans.append(made.agent(f"writer{i}", 10 * i, 10 * i + 9, "run"))
        spans.append(
            replace(cut(), span_id=f"chat{i}", parent_span_id=f"writer{i}", start_ns=10 * i, end_ns=10 * i + 5)
        )
    (one,) = truncated_output(facts(*spans))

    limited = error == "GraphRecursionError" and rounds == 3
    assert one.severity is (Severity.ERROR if limited else Severity.WARNING)
