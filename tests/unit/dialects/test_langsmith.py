"""LangSmith's names over OpenTelemetry."""

from __future__ import annotations

import json
from typing import Any

import pytest

from otel_mas.dialects import ForeignSpan
from tests.unit.dialects.reading import ours, said, written

METADATA = "langsmith.metadata."
TABLE: dict[str, tuple[ForeignSpan, dict[str, Any]]] = {
    "model": (
        written(
            {
                "langsmith.span.kind": "llm",
                "gen_ai.operation.name": "chat",
                "gen_ai.system": "anthropic",
                "gen_ai.usage.input_tokens": 3,
                f"{METADATA}ls_model_name": "claude",
                f"{METADATA}session_id": "s",
            }
        ),
        {
            "mas.record.kind": "LLM_CALL",
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": "anthropic",
            "gen_ai.request.model": "claude",
            "gen_ai.conversation.id": "s",
        },
    ),
    "chain": (
        written(
            {"langsmith.span.kind": "chain", "gen_ai.operation.name": "chain", "gen_ai.system": "langchain"}, "talk"
        ),
        {
            "mas.record.kind": None,
            "gen_ai.operation.name": None,
            "gen_ai.agent.name": None,
            "gen_ai.provider.name": None,
        },
    ),
    "tool": (
        written(
            {
                "langsmith.span.kind": "tool",
                "gen_ai.prompt": '{"input": {"query": "x"}}',
                "gen_ai.completion": '{"output": "found"}',
            },
            "search",
        ),
        {
            "mas.record.kind": "TOOL_CALL",
            "gen_ai.operation.name": "execute_tool",
            "gen_ai.tool.name": "search",
            "gen_ai.provider.name": None,
            "gen_ai.tool.call.arguments": {"query": "x"},
            "gen_ai.tool.call.result": "found",
        },
    ),
    "task of LangGraph": (
        written(
            {
                "langsmith.span.kind": "chain",
                f"{METADATA}langgraph_node": "writer",
                f"{METADATA}langgraph_step": 2,
                f"{METADATA}langgraph_checkpoint_ns": "writer:1-1",
                f"{METADATA}thread_id": "7",
            },
            "writer",
        ),
        {
            "mas.record.kind": "AGENT_TASK",
            "mas.task.id": "1-1",
            "mas.task.name": "writer",
            "mas.task.namespace": "",
            "mas.task.step": 2,
            "mas.task.outcome": "ok",
            "gen_ai.conversation.id": "7",
            "gen_ai.operation.name": None,
            "gen_ai.agent.name": None,
            "gen_ai.provider.name": None,
        },
    ),
}


@pytest.mark.parametrize("name", TABLE)
def test_a_span_in_our_names(name: str) -> None:
    span, expected = TABLE[name]

    assert ours(span) == expected


def test_messages_in_the_json_of_a_side() -> None:
    given = {"messages": [[{"lc": 1, "id": ["x", "HumanMessage"], "kwargs": {"content": "hi"}}]]}
    gave = {"generations": [[{"message": {"lc": 1, "id": ["x", "AIMessageChunk"], "kwargs": {"content": "hello"}}}]]}
    span = written(
        {"langsmith.span.kind": "llm", "gen_ai.prompt": json.dumps(given), "gen_ai.completion": json.dumps(gave)}
    )

    assert said(span, "input") == [("user", "hi")]
    assert said(span, "output") == [("assistant", "hello")]
