"""The names of Google's Agent Development Kit."""

from __future__ import annotations

import json
from typing import Any

import pytest

from otel_mas.dialects import ForeignSpan
from tests.unit.dialects.reading import ours, said, written

OF = "gcp.vertex.agent."
REQUEST = {
    "config": {"system_instruction": "Be brief."},
    "contents": [
        {"role": "user", "parts": [{"text": "hi"}]},
        {"role": "model", "parts": [{"function_call": {"name": "add", "args": {"a": 1}}}]},
        {"role": "user", "parts": [{"function_response": {"name": "add", "response": {"b": 2}}}]},
    ],
}
RESPONSE = {
    "content": {"role": "model", "parts": [{"text": "hello"}]},
    "usage_metadata": {"prompt_token_count": 3, "candidates_token_count": 4, "thoughts_token_count": 5},
}
CALL = {
    "gen_ai.system": "gcp.vertex.agent",
    "gen_ai.request.model": "gemini",
    f"{OF}session_id": "s",
    f"{OF}llm_request": json.dumps(REQUEST),
    f"{OF}llm_response": json.dumps(RESPONSE),
}
TABLE: dict[str, tuple[ForeignSpan, dict[str, Any]]] = {
    "model, with thoughts beside the candidates": (
        written(CALL, "call_llm"),
        {
            "mas.record.kind": "LLM_CALL",
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": "gcp.gemini",
            "gen_ai.conversation.id": "s",
            "gen_ai.usage.input_tokens": 3,
            "gen_ai.usage.output_tokens": 9,
            "gen_ai.usage.reasoning.output_tokens": 5,
        },
    ),
    "tool": (
        written(
            {
                "gen_ai.operation.name": "execute_tool",
                "gen_ai.tool.name": "add",
                f"{OF}event_id": "e",
                f"{OF}tool_call_args": '{"a": 1}',
                f"{OF}tool_response": '{"b": 2}',
                f"{OF}llm_request": "{}",
            },
            "execute_tool add",
        ),
        {
            "mas.record.kind": "TOOL_CALL",
            "gen_ai.operation.name": "execute_tool",
            "gen_ai.tool.name": "add",
            "gen_ai.tool.call.arguments": {"a": 1},
            "gen_ai.tool.call.result": {"b": 2},
        },
    ),
    "the answers of several tools once more": (
        written({"gen_ai.tool.name": "(merged tools)", f"{OF}event_id": "e"}),
        {"mas.record.kind": None, "gen_ai.operation.name": None, "gen_ai.agent.name": None},
    ),
    "agent": (
        written({f"{OF}invocation_id": "i"}, "agent_run [hello]"),
        {"mas.record.kind": "AGENT_TASK", "gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "hello"},
    ),
}


@pytest.mark.parametrize("name", TABLE)
def test_a_span_in_our_names(name: str) -> None:
    span, expected = TABLE[name]

    assert ours(span) == expected


def test_messages() -> None:
    span = written(CALL, "call_llm")

    call = {"type": "tool_call", "id": None, "name": "add", "arguments": {"a": 1}}
    answer = {"type": "tool_call_response", "id": None, "response": {"b": 2}}
    assert said(span, "input") == [("system", "Be brief."), ("user", "hi"), ("assistant", [call]), ("tool", [answer])]
    assert said(span, "output") == [("assistant", "hello")]
