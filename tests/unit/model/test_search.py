"""A text is found in any case wherever it stands, and a stored form that holds it is never passed over."""

from __future__ import annotations

import json
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_mas.model import Message
from otel_mas.model.search import TextSearch

texts = st.text(st.one_of(st.characters(codec="utf-8"), st.sampled_from('aAß"\\\n\t ıſK{}:')), min_size=1, max_size=20)


def said(*parts: dict[str, Any]) -> Message:
    return Message("", "user", {"role": "user", "parts": list(parts)})


@given(texts, texts, texts)
def test_what_holds_the_text_is_found_and_its_stored_form_is_never_passed_over(one: str, text: str, other: str) -> None:
    message = said({"type": "text", "content": one + text + other})
    wanted = TextSearch(text)

    assert wanted.in_message(message) is not None
    assert wanted.may_be_in(orjson.dumps(message.body))
    assert wanted.may_be_in(json.dumps(message.body).encode())  # as others write it, all in ASCII
    assert wanted.in_content(one + text + other) is not None


@given(texts, texts)
def test_nothing_is_found_that_is_not_there(text: str, other: str) -> None:
    found = TextSearch(text).in_message(said({"type": "text", "content": other}))

    assert (found is not None) is (text.casefold() in other.casefold())


@pytest.mark.parametrize(
    ("text", "there"),
    [
        ("calls weather", True),
        ("weather({", True),
        ('"city":"Rome"', True),
        ("ROME", True),
        ("Paris", False),
        ("tool_call", False),
    ],
)
def test_a_tool_call_is_searched_as_people_read_it(text: str, there: bool) -> None:
    message = said({"type": "tool_call", "id": "1", "name": "weather", "arguments": {"city": "Rome"}})

    assert (TextSearch(text).in_message(message) is not None) is there
    assert not there or TextSearch(text).may_be_in(orjson.dumps(message.body))


@pytest.mark.parametrize(("text", "there"), [('"a":1', True), ("a: 1", True), ("a = 1", False)])
def test_other_content_is_searched_as_json_and_as_lines(text: str, there: bool) -> None:
    assert (TextSearch(text).in_content({"a": 1}) is not None) is there


def test_a_value_of_a_state_is_searched_and_what_was_not_kept_is_not() -> None:
    assert TextSearch("deep").in_message(Message("", "state", {"value": {"a": ["deep"]}})) == '{"a":["deep"]}'
    assert TextSearch("deep").in_message(Message("", "user", None)) is None


def test_a_snippet_is_what_stands_around_on_one_line() -> None:
    text = f"{'before ' * 20}the\n  Tide{' after' * 20}"

    snippet = TextSearch("the\n  tide").in_content(text)

    assert snippet is not None
    assert snippet.startswith("…")
    assert snippet.endswith("…")
    assert "before the Tide after" in snippet
    assert TextSearch("x").in_content("x") == "x"


def test_a_search_for_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="give a text"):
        TextSearch("")
