"""Langfuse's names."""

from __future__ import annotations

from typing import Any

import pytest

from otel_mas.dialects import ForeignSpan
from tests.unit.dialects.reading import ours, said, written

OF = "langfuse.observation."
TABLE: dict[str, tuple[ForeignSpan, dict[str, Any]]] = {
    "model": (
        written(
            {
                f"{OF}type": "generation",
                f"{OF}model.name": "m",
                f"{OF}usage_details": '{"input": 3, "output": 4, "total": 7}',
                f"{OF}cost_details": '{"total": 0.25}',
                "session.id": "s",
            }
        ),
        {
            "mas.record.kind": "LLM_CALL",
            "gen_ai.operation.name": "chat",
            "gen_ai.request.model": "m",
            "gen_ai.usage.input_tokens": 3,
            "gen_ai.usage.output_tokens": 4,
            "mas.cost.usd": 0.25,
            "mas.cost.source": "Langfuse",
            "gen_ai.conversation.id": "s",
        },
    ),
    "tool": (
        written({f"{OF}type": "tool", f"{OF}input": '{"a": 1}', f"{OF}output": '"b"'}, "add"),
        {
            "mas.record.kind": "TOOL_CALL",
            "gen_ai.operation.name": "execute_tool",
            "gen_ai.tool.name": "add",
            "gen_ai.tool.call.arguments": {"a": 1},
            "gen_ai.tool.call.result": "b",
        },
    ),
    "task of LangGraph": (
        written(
            {
                f"{OF}type": "span",
                f"{OF}metadata.langgraph_node": "writer",
                f"{OF}metadata.langgraph_step": "2",
                f"{OF}metadata.langgraph_triggers": '["branch:to:writer"]',
                f"{OF}metadata.langgraph_checkpoint_ns": "writer:1-1",
                f"{OF}metadata.thread_id": "7",
            },
            "writer",
        ),
        {
            "mas.record.kind": "AGENT_TASK",
            "mas.task.id": "1-1",
            "mas.task.name": "writer",
            "mas.task.namespace": "",
            "mas.task.step": 2,
            "mas.task.triggers": ("branch:to:writer",),
            "mas.task.outcome": "ok",
            "gen_ai.conversation.id": "7",
            "gen_ai.operation.name": None,
            "gen_ai.agent.name": None,
        },
    ),
    "what other instrumentation called otherwise": (
        written({f"{OF}type": "agent", "openinference.span.kind": "CHAIN"}, "graph"),
        {},
    ),
    "span": (written({f"{OF}type": "span"}, "step"), {}),
}


@pytest.mark.parametrize("name", TABLE)
def test_a_span_in_our_names(name: str) -> None:
    span, expected = TABLE[name]

    assert ours(span) == expected


def test_messages() -> None:
    given = '[{"role": "user", "content": "hi"}]'
    span = written({f"{OF}type": "generation", f"{OF}input": given, f"{OF}output": '"hello"'})

    assert said(span, "input") == [("user", "hi")]
    assert said(span, "output") == [("assistant", "hello")]
