"""Payloads are held by attributes, come back as they were, and are made to fit."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_mas.semconv import attributes as names
from otel_mas.trace_records.payload import CONTENT, attributes_of, cut_to, payload_of, plain_payload
from otel_mas.trace_records.record import EventType
from otel_mas.trace_records.values import plain, tagged
from tests.unit.trace_records.test_formats import same, values

parts = st.sampled_from(
    ["input", "output", "instructions", "tools", "arguments", "result", "query", "reason", "choice", "answers", "x"]
)


@given(st.sampled_from(EventType), st.one_of(values, st.dictionaries(parts, values, max_size=4)))
def test_attributes_give_back_any_payload(event_type: EventType, payload: Any) -> None:
    found = attributes_of(event_type, payload)

    assert same(payload_of(event_type, {}, found), payload if payload != {} or found else None)


@pytest.mark.parametrize(
    ("event_type", "payload", "name"),
    [
        ("TOOL_CALL", {"arguments": {"q": 1}, "result": "ok"}, names.GEN_AI_TOOL_CALL_RESULT),
        ("RETRIEVAL", {"query": "trams", "documents": []}, names.GEN_AI_RETRIEVAL_QUERY_TEXT),
        ("ROUTING_DECISION", {"choice": ["a"], "reason": "so"}, names.MAS_ROUTING_REASON),
        ("GUARDRAIL", {"verdict": "pass", "reason": "so"}, names.MAS_GUARDRAIL_REASON),
    ],
)
def test_what_is_known_is_held_by_attributes_of_the_conventions_alone(
    event_type: str, payload: dict[str, Any], name: str
) -> None:
    found = attributes_of(EventType(event_type), payload)

    assert name in found
    assert names.MAS_RECORD_PAYLOAD not in found


@given(st.one_of(values, st.dictionaries(parts, values, max_size=4)), st.integers(300, 2000))
def test_a_payload_is_made_to_fit(payload: Any, size: int) -> None:
    found, cut = cut_to(payload, size)

    assert cut or found is payload
    if cut:
        assert len(orjson.dumps(tagged(found))) <= size + 100


@given(
    st.sampled_from(EventType),
    st.dictionaries(st.sampled_from(list(CONTENT)), values, max_size=3),
    st.dictionaries(st.sampled_from([*CONTENT, names.MAS_ROUTING_CHOICE, names.MAS_MESSAGE_PEER]), values, max_size=3),
    st.integers(300, 2000),
)
def test_a_payload_is_the_same_whichever_way_it_is_copied(
    event_type: EventType, content: dict[str, Any], attributes: dict[str, Any], size: int
) -> None:
    found, cut = cut_to(payload_of(event_type, content, attributes), size)

    made, made_cut = plain_payload(event_type, content, attributes, size)

    assert made_cut == cut
    assert same(made, plain(found))


@pytest.mark.parametrize(("levels", "kept"), [(60, True), (70, False)])
def test_a_payload_of_many_brackets_is_kept_unless_it_is_nested_too_deeply(levels: int, kept: bool) -> None:
    deep: Any = "x"
    for _ in range(levels):
        deep = [deep]

    made, cut = plain_payload(EventType.TOOL_CALL, {names.GEN_AI_TOOL_CALL_RESULT: [deep, [[]] * 9]}, {}, 65_536)

    assert cut is not kept
    assert made == {"result": [deep, [[]] * 9]} if kept else "nested deeper" in str(made)


def test_of_a_long_payload_the_short_parts_stay_and_of_messages_the_first_and_the_latest() -> None:
    messages = [
        {"role": "user", "parts": [{"type": "text", "content": f"{number} {'x' * 200}"}]} for number in range(50)
    ]
    found, cut = cut_to({"input": messages, "output": [messages[7]]}, 3000)

    assert cut
    assert found["output"] == [messages[7]]
    assert found["input"][0] == messages[0]
    assert found["input"][-1] == messages[-1]
    assert len(found["input"]) < 20
