"""OpenTelemetry's conventions for generative AI, now and before."""

from __future__ import annotations

from typing import Any

import pytest

from otel_mas.dialects import ForeignSpan, translated
from tests.unit.dialects.reading import said, written

CHAT = {"gen_ai.operation.name": "chat"}
TABLE: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "v0.1.0": (
        {**CHAT, "gen_ai.provider.name": "openai", "gen_ai.request.model": "m", "gen_ai.usage.input_tokens": 3},
        {"mas.record.kind": "LLM_CALL"},
    ),
    "system before provider": (
        {**CHAT, "gen_ai.system": "openai"},
        {"mas.record.kind": "LLM_CALL", "gen_ai.provider.name": "openai"},
    ),
    "tokens of prompt and completion": (
        {**CHAT, "gen_ai.usage.prompt_tokens": 3, "gen_ai.usage.completion_tokens": 4},
        {"mas.record.kind": "LLM_CALL", "gen_ai.usage.input_tokens": 3, "gen_ai.usage.output_tokens": 4},
    ),
    "counts kept as text": (
        {**CHAT, "gen_ai.usage.prompt_tokens": "3"},
        {"mas.record.kind": "LLM_CALL", "gen_ai.usage.input_tokens": 3},
    ),
    "cache and reasoning": (
        {
            **CHAT,
            "gen_ai.usage.cache_read_input_tokens": 1,
            "gen_ai.usage.cache_creation.input_tokens": 2,
            "gen_ai.usage.reasoning_tokens": 5,
        },
        {
            "mas.record.kind": "LLM_CALL",
            "gen_ai.usage.cache_read.input_tokens": 1,
            "gen_ai.usage.cache_write.input_tokens": 2,
            "gen_ai.usage.reasoning.output_tokens": 5,
        },
    ),
    "no count": ({**CHAT, "gen_ai.usage.prompt_tokens": -1}, {"mas.record.kind": "LLM_CALL"}),
    "workflow before v0.1.0": (
        {"gen_ai.operation.name": "invoke_workflow", "gen_ai.workflow.name": "team"},
        {"mas.record.kind": "WORKFLOW", "gen_ai.agent.name": "team", "mas.run.outcome": "ok"},
    ),
    "agent": (
        {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "writer", "gen_ai.usage.input_tokens": 9},
        {"mas.record.kind": "AGENT_TASK"},
    ),
    "tool without an operation": (
        {"gen_ai.tool.name": "search", "gen_ai.tool.call.id": "c1"},
        {"mas.record.kind": "TOOL_CALL", "gen_ai.operation.name": "execute_tool"},
    ),
    "call without an operation": (
        {"gen_ai.system": "openai", "gen_ai.request.model": "m", "gen_ai.usage.output_tokens": 4},
        {"mas.record.kind": "LLM_CALL", "gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai"},
    ),
    "llm before gen_ai": (
        {
            "llm.request.type": "completion",
            "llm.vendor": "openai",
            "llm.request.model": "m",
            "llm.response.model": "m-1",
            "llm.usage.prompt_tokens": 3,
            "llm.usage.completion_tokens": 4,
        },
        {
            "mas.record.kind": "LLM_CALL",
            "gen_ai.operation.name": "text_completion",
            "gen_ai.provider.name": "openai",
            "gen_ai.request.model": "m",
            "gen_ai.response.model": "m-1",
            "gen_ai.usage.input_tokens": 3,
            "gen_ai.usage.output_tokens": 4,
        },
    ),
    "session": (
        {**CHAT, "session.id": "s"},
        {"mas.record.kind": "LLM_CALL", "gen_ai.conversation.id": "s"},
    ),
    "an operation that is none of the conventions": ({"gen_ai.operation.name": "dance"}, {}),
    "ours": ({**CHAT, "mas.record.kind": "LLM_CALL", "gen_ai.usage.prompt_tokens": 3}, {}),
    "of other code": ({"http.request.method": "GET", "llm": 1}, {}),
}


@pytest.mark.parametrize("name", TABLE)
def test_a_span_in_our_names(name: str) -> None:
    attributes, expected = TABLE[name]

    assert translated(written(attributes)) == expected


MESSAGES: dict[str, dict[str, Any]] = {
    "as JSON": {
        "gen_ai.system_instructions": '[{"type": "text", "content": "Be brief."}]',
        "gen_ai.input.messages": '[{"role": "user", "parts": [{"type": "text", "content": "hi"}]}]',
        "gen_ai.output.messages": '[{"role": "assistant", "parts": [{"type": "text", "content": "hello"}]}]',
    },
    "by number": {
        "gen_ai.prompt.0.role": "system",
        "gen_ai.prompt.0.content": "Be brief.",
        "gen_ai.prompt.1.role": "user",
        "gen_ai.prompt.1.content": "hi",
        "gen_ai.completion.0.role": "assistant",
        "gen_ai.completion.0.content": "hello",
    },
}


@pytest.mark.parametrize("form", MESSAGES)
def test_messages_of_every_form_are_the_same(form: str) -> None:
    span = written(CHAT | MESSAGES[form])

    assert said(span, "input") == [("system", "Be brief."), ("user", "hi")]
    assert said(span, "output") == [("assistant", "hello")]


EVENTS = {
    "one for each message": [
        ("gen_ai.system.message", {"content": "Be brief."}),
        ("gen_ai.user.message", {"gen_ai.event.content": '{"role": "user", "content": "hi"}'}),
        ("gen_ai.choice", {"index": 0, "message": '{"role": "assistant", "content": "hello"}'}),
    ],
    "one for each side": [
        ("gen_ai.content.prompt", {"gen_ai.prompt": '[{"role": "system", "content": "Be brief."}, "hi"]'}),
        ("gen_ai.content.completion", {"gen_ai.completion": "hello"}),
    ],
}


@pytest.mark.parametrize("form", EVENTS)
def test_messages_in_events(form: str) -> None:
    span = ForeignSpan(CHAT, events=lambda: EVENTS[form])

    assert said(span, "input") == [("system", "Be brief."), ("user", "hi")]
    assert said(span, "output") == [("assistant", "hello")]
