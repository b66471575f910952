"""What was read otherwise than it was written departs; what is complete, or of the same form, does not."""

from __future__ import annotations

import pytest

from otel_mas.analyse.findings.departures import departures, direct_causes, unread
from otel_mas.analyse.root_cause.arrivals import Departure
from otel_mas.model import Span
from tests.unit.analyse.findings.chain import chain

FOUND = "The survey found 4,812 riders and 57,300 passengers a year."


@pytest.mark.parametrize("prompt", ["", "  ", "- Riders: unknown\n- Day: n/a"])
def test_a_prompt_with_gaps_that_has_nothing_of_its_causes(prompt: str) -> None:
    facts = chain({"editor1": [("user", prompt)]}, says={"researcher1": FOUND})

    assert [one.task.span.span_id for one in unread(facts)] == ["editor1"]


@pytest.mark.parametrize(
    "prompt", ["Who complains about the noise?", FOUND, "Riders: 4,812", "- Day: unknown, riders: 4,812"]
)
def test_a_prompt_that_is_complete_or_has_some_of_it(prompt: str) -> None:
    assert unread(chain({"editor1": [("user", prompt)]}, says={"researcher1": FOUND})) == []


@pytest.mark.parametrize(
    ("read", "number"),
    [
        ("The snrvey of the harboor costs a great deal of money", 1),
        ("The report on the station takes a great deal of time", 0),
        ("The survey of the harbour costs a great deal of money", 0),
    ],
    ids=["other letters", "the same form", "the same"],
)
def test_a_text_with_other_letters_is_garbled(read: str, number: int) -> None:
    wrote = "The survey of the harbour costs a great deal of money: 57,300"
    facts = chain({"editor1": [("user", f"{read}: 57,300")]}, says={"researcher1": wrote})

    assert len(departures(facts, Departure.GARBLED)) == number


@pytest.mark.parametrize(("written", "number"), [(1, 1), (2, 0)])
def test_a_text_is_doubled_where_it_was_written_once(written: int, number: int) -> None:
    line = "Error: the register knows no Elmstead"
    facts = chain({"writer1": [("user", line), ("tool", line)]}, state={"editor1": {"notes": [line] * written}})

    assert len(departures(facts, Departure.DOUBLED)) == number


def test_direct_causes_are_the_tasks_before_and_not_around() -> None:
    facts = chain({})
    tasks: dict[str, Span] = {task.span_id: task for task in facts.tasks}

    assert [one.span_id for one in direct_causes(facts, tasks["writer1"])] == ["editor1"]
    assert list(direct_causes(facts, tasks["researcher1"])) == []
