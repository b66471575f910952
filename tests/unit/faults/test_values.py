"""Changed values: others than before where something can be changed, the same object where not, originals untouched."""

from __future__ import annotations

import copy
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage
from pydantic import BaseModel

from otel_mas.faults import values

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


class Report(BaseModel):
    verdict: str
    cost: int


@given(JSON, st.integers(0, 1000))
def test_the_original_stays_and_a_seed_gives_the_same_again(value: Any, seed: int) -> None:
    before = copy.deepcopy(value)

    for change in (values.corrupted, values.contradicted):
        assert change(value, Random(seed)) == change(value, Random(seed))
    assert value == before


@given(st.text("abcdefXYZ0123456789 .,", min_size=1).filter(lambda text: any(char.isalnum() for char in text)))
def test_corrupted_text_is_as_long_and_another(text: str) -> None:
    found = values.corrupted(text, Random(3))

    assert found != text
    assert len(found) == len(text)
    assert [char.isdigit() for char in found] == [char.isdigit() for char in text]


@pytest.mark.parametrize(
    ("value", "opposite"),
    [
        (True, False),
        ("yes", "no"),
        ("No", "Yes"),
        ("Verdict: APPROVED", "Verdict: REJECTED"),
        ("The plan should not go on.", "The plan should go on."),
        ("It is safe.", "It is unsafe."),
        ({"approved": True, "note": "fine"}, {"approved": False, "note": "fine"}),
        (["yes", "maybe"], ["no", "maybe"]),
    ],
)
def test_the_opposite_of_a_verdict(value: Any, opposite: Any) -> None:
    assert values.contradicted(value, Random(0)) == opposite


def test_the_opposite_of_a_number_and_a_date_is_another_one() -> None:
    up, down = (values.contradicted("12,500 people since 2031-04-01, 40 %", Random(seed)) for seed in (1, 0))

    assert {up, down} == {
        "125,000 people since 2041-04-01, 400 %",
        "1,250 people since 2021-04-01, 4 %",
    }
    assert values.contradicted(40, Random(0)) in (4, 400)
    assert values.contradicted(0, Random(0)) == 1


@pytest.mark.parametrize("value", ["nothing to say", None, ["a"], {}, HumanMessage("hello"), object()])
def test_nothing_to_contradict_leaves_the_object_itself(value: Any) -> None:
    assert values.contradicted(value, Random(0)) is value


def test_only_the_content_of_messages_changes() -> None:
    message = AIMessage("It is safe.", id="m1", name="critic")
    parts = AIMessage([{"type": "text", "text": "yes"}, {"type": "image_url", "image_url": "http://x/1.png"}])
    plain = {"role": "user", "content": "yes"}

    assert values.contradicted(message, Random(0)) == AIMessage("It is unsafe.", id="m1", name="critic")
    assert values.contradicted(parts, Random(0)).content[0] == {"type": "text", "text": "no"}
    assert values.corrupted(plain, Random(0))["role"] == "user"
    assert values.contradicted(Report(verdict="reject", cost=20), Random(1)) == Report(verdict="approve", cost=200)


def test_an_answer_of_who_gives_up() -> None:
    messages = [HumanMessage("q"), AIMessage("42", id="a", tool_calls=[{"name": "t", "args": {}, "id": "1"}])]

    found = values.answer_of_giving_up(messages, "I could not.")

    assert found == [HumanMessage("q"), AIMessage("I could not.", id="a", tool_calls=[])]
    handed_back = [AIMessage("42", id="a"), ToolMessage("back", tool_call_id="1")]
    assert [one.content for one in values.answer_of_giving_up(handed_back, "I could not.")] == ["I could not.", "back"]
    assert values.answer_of_giving_up({"text": "fine", "cost": 3}, "I could not.") == {
        "text": "I could not.",
        "cost": None,
    }
    assert values.emptied("x") == ""
    assert values.emptied([1]) == []
    assert values.emptied(3) is None
