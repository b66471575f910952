"""The complaint that recorded judgements of a run make."""

from __future__ import annotations

from typing import Any

import pytest

from otel_mas.analyse.complaints import Complaint, ComplaintLabel, recorded_complaint
from otel_mas.analyse.content import RunContent
from otel_mas.errors import UnsupportedQuery
from otel_mas.model import Span
from otel_mas.semconv import attributes as names
from tests.unit.analyse.profile.conftest import Made

made = Made()
RUN = made.span("run", 0, 100, record_kind="WORKFLOW")
CALL = made.call("call", 10, 80, "run")


def judged(
    parent: str,
    at: int = 100,
    label: str | None = None,
    score: float | None = None,
    source: str | None = "feedback",
    name: str = "quality",
    **more: Any,
) -> Span:
    attributes = {
        names.MAS_RECORD_KIND: "EVALUATION",
        names.GEN_AI_EVALUATION_NAME: name,
        names.GEN_AI_EVALUATION_SCORE_LABEL: label,
        names.GEN_AI_EVALUATION_SCORE_VALUE: score,
        names.MAS_EVALUATION_SOURCE: source,
        **more,
    }
    kept = {name: value for name, value in attributes.items() if value is not None}
    return made.span(f"{parent}-{at}", at, at, parent, **kept)


def complaint(*judgements: Span) -> Complaint | None:
    return recorded_complaint(made.graph(RUN, CALL, *judgements), RunContent())


def test_a_run_that_nobody_judged_has_none() -> None:
    assert complaint() is None


@pytest.mark.parametrize("label", ["wrong", "missing", "late"])
def test_feedback_about_the_run_is_one(label: str) -> None:
    assert complaint(judged("run", label=label)) == Complaint(ComplaintLabel(label))


def test_feedback_about_a_span_names_it_and_who_gave_it_and_why() -> None:
    given = {names.MAS_EVALUATION_AUTHOR: "ann", names.GEN_AI_EVALUATION_EXPLANATION: "7 km is too long"}

    assert complaint(judged("call", label="wrong", **given)) == Complaint(
        ComplaintLabel.WRONG, "7 km is too long", "call", "ann"
    )


def test_what_is_right_takes_back_what_was_said_before_and_not_what_is_said_later() -> None:
    assert complaint(judged("run", 100, "wrong"), judged("run", 101, "right")) is None
    assert complaint(judged("run", 100, "right"), judged("run", 101, "late")) == Complaint(ComplaintLabel.LATE)


def test_the_time_of_the_judgement_decides_and_not_the_place_of_its_span() -> None:
    first = judged("run", 100, "wrong", **{names.MAS_EVALUATION_TIME_UNIX_NANO: 5000})
    assert complaint(first, judged("run", 101, "right", **{names.MAS_EVALUATION_TIME_UNIX_NANO: 4000})) is not None


@pytest.mark.parametrize(("label", "score"), [("fail", None), (None, 0.0), ("no", 1.0), ("Incorrect", None)])
def test_an_evaluation_of_the_answer_that_failed_is_one(label: str | None, score: float | None) -> None:
    assert complaint(judged("run", 100, label, score, None)) == Complaint(ComplaintLabel.WRONG, author="quality")
    assert complaint(judged("call", 90, label, score, None)) is not None


def test_a_grade_along_the_way_is_none() -> None:
    task = made.task("task", 5, 60, "run")
    assert complaint(task, judged("task", 20, "no", source=None)) is None  # within a task
    assert complaint(judged("run", 9, "no", source=None)) is None  # work came after it


def test_an_evaluation_that_passed_or_that_gives_a_low_score_is_none() -> None:
    assert complaint(judged("run", label="pass", source=None)) is None
    assert complaint(judged("run", score=0.2, source=None)) is None
    assert complaint(judged("run", score=0.2)) is None


def test_an_evaluation_that_was_made_again_and_passed_is_none() -> None:
    assert complaint(judged("run", 100, "fail", source=None), judged("run", 101, "pass", source=None)) is None


def test_a_recorded_finding_is_none() -> None:
    assert complaint(judged("run", label="error", score=0.0, source="finding")) is None


def test_a_complaint_is_a_word_or_says_more() -> None:
    more = Complaint(reason="41, not 14")

    assert Complaint.of("late") == Complaint(ComplaintLabel.LATE)
    assert Complaint.of(more) is more
    with pytest.raises(UnsupportedQuery, match="give one of wrong, missing, late"):
        Complaint.of("rude")
    with pytest.raises(TypeError):
        Complaint.of(3)  # type: ignore[arg-type]
