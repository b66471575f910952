"""The Vercel AI SDK's names."""

from __future__ import annotations

import json
from typing import Any

import pytest

from otel_mas.dialects import ForeignSpan
from tests.unit.dialects.reading import ours, said, written

GENERATE = {
    "ai.operationId": "ai.generateText.doGenerate",
    "ai.model.id": "m",
    "ai.model.provider": "openai.responses",
    "ai.response.model": "m-1",
    "ai.usage.promptTokens": 3,
    "ai.usage.completionTokens": 4,
    "ai.usage.cachedInputTokens": 1,
}
MODEL = {
    "gen_ai.request.model": "m",
    "gen_ai.response.model": "m-1",
    "gen_ai.provider.name": "openai",
    "gen_ai.usage.input_tokens": 3,
    "gen_ai.usage.output_tokens": 4,
    "gen_ai.usage.cache_read.input_tokens": 1,
}
TABLE: dict[str, tuple[ForeignSpan, dict[str, Any]]] = {
    "a step's call": (
        written(GENERATE | {"ai.telemetry.metadata.sessionId": "s"}),
        {**MODEL, "mas.record.kind": "LLM_CALL", "gen_ai.operation.name": "chat", "gen_ai.conversation.id": "s"},
    ),
    "the whole, which is no call": (
        written(GENERATE | {"ai.operationId": "ai.generateText"}),
        {**MODEL, "mas.record.kind": None, "gen_ai.operation.name": None, "gen_ai.agent.name": None},
    ),
    "the whole with a name": (
        written({"ai.operationId": "ai.streamText", "ai.telemetry.functionId": "weather"}),
        {"mas.record.kind": "AGENT_TASK", "gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "weather"},
    ),
    "embedding": (
        written({"ai.operationId": "ai.embed.doEmbed", "ai.model.id": "e", "ai.usage.tokens": 3}),
        {
            "mas.record.kind": "LLM_CALL",
            "gen_ai.operation.name": "embeddings",
            "gen_ai.request.model": "e",
            "gen_ai.usage.input_tokens": 3,
        },
    ),
    "tool": (
        written(
            {
                "ai.operationId": "ai.toolCall",
                "ai.toolCall.name": "add",
                "ai.toolCall.id": "c",
                "ai.toolCall.args": '{"a": 1}',
                "ai.toolCall.result": '"b"',
            }
        ),
        {
            "mas.record.kind": "TOOL_CALL",
            "gen_ai.operation.name": "execute_tool",
            "gen_ai.tool.name": "add",
            "gen_ai.tool.call.id": "c",
            "gen_ai.tool.call.arguments": {"a": 1},
            "gen_ai.tool.call.result": "b",
        },
    ),
}


@pytest.mark.parametrize("name", TABLE)
def test_a_span_in_our_names(name: str) -> None:
    span, expected = TABLE[name]

    assert ours(span) == expected


def test_messages_of_a_step() -> None:
    content = [{"type": "tool-result", "toolCallId": "c", "toolName": "add", "output": "b"}]
    calls = [{"toolCallId": "d", "toolName": "add", "input": '{"a": 2}'}]
    span = written(
        {
            **GENERATE,
            "ai.prompt.messages": json.dumps([{"role": "tool", "content": content}]),
            "ai.response.toolCalls": json.dumps(calls),
        }
    )

    assert said(span, "input") == [("tool", [{"type": "tool_call_response", "id": "c", "response": "b"}])]
    call = {"type": "tool_call", "id": "d", "name": "add", "arguments": {"a": 2}}
    assert said(span, "output") == [("assistant", [call])]


def test_messages_of_the_whole() -> None:
    span = written(
        {
            "ai.operationId": "ai.generateText",
            "ai.prompt": '{"system": "Be brief.", "prompt": "hi"}',
            "ai.response.text": "hello",
        }
    )

    assert said(span, "input") == [("system", "Be brief."), ("user", "hi")]
    assert said(span, "output") == [("assistant", "hello")]
