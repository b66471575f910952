"""Content on spans is read the same, whatever place it comes from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from otel_mas.model import Message, Query
from otel_mas.semconv import attributes as names
from otel_mas.sources import Source
from tests.conformance.lunch import ASKING, FOREIGN, RESUMED
from tests.conformance.messages import span_id, trace_id
from tests.conformance.places import Place

INSTRUCTIONS, ORDER, ANSWER = "0a" * 16, "0b" * 16, "0c" * 16


def said(messages: Mapping[str, Message]) -> dict[str, tuple[str, Any]]:
    return {digest: (one.role, one.body and one.body["parts"][0]["content"]) for digest, one in messages.items()}


def contents(source: Source, trace: int, span: int) -> dict[str, Any]:
    return {one.name: one.value for one in source.contents(trace_id(trace), span_id(span))}


def test_messages_are_known_by_the_digests_beside_them(source: Source) -> None:
    refs = source.message_refs(trace_id(ASKING))

    assert {(one.span_id, one.direction, one.position, one.digest) for one in refs} == {
        (span_id(span), *of)
        for span in (3, 6)
        for of in (("input", 0, INSTRUCTIONS), ("input", 1, ORDER), ("output", 0, ANSWER))
    }
    assert said(source.messages([INSTRUCTIONS, ORDER, ANSWER, "0d" * 16], trace_id(ASKING))) == {
        INSTRUCTIONS: ("system", "Plan a lunch."),
        ORDER: ("user", "For seven, läte."),
        ANSWER: ("assistant", "Soup."),
    }


def test_messages_of_other_instrumentation_have_digests_of_their_content(source: Source, place: Place) -> None:
    if place.losing == "trace records":
        pytest.skip("a record of a span that is no model call has one payload, not two sides")
    refs = source.message_refs(trace_id(FOREIGN))
    found = source.messages([one.digest for one in refs], trace_id(FOREIGN))

    assert [(one.span_id, one.direction, *said(found)[one.digest]) for one in refs] == [
        (span_id(23), "input", "user", "The menu?"),
        (span_id(23), "output", "assistant", "Soup."),
    ]
    assert {len(one.digest) for one in refs} == {40}


def test_arguments_results_and_exceptions_are_contents(source: Source) -> None:
    assert contents(source, RESUMED, 15) == {
        names.GEN_AI_TOOL_CALL_ARGUMENTS: {"plates": 7},
        names.GEN_AI_TOOL_CALL_RESULT: "all broken",
        names.EXCEPTION_MESSAGE: "it was slippery",
    }
    assert contents(source, FOREIGN, 23) == {"input.value": "a menu"}
    assert contents(source, FOREIGN, 21) == {}
    assert {one.span_id for one in source.contents(trace_id(RESUMED))} == {span_id(15)}


def test_a_text_is_found_in_messages_and_other_content(source: Source) -> None:
    matches = source.search("SOUP", Query(), 100)

    assert {(one.trace_id, one.span_id, one.where) for one in matches} == {
        (trace_id(ASKING), span_id(3), "output"),
        (trace_id(FOREIGN), span_id(23), "output"),
    }
    assert matches[0].trace_id == trace_id(FOREIGN)
    assert matches.incomplete is None
    assert [one.name for one in source.search("slippery", Query(), 100)] == [names.EXCEPTION_MESSAGE]
    assert source.search("slippery", Query(conversation_id="no such thread"), 100) == []
