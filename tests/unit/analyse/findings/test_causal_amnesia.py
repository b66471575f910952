"""What the causes of a task knew and it did without is told; what was replaced, rounded or counted is not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from otel_mas.analyse.content import RunContent
from otel_mas.analyse.findings import RunFacts
from otel_mas.analyse.findings.causal_amnesia import causal_amnesia
from otel_mas.model import Finding, MessageRef, Severity, Span, Undecided
from tests.unit.analyse.findings.run import facts, made, workflow


def team(caused: bool = True) -> list[Span]:
    """A researcher, an analyst and a writer with a model call each, each caused by the one before."""
    spans = [workflow(0, 1000, channels=["LastValue|||opening", "LastValue|||cost", "LastValue|||answer"])]
    before: tuple[tuple[str, str], ...] = ()
    for step, name in enumerate(("researcher1", "analyst1", "writer1")):
        start = 100 * step + 1
        spans.append(made.task(name, start, start + 50, "run", task_step=step, causes=before))
        spans.append(made.call(f"{name}_call", start + 1, start + 40, name))
        before = (("trigger", name),) if caused else ()
    return spans


def findings(
    prompt: str,
    *,
    state: Mapping[str, Mapping[str, Any]] | None = None,
    analyst: str = "Think.",
    wrote: str = "Here it is.",
    answer: str = "Here it is.",
    caused: bool = True,
) -> list[Finding]:
    """Findings of a writer who read a prompt, after a researcher wrote the state."""
    known = state or {"researcher1": {"opening": "2041-05-03"}}
    found = causal_amnesia(
        facts(
            *team(caused),
            messages={"p": ("user", prompt), "a": ("user", analyst), "w": ("assistant", wrote)},
            read={"writer1_call": ["p"], "analyst1_call": ["a"]},
            wrote={"writer1_call": ["w"]},
            state={**known, "writer1": {"answer": answer}},
        )
    )
    return [one for one in found if isinstance(one, Finding)]


def test_a_field_without_the_value_that_a_cause_wrote() -> None:
    (found,) = findings("- Opening: unknown")

    assert found.summary == (
        "writer decided without opening 2041-05-03, which researcher had written: it read 'opening: unknown'"
    )
    assert (found.severity, found.subject) == (Severity.WARNING, "researcher -> writer: opening")
    assert found.spans == ("writer1", "researcher1")
    assert "p" in found.messages
    assert "inferred" in found.rests_on


def test_it_is_an_error_where_the_answer_lacks_the_value() -> None:
    (found,) = findings("- Opening: unknown", answer="Report. Opening: unknown.")
    assert found.severity is Severity.ERROR


def test_it_says_who_knew_it_last() -> None:
    (found,) = findings("- Opening: unknown", analyst="- Opening: 2041-05-03")

    assert found.subject == "analyst -> writer: opening"
    assert "which researcher had written and analyst had read" in found.summary


def test_a_model_that_says_it_does_not_know() -> None:
    (found,) = findings("Write the report.", wrote="Opening: not known.")
    assert found.summary.endswith("it wrote 'opening: not known'")


def test_a_value_that_was_changed_on_the_way() -> None:
    (found,) = findings("- Cost: 284,000", state={"researcher1": {"cost": 56_800}})

    assert found.summary.endswith("without cost 56800, which researcher had written: it read 'cost: 284,000'")
    assert found.confidence < 0.9


@pytest.mark.parametrize(
    "prompt",
    [
        "- Opening: 2041-05-03",
        "- First day: 2041-05-03\n- Opening: unknown",  # under another name
        "Nothing is asked about that.",
        "- Closing: unknown",
    ],
)
def test_what_was_read_or_was_not_asked_for_is_not_forgotten(prompt: str) -> None:
    assert findings(prompt) == []


@pytest.mark.parametrize("prompt", ["- Cost: 56.8", "- Cost: 57 thousand", "- Cost: 56,801", "- Cost: yes"])
def test_rounded_counted_and_other_kinds_of_values_are_not_changed(prompt: str) -> None:
    assert findings(prompt, state={"researcher1": {"cost": 56_800}}) == []


def test_a_small_counter_is_not_changed() -> None:
    assert findings("- Cost: 9", state={"researcher1": {"cost": 3}}) == []


def test_a_value_that_a_later_cause_replaced_or_cleared() -> None:
    assert findings("- Cost: 900", state={"researcher1": {"cost": 500}, "analyst1": {"cost": 900}}) == []
    assert findings("- Cost: unknown", state={"researcher1": {"cost": 500}, "analyst1": {"cost": None}}) == []


def test_what_somebody_wrote_under_any_name_has_a_source() -> None:
    assert findings("- Cost: 700", state={"researcher1": {"cost": 500}, "analyst1": {"opening": "Budget: 700"}}) == []


def test_a_task_that_is_no_cause_need_not_be_known() -> None:
    assert findings("- Opening: unknown", caused=False) == []


def test_of_several_subjects_by_one_name_nothing_is_said() -> None:
    state = {"researcher1": {"opening": "North. Riders: 200"}, "analyst1": {"opening": "South. Riders: 300"}}
    assert findings("- Riders: unknown", state=state) == []


def test_without_content_it_cannot_be_told() -> None:

    graph = made.graph(*team())
    refs = [MessageRef("t1", "writer1_call", "input", 0, "p")]
    (undecided,) = causal_amnesia(RunFacts(graph, RunContent(refs)))

    assert isinstance(undecided, Undecided)
    assert "record content" in undecided.reason
    assert list(causal_amnesia(RunFacts(graph))) == []


# -- constraints -------------------------------------------------------------------------------------------------------

LIMIT = "Plan a trip; the hotel must not exceed 500 EUR."


def violations(wrote: str, *, analyst: str = LIMIT, prompt: str = "Book something.", answer: str = "Ok.") -> list[str]:
    """Summaries of what is found about a writer whose model wrote a text, after an analyst read a constraint."""
    found = findings(prompt, analyst=analyst, wrote=wrote, answer=answer)
    assert all(one.severity is (Severity.WARNING if answer == "Ok." else Severity.ERROR) for one in found)
    return [one.summary for one in found]


def test_a_number_that_a_cause_was_told_not_to_exceed() -> None:
    assert violations("The hotel costs 800 EUR.") == [
        "writer wrote '800 EUR' and had not read 'the hotel must not exceed 500 EUR.', which analyst knew"
    ]
    assert len(violations("The hotel costs 800 EUR.", answer="Booked: a hotel for 800 EUR.")) == 1


def test_a_name_that_a_cause_was_told_not_to_use() -> None:
    assert len(violations("Falcon starts in May.", analyst="Never mention Falcon to anybody.")) == 1


@pytest.mark.parametrize(
    "wrote",
    ["The hotel costs 450 EUR.", "The flight costs 800 EUR.", "The hotel has 800 rooms.", "The hotel is fine."],
)
def test_what_violates_no_constraint(wrote: str) -> None:
    assert violations(wrote) == []


def test_who_read_the_constraint_has_not_forgotten_it() -> None:
    assert violations("The hotel costs 800 EUR.", prompt=f"Book. {LIMIT}") == []
    assert violations("The hotel costs 800 EUR.", prompt="Book for 500 EUR.") == []


def test_a_description_is_no_constraint() -> None:
    assert violations("The hotel costs 800 EUR.", analyst="A hotel costs up to 500 EUR.") == []


def test_instructions_for_another_agent_are_not_meant() -> None:
    found = causal_amnesia(
        facts(
            *team(),
            messages={"s": ("system", LIMIT), "p": ("user", "Book."), "w": ("assistant", "The hotel costs 800 EUR.")},
            read={"analyst1_call": ["s"], "writer1_call": ["p"]},
            wrote={"writer1_call": ["w"]},
        )
    )
    assert list(found) == []
