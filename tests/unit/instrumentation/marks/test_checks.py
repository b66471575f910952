"""Guardrails, grades and routing decisions, marked by hand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

import otel_mas
from otel_mas.semconv import attributes as names


def test_a_guardrail_says_its_verdict_and_why(run: Any) -> None:
    with otel_mas.guardrail("pii", target="input") as check:
        check.verdict("block", "an address of a person", score=0.9)
    span = run.named("guardrail pii")
    assert span.attributes == {
        names.MAS_RECORD_KIND: "GUARDRAIL",
        names.MAS_GUARDRAIL_NAME: "pii",
        names.MAS_GUARDRAIL_TARGET: "input",
        names.MAS_GUARDRAIL_VERDICT: "block",
        names.GEN_AI_EVALUATION_SCORE_VALUE: 0.9,
    }
    assert run.contents(span) == {names.MAS_GUARDRAIL_REASON: "an address of a person"}


@pytest.mark.parametrize(
    ("result", "verdict"),
    [(True, "pass"), (None, "pass"), (False, "block"), ("block", "block"), ("hello", "pass"), ("h***o", "modified")],
)
def test_a_decorated_guardrails_result_is_its_verdict(run: Any, result: Any, verdict: str) -> None:
    @otel_mas.guardrail
    def check(text: str) -> Any:
        return result

    assert check("hello") == result
    assert run.named("guardrail check").attributes[names.MAS_GUARDRAIL_VERDICT] == verdict


def test_a_guardrail_that_raises_has_no_verdict(run: Any) -> None:
    with pytest.raises(ValueError, match="x"), otel_mas.guardrail("g"):
        raise ValueError("x")
    assert names.MAS_GUARDRAIL_VERDICT not in run.named("guardrail g").attributes


def test_a_grade_says_its_score_and_why(run: Any) -> None:
    with otel_mas.grade("relevance") as grade:
        grade.score(0.2, "It is about another town.")
    span = run.named("evaluate relevance")
    assert span.attributes == {
        names.MAS_RECORD_KIND: "EVALUATION",
        names.GEN_AI_EVALUATION_NAME: "relevance",
        names.GEN_AI_EVALUATION_SCORE_VALUE: 0.2,
    }
    assert run.contents(span) == {names.GEN_AI_EVALUATION_EXPLANATION: "It is about another town."}


@dataclass
class Graded:
    binary_score: str
    explanation: str


@pytest.mark.parametrize(
    ("result", "score", "label", "reason"),
    [
        (True, 1.0, "yes", None),
        (3, 3.0, None, None),
        ("irrelevant", None, "irrelevant", None),
        ({"score": 0.5, "reason": "half of it"}, 0.5, None, "half of it"),
        (Graded("no", "off topic"), None, "no", "off topic"),
        ({"score": 0.5, "player": "Ann"}, None, None, None),
    ],
)
def test_a_decorated_grades_result_is_its_score(run: Any, result: Any, score: Any, label: Any, reason: Any) -> None:
    @otel_mas.grade
    def relevance() -> Any:
        return result

    relevance()
    span = run.named("evaluate relevance")
    assert span.attributes.get(names.GEN_AI_EVALUATION_SCORE_VALUE) == score
    assert span.attributes.get(names.GEN_AI_EVALUATION_SCORE_LABEL) == label
    assert run.contents(span).get(names.GEN_AI_EVALUATION_EXPLANATION) == reason


def test_a_decision_says_its_choice_and_why(run: Any) -> None:
    with otel_mas.routing("dispatch", candidates=["a", "b"]) as decision:
        decision.choose("a", "b is busy")
    span = run.named("route dispatch")
    assert span.record_kind == "ROUTING_DECISION"
    assert list(span.attributes[names.MAS_ROUTING_CHOICE]) == ["a"]
    assert list(span.attributes[names.MAS_ROUTING_CANDIDATES]) == ["a", "b"]
    assert run.contents(span) == {names.MAS_ROUTING_REASON: "b is busy"}


def test_a_decorated_decisions_result_is_its_choice_and_the_reason_may_come_from_within(run: Any) -> None:
    @otel_mas.routing(candidates=("a", "b"))
    def dispatch(busy: str) -> str:
        otel_mas.routing_reason(f"{busy} is busy")
        return "a"

    assert dispatch("b") == "a"
    span = run.named("route dispatch")
    assert list(span.attributes[names.MAS_ROUTING_CHOICE]) == ["a"]
    assert run.contents(span) == {names.MAS_ROUTING_REASON: "b is busy"}


def test_a_reason_that_nothing_asked_for_is_a_decision_of_the_function_that_gave_it(run: Any) -> None:
    def pick() -> None:
        otel_mas.routing_reason("b is busy", choice="a", candidates=["a", "b"])

    pick()
    span = run.named("route pick")
    assert list(span.attributes[names.MAS_ROUTING_CHOICE]) == ["a"]
    assert run.contents(span) == {names.MAS_ROUTING_REASON: "b is busy"}
