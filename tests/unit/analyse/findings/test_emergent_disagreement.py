"""Branches that contradict each other are told; other subjects, and what one caused of the other, are none."""

from __future__ import annotations

from collections.abc import Sequence

import orjson
import pytest

from otel_mas.analyse.findings.emergent_disagreement import emergent_disagreement
from otel_mas.model import Finding, Severity, Span
from otel_mas.semconv import attributes as names
from tests.unit.analyse.findings.run import facts, made, workflow


def findings(
    one: str,
    other: str,
    judge: str = "Verdict: yes",
    *,
    names_of: Sequence[str] = ("hopeful1", "doubtful1"),
    prompts: Sequence[str] = ("?", "?"),
    answer: str = "Done.",
    branches: bool = True,
    arguments: Sequence[str] = (),
    judged: bool = True,
    **thresholds: float,
) -> list[Finding]:
    """Findings about two branches whose models wrote these texts, and a judge whose model read a prompt."""
    first, second = names_of
    spans: list[Span] = [
        workflow(0, 1000, channels=["LastValue|||answer"]),
        made.task(first, 1, 50, "run", task_step=1),
        made.call("call1", 2, 40, first),
        made.task(
            second, 60, 90, "run", task_step=1 if branches else 2, causes=() if branches else [("trigger", first)]
        ),
        made.call("call2", 61, 80, second),
        made.task("judge1", 100, 200, "run", task_step=3, causes=[("trigger", first), ("trigger", second)]),
    ]
    if judged:
        spans.append(made.call("call3", 101, 190, "judge1"))
    spans += [made.tool(f"search{i}", 3 + 60 * i, 4 + 60 * i, names_of[i]) for i in range(len(arguments))]
    messages = {"a": ("assistant", one), "b": ("assistant", other), "p": ("user", judge)}
    messages |= {f"q{i}": ("user", prompt) for i, prompt in enumerate(prompts)}
    found = emergent_disagreement(
        facts(
            *spans,
            messages=messages,
            read={"call1": ["q0"], "call2": ["q0" if prompts[0] == prompts[1] else "q1"], "call3": ["p"]},
            wrote={"call1": ["a"], "call2": ["b"]},
            contents={f"search{i}": {names.GEN_AI_TOOL_CALL_ARGUMENTS: text} for i, text in enumerate(arguments)},
            state={"judge1": {"answer": answer}},
            **thresholds,
        )
    )
    return list(found)


def test_nobody_read_both_and_the_answer_has_one() -> None:
    (found,) = findings("Verdict: yes.", "Verdict: no.", answer="Verdict: yes.")

    assert found.summary == (
        "hopeful and doubtful disagree on verdict, yes against no; no agent is seen to have read both, "
        "and that of hopeful prevailed"
    )
    assert (found.severity, found.subject) == (Severity.ERROR, "doubtful and hopeful: verdict")
    assert found.spans == ("judge1", "hopeful1", "doubtful1")
    assert found.messages == ("a", "b")


def test_it_is_a_warning_where_the_answer_has_neither() -> None:
    assert [one.severity for one in findings("Verdict: yes.", "Verdict: no.")] == [Severity.WARNING]


def test_it_is_settled_where_somebody_read_both() -> None:
    (found,) = findings("Verdict: yes.", "Verdict: no.", "Verdict: yes. Verdict: no.", answer="Verdict: yes.")

    assert found.severity is Severity.INFO
    assert "; judge read both, and that of hopeful prevailed" in found.summary


def test_it_is_no_warning_where_nobody_is_seen_to_read_anything() -> None:
    assert [one.severity for one in findings("Verdict: yes.", "Verdict: no.", judged=False)] == [Severity.INFO]


def test_numbers_days_and_choices() -> None:
    assert len(findings("Cost: 500", "Cost: 700", "?")) == 1
    assert len(findings('{"opening": "2041-05-03"}', '{"opening": "2041-05-04"}', "?")) == 1
    assert len(findings("Recommendation: buy.", "Recommendation: sell.", "?")) == 1


def test_numbers_within_the_tolerance_agree() -> None:
    assert findings("Cost: 500", "Cost: 510", "?") == []
    assert len(findings("Cost: 500", "Cost: 510", "?", disagreement_tolerance=0.01)) == 1


def test_equal_values_and_unknown_ones_agree() -> None:
    assert findings("Verdict: yes.", "Verdict: yes.") == []
    assert findings("Verdict: yes.", "Verdict: unknown.") == []


def test_a_task_that_follows_from_the_other_corrects_it() -> None:
    assert findings("Verdict: yes.", "Verdict: no.", branches=False) == []


def test_other_subjects_are_no_disagreement() -> None:
    assert findings("District: North. Cost: 500", "District: South. Cost: 700") == []
    assert findings("Round: 1. Cost: 500", "Round: 2. Cost: 700") == []
    assert findings("Cost: 500", "Cost: 700", arguments=['{"of": "north"}', '{"of": "south"}']) == []
    assert findings("Cost: 500", "Cost: 700", names_of=("count1", "count2"), prompts=("North?", "South?")) == []


def test_the_same_node_with_the_same_prompt_is_about_the_same() -> None:
    assert len(findings("Cost: 500", "Cost: 700", "?", names_of=("count1", "count2"))) == 1


def test_what_everybody_says_of_themselves_is_no_disagreement() -> None:
    assert findings("Confidence: 0.9", "Confidence: 0.4", "?") == []


def test_numbers_that_a_reader_of_both_states_both_are_of_two_things() -> None:
    """A price of a flight and one of a hotel."""
    told = ("Price: 320", "Price: 540", "Price: 320 and Price: 540")
    assert findings(*told, answer="860 in all: the flight 320, the hotel 540.") == []
    assert len(findings(*told, answer="It costs 320.")) == 1


@pytest.mark.parametrize(
    ("one", "number"),
    [
        ({"expense": "travel", "approved": True}, 0),
        ({"expenses": [{"expense": "travel", "approved": True}]}, 0),
        ({"reason": "too dear", "approved": True}, 1),
        ({"reviewer": "hopeful", "approved": True}, 1),
        ({"approved": True}, 1),
    ],
    ids=str,
)
def test_a_structure_that_names_its_subject_is_not_held_against_one_without(one: object, number: int) -> None:
    found = findings(orjson.dumps(one).decode(), '{"approved": false}', "Approved: yes")

    assert len(found) == number


def test_both_may_name_the_subject() -> None:
    texts = ('{"expense": "travel", "approved": true}', '{"approved": false, "expense": "travel"}')

    assert len(findings(*texts, "Approved: yes")) == 1


RAIL, ROOM = '{"cost": 240, "transport": "train"}', '{"cost": 310, "hotel": "Astoria"}'


def test_fields_that_their_reader_left_out_on_purpose_did_not_meet() -> None:
    assert findings(RAIL, ROOM, "By train, to the Astoria.") == []
    weather, alerts = '{"rain": true, "travel": false}', '{"alerts": 0, "travel": true}'
    assert findings(weather, alerts, "Rain: true. Alerts: 0. What to pack?") == []
    (half,) = findings(RAIL, ROOM, "By train, cost: 240, to the Astoria.", answer="Cost: 240")
    assert half.severity is Severity.INFO
    (nothing_of_one,) = findings(RAIL, ROOM, "By train, cost: 240.")
    assert nothing_of_one.severity is Severity.WARNING
