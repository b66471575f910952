"""Datadog's names."""

from __future__ import annotations

from typing import Any

import pytest

from otel_mas.dialects import ForeignSpan
from tests.unit.dialects.reading import ours, said, written

META = "_ml_obs.meta."
TABLE: dict[str, tuple[ForeignSpan, dict[str, Any]]] = {
    "model": (
        written(
            {
                f"{META}span.kind": "llm",
                f"{META}model_name": "m",
                f"{META}model_provider": "openai",
                "_ml_obs.metrics.input_tokens": 3.0,
                "_ml_obs.metrics.output_tokens": 4,
                "_ml_obs.session_id": "s",
            }
        ),
        {
            "mas.record.kind": "LLM_CALL",
            "gen_ai.operation.name": "chat",
            "gen_ai.request.model": "m",
            "gen_ai.provider.name": "openai",
            "gen_ai.usage.input_tokens": 3,
            "gen_ai.usage.output_tokens": 4,
            "gen_ai.conversation.id": "s",
        },
    ),
    "workflow": (
        written({f"{META}span.kind": "workflow"}, "team"),
        {"mas.record.kind": "WORKFLOW", "gen_ai.operation.name": "invoke_workflow", "gen_ai.agent.name": "team"},
    ),
    "agent": (
        written({f"{META}span.kind": "agent", "_ml_obs.name": "writer"}, "langgraph"),
        {"mas.record.kind": "AGENT_TASK", "gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "writer"},
    ),
    "tool": (
        written({f"{META}span.kind": "tool", f"{META}input.value": '{"a": 1}', f"{META}output.value": "b"}, "add"),
        {
            "mas.record.kind": "TOOL_CALL",
            "gen_ai.operation.name": "execute_tool",
            "gen_ai.tool.name": "add",
            "gen_ai.tool.call.arguments": {"a": 1},
            "gen_ai.tool.call.result": "b",
        },
    ),
    "task": (written({f"{META}span.kind": "task"}, "t"), {}),
}


@pytest.mark.parametrize("name", TABLE)
def test_a_span_in_our_names(name: str) -> None:
    span, expected = TABLE[name]

    assert ours(span) == expected


def test_messages_or_else_the_value() -> None:
    messages = '[{"role": "user", "content": "hi"}]'
    span = written({f"{META}span.kind": "llm", f"{META}input.messages": messages, f"{META}output.value": "hello"})

    assert said(span, "input") == [("user", "hi")]
    assert said(span, "output") == [("assistant", "hello")]
