"""Koog's names."""

from __future__ import annotations

import json
from typing import Any

import pytest

from otel_mas.dialects import ForeignSpan
from tests.unit.dialects.reading import ours, said, written

TABLE: dict[str, tuple[ForeignSpan, dict[str, Any]]] = {
    "agent, by its id": (
        written(
            {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.id": "a-1", "koog.agent.strategy.name": "single"},
            "run.1",
        ),
        {"mas.record.kind": "AGENT_TASK", "gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "a-1"},
    ),
    "node": (
        written({"koog.node.name": "ask"}, "node.ask"),
        {"mas.record.kind": "AGENT_TASK", "mas.task.name": "ask", "mas.task.outcome": "ok"},
    ),
    "node that failed": (
        written({"koog.node.name": "ask"}, "node.ask", failed=True),
        {"mas.record.kind": "AGENT_TASK", "mas.task.name": "ask", "mas.task.outcome": "error"},
    ),
    "end of a strategy": (written({"koog.node.name": "__finish__"}, "node.__finish__"), {}),
    "tool": (
        written({"gen_ai.tool.name": "add", "input.value": '{"a": 1}', "output.value": "b"}, "tool.add"),
        {
            "mas.record.kind": "TOOL_CALL",
            "gen_ai.operation.name": "execute_tool",
            "gen_ai.tool.call.arguments": {"a": 1},
            "gen_ai.tool.call.result": "b",
        },
    ),
}


@pytest.mark.parametrize("name", TABLE)
def test_a_span_in_our_names(name: str) -> None:
    span, expected = TABLE[name]

    assert ours(span) == expected


def test_calls_that_have_the_role_of_their_answers() -> None:
    call = {"id": "c", "type": "function", "function": {"name": "add", "arguments": '{"a": 1}'}}
    span = written(
        {
            "gen_ai.operation.name": "chat",
            "gen_ai.prompt.0.role": "tool",
            "gen_ai.prompt.0.content": json.dumps([call]),
            "gen_ai.prompt.1.role": "tool",
            "gen_ai.prompt.1.content": "b",
        }
    )

    part = {"type": "tool_call", "id": "c", "name": "add", "arguments": {"a": 1}}
    assert said(span, "input") == [("assistant", [part]), ("tool", "b")]
