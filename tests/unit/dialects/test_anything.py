"""Spans may hold anything under the names of a dialect: what cannot be read is left, and the rest is read."""

from __future__ import annotations

from typing import Any

import pytest

from otel_mas.dialects import foreign_messages, translated
from tests.unit.dialects.reading import written


@pytest.mark.parametrize(
    "message",
    [
        {"type": ["human"], "content": "hello"},
        {"role": "user", "parts": [{"type": ["text"], "content": "hello"}]},
        {
            "role": "assistant",
            "content": [{"type": "tool_use", "id": ["a"], "name": "search"}],
            "tool_calls": [{"id": ["a"]}],
        },
        {"role": "assistant", "content": [{"type": "tool_use", "id": {"a": 1}}], "tool_calls": [{"id": {"a": 1}}]},
        {"role": "assistant", "content": [{"type": "tool_call"}], "tool_calls": [{"id": "a"}]},
    ],
    ids=["type of a message", "type of a part", "id of a call", "id that is a mapping", "call without an id"],
)
def test_a_message_whose_type_or_id_is_no_text_is_read(message: Any) -> None:
    span = written({"gen_ai.operation.name": "chat", "gen_ai.input.messages": [message]})
    nested = written({"openinference.span.kind": "LLM", "input.value": {"messages": [message]}})
    assert len(foreign_messages("input", span)) == 1
    assert len(foreign_messages("input", nested)) <= 1


@pytest.mark.parametrize(
    "attributes",
    [{"gen_ai.provider.name": ["langgraph"]}, {"gen_ai.operation.name": ["chat"], "traceloop.span.kind": "task"}],
    ids=["provider", "operation"],
)
def test_names_that_are_no_text_are_none_of_the_conventions(attributes: dict[str, Any]) -> None:
    assert translated(written(attributes)).get("mas.record.kind") is None


def test_a_call_that_a_message_has_twice_is_one() -> None:
    message = {
        "role": "assistant",
        "content": [{"type": "tool_use", "id": "a", "name": "search", "input": {}}],
        "tool_calls": [{"id": "a", "name": "search", "args": {}}, {"id": "b", "name": "search", "args": {}}],
    }
    span = written({"openinference.span.kind": "LLM", "input.value": {"messages": [message]}})
    (read,) = foreign_messages("input", span)
    assert [part["id"] for part in read["parts"]] == ["a", "b"]


def test_arguments_that_came_as_json_text_are_read_in_any_alphabet() -> None:
    part = {"type": "tool_call", "id": "a", "name": "search", "arguments": '{"city": "Z\\u00fcrich"}'}
    given = [{"role": "assistant", "parts": [part]}]
    (read,) = foreign_messages("output", written({"gen_ai.operation.name": "chat", "gen_ai.output.messages": given}))
    assert read["parts"][0]["arguments"] == {"city": "Zürich"}
    assert isinstance(part["arguments"], str), "the attributes stay as they came"
