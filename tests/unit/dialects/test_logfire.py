"""Logfire's and Pydantic AI's names."""

from __future__ import annotations

import json
from typing import Any

import pytest

from otel_mas.dialects import ForeignSpan
from tests.unit.dialects.reading import ours, said, written

CHAT = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "m", "logfire.msg": "chat m"}
TABLE: dict[str, tuple[ForeignSpan, dict[str, Any]]] = {
    "model": (
        written({**CHAT, "gen_ai.system": "openai", "operation.cost": 0.25}),
        {
            "mas.record.kind": "LLM_CALL",
            "gen_ai.provider.name": "openai",
            "mas.cost.usd": 0.25,
            "mas.cost.source": "Logfire",
        },
    ),
    "model, by Logfire's own instrumentation": (
        written(
            {
                "logfire.msg": "Chat Completion",
                "gen_ai.system": "openai",
                "gen_ai.request.model": "m",
                "request_data": "{}",
                "response_data": '{"usage": {"prompt_tokens": 3, "completion_tokens": 4}}',
            }
        ),
        {
            "mas.record.kind": "LLM_CALL",
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": "openai",
            "gen_ai.usage.input_tokens": 3,
            "gen_ai.usage.output_tokens": 4,
        },
    ),
    "agent, with the tokens of its calls": (
        written(
            {
                "agent_name": "joker",
                "model_name": "m",
                "final_result": "ha",
                "gen_ai.usage.input_tokens": 3,
                "logfire.msg": "joker run",
            }
        ),
        {"mas.record.kind": "AGENT_TASK", "gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "joker"},
    ),
    "tool": (
        written(
            {
                "gen_ai.tool.name": "pun",
                "tool_arguments": '{"topic": "x"}',
                "tool_response": "ha",
                "logfire.msg": "running tool: pun",
            }
        ),
        {
            "mas.record.kind": "TOOL_CALL",
            "gen_ai.operation.name": "execute_tool",
            "gen_ai.tool.call.arguments": {"topic": "x"},
            "gen_ai.tool.call.result": "ha",
        },
    ),
    "several tools": (written({"tools": ["pun"], "logfire.msg": "running 1 tool"}), {}),
    "a call that is under way": (
        written({"logfire.span_type": "pending_span", **CHAT}),
        {"mas.record.kind": None, "gen_ai.operation.name": None, "gen_ai.agent.name": None},
    ),
}


@pytest.mark.parametrize("name", TABLE)
def test_a_span_in_our_names(name: str) -> None:
    span, expected = TABLE[name]

    assert ours(span) == expected


EVENTS = [
    {"event.name": "gen_ai.user.message", "role": "user", "content": "hi"},
    {"event.name": "gen_ai.choice", "index": 0, "message": {"role": "assistant", "content": "hello"}},
]
PARTS = [
    {"role": "user", "parts": [{"type": "text", "content": "hi"}]},
    {"role": "assistant", "parts": [{"type": "text", "content": "hello"}]},
]
FORMS = {
    "events of a call": {**CHAT, "events": json.dumps(EVENTS)},
    "events of a run": {"all_messages_events": json.dumps([EVENTS[0], EVENTS[1]["message"]])},
    "messages of a run": {"pydantic_ai.all_messages": json.dumps(PARTS)},
    "request and response": {
        **CHAT,
        "request_data": '{"messages": [{"role": "user", "content": "hi"}]}',
        "response_data": '{"message": {"role": "assistant", "content": "hello"}}',
    },
}


@pytest.mark.parametrize("form", FORMS)
def test_messages_of_every_form_are_the_same(form: str) -> None:
    span = written(FORMS[form])

    assert said(span, "input") == [("user", "hi")]
    assert said(span, "output") == [("assistant", "hello")]


@pytest.mark.parametrize(("history", "given"), [({}, 1), ({"pydantic_ai.new_message_index": 2}, 3)])
def test_a_run_was_given_what_stands_before_its_first_answer(history: dict[str, Any], given: int) -> None:
    asked = {"role": "assistant", "parts": [{"type": "tool_call", "id": "a", "name": "pun", "arguments": "{}"}]}
    answered = {"role": "user", "parts": [{"type": "tool_call_response", "id": "a", "result": "ha"}]}
    span = written({"pydantic_ai.all_messages": json.dumps([PARTS[0], asked, answered, PARTS[1]]), **history})

    assert len(said(span, "input")) == given
    assert said(span, "output") == [("assistant", "hello")]


def test_answers_of_tools_in_one_message() -> None:
    parts = [{"type": "tool_call_response", "id": one, "name": "pun", "result": "ha"} for one in ("a", "b")]
    span = written({**CHAT, "gen_ai.input.messages": json.dumps([{"role": "user", "parts": parts}])})

    answers = [{"type": "tool_call_response", "id": one, "response": "ha"} for one in ("a", "b")]
    assert said(span, "input") == [("tool", answers)]
