"""Tasks that hand on a text of their own in the place of what was said in them."""

from __future__ import annotations

from otel_mas.analyse.root_cause import Complaint
from tests.unit.analyse.root_cause.test_root_cause import Run

STATE = "The depot in Basel holds 41 trams of three kinds."


def test_a_task_that_hands_on_what_nobody_said_comes_before_who_spoke_first() -> None:
    run = (
        Run()
        .says("planner", "Let us count the trams.")
        .reads("counter", "How many trams are there?", STATE, hands_on="Nothing can be reported about this today.")
        .says("writer", "Nothing was reported.")
    )

    found = run.causes(Complaint())[0]

    assert found.agent == "counter"
    assert found.reasons[0] == "hands on what nothing inside it said: 'Nothing can be reported about this today.'"


def test_a_task_that_hands_on_what_its_model_said_in_other_words_around_it_does_not() -> None:
    run = (
        Run()
        .says("planner", "Let us count the trams.")
        .reads("counter", "How many trams are there?", STATE, hands_on=f"Counter: {STATE}")
        .says("writer", "There are trams.")
    )

    assert not _handed_on(run)


def test_a_task_that_hands_on_what_somebody_else_had_said_does_not() -> None:
    plan = "First count the trams, then the buses of the town."
    run = Run().says("planner", plan).reads("counter", "How many?", STATE, hands_on=plan).says("writer", "Done.")

    assert not _handed_on(run)


def test_a_short_status_is_no_text() -> None:
    run = Run().says("planner", "Let us count.").reads("counter", "How many?", STATE, hands_on="done and checked")

    assert not _handed_on(run.says("writer", "Done."))


def _handed_on(run: Run) -> bool:
    return any("hands on" in reason for cause in run.causes(Complaint()) for reason in cause.reasons)
