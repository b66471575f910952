"""Corrected statements that are still used are told; readers of the correction, and other matters, are not."""

from __future__ import annotations

import pytest

from otel_mas.analyse.findings.retracted_statement_used import retracted_statement_used
from otel_mas.model import Finding, Severity, Span
from tests.unit.analyse.findings.run import facts, made, workflow

CORRECTION = "Correction: the cost is 40 million, not 30 million."


def findings(
    wrote: str = "The cost is 30 million.",
    *,
    correction: str = CORRECTION,
    prompt: str = "Write about the cost of 30 million.",
    answer: str = "Done.",
    caused: bool = True,
    earlier: bool = False,
) -> list[Finding]:
    """Findings about a writer, after a reviewer wrote a correction."""
    reviewed, written = (200, 1) if earlier else (1, 200)
    spans: list[Span] = [
        workflow(0, 1000, channels=["LastValue|||answer"]),
        made.task("review1", reviewed, reviewed + 50, "run", task_step=1),
        made.call("call1", reviewed + 1, reviewed + 40, "review1"),
        made.task(
            "write1", written, written + 50, "run", task_step=2, causes=[("trigger", "review1")] if caused else ()
        ),
        made.call("call2", written + 1, written + 40, "write1"),
    ]
    return list(
        retracted_statement_used(
            facts(
                *spans,
                messages={"c": ("assistant", correction), "p": ("user", prompt), "w": ("assistant", wrote)},
                read={"call2": ["p"]},
                wrote={"call1": ["c"], "call2": ["w"]},
                state={"write1": {"answer": answer}},
            )
        )
    )


def test_the_old_value_is_still_used() -> None:
    (found,) = findings()

    assert found.summary == (
        "write still used 30 (cost), which had been corrected to 40: review knew it, and write did not read the "
        "correction"
    )
    assert (found.severity, found.subject) == (Severity.WARNING, "review -> write: cost")
    assert (found.spans, found.messages) == (("write1", "review1"), ("w", "c"))


def test_it_is_an_error_where_the_answer_has_it() -> None:
    assert [one.severity for one in findings(answer="It has a cost of 30 million.")] == [Severity.ERROR]


@pytest.mark.parametrize(
    ("correction", "wrote"),
    [
        ("We corrected the opening from 2041-05-03 to 2042-01-01.", "The opening is on 2041-05-03."),
        ("The venue was wrong: it is Paris, not Berlin.", "The venue is Berlin."),
        ("I was mistaken, not 300 but 400 passengers.", "It has 300 passengers."),
        ("The revised price is $4,000 rather than $3,000.", "A price of 3000 dollars."),
    ],
)
def test_forms_of_corrections(correction: str, wrote: str) -> None:
    assert len(findings(wrote, correction=correction)) == 1


def test_who_read_the_correction_or_the_new_value_knew() -> None:
    assert findings(prompt=f"Write. {CORRECTION}") == []
    assert findings(prompt="Write about the cost, 30 or 40 million.") == []


def test_another_matter_with_the_same_number() -> None:
    assert findings("There are 30 stops.") == []
    assert findings("It has 30 million passengers.") == []


def test_a_sentence_with_both_values_is_no_use_of_the_old_one() -> None:
    assert findings("The cost is 40 million, after 30 million in the first plan.") == []


def test_a_contrast_is_no_correction() -> None:
    assert findings(correction="The cost is 40 million, not 30 million.") == []


def test_what_was_written_before_the_correction() -> None:
    assert findings(earlier=True) == []


def test_who_does_not_follow_from_it_could_not_know() -> None:
    assert findings(caused=False) == []
