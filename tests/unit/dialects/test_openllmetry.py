"""OpenLLMetry's names."""

from __future__ import annotations

from typing import Any

import pytest

from otel_mas.dialects import ForeignSpan
from tests.unit.dialects.reading import ours, said, written

ASSOCIATED = "traceloop.association.properties."
NODE = {
    "traceloop.span.kind": "task",
    "traceloop.entity.name": "writer",
    "gen_ai.operation.name": "execute_task",
    "gen_ai.provider.name": "langgraph",
    f"{ASSOCIATED}ls_integration": "langgraph",
    f"{ASSOCIATED}thread_id": "7",
    f"{ASSOCIATED}langgraph_node": "writer",
    f"{ASSOCIATED}langgraph_step": "2",
    f"{ASSOCIATED}langgraph_triggers": "['branch:to:writer']",
    f"{ASSOCIATED}langgraph_checkpoint_ns": "writer:2-2",
}
GRAPH = {
    "traceloop.span.kind": "workflow",
    "traceloop.entity.name": "LangGraph",
    "gen_ai.operation.name": "invoke_agent",
    "gen_ai.provider.name": "langgraph",
    "gen_ai.agent.name": "LangGraph",
    f"{ASSOCIATED}ls_integration": "langgraph",
}
TABLE: dict[str, tuple[ForeignSpan, dict[str, Any]]] = {
    "task of LangGraph, paused": (
        written(NODE, "execute_task writer", raised=["langgraph.errors.GraphInterrupt"], failed=True),
        {
            "mas.record.kind": "AGENT_TASK",
            "mas.task.id": "2-2",
            "mas.task.name": "writer",
            "mas.task.namespace": "",
            "mas.task.step": 2,
            "mas.task.triggers": ("branch:to:writer",),
            "mas.task.outcome": "interrupted",
            "gen_ai.conversation.id": "7",
            "gen_ai.operation.name": None,
            "gen_ai.agent.name": None,
            "gen_ai.provider.name": None,
            "error.type": None,
        },
    ),
    "graph": (
        written(GRAPH, "LangGraph.workflow", raised=["ValueError"], failed=True),
        {
            "mas.record.kind": "WORKFLOW",
            "gen_ai.operation.name": "invoke_workflow",
            "gen_ai.agent.name": "LangGraph",
            "gen_ai.provider.name": None,
            "mas.run.outcome": "error",
        },
    ),
    "the second span of a graph": (
        written(
            {
                "gen_ai.operation.name": "invoke_agent",
                "gen_ai.agent.name": "LangGraph",
                "gen_ai.provider.name": "langgraph",
                "traceloop.workflow.name": "LangGraph",
            }
        ),
        {
            "mas.record.kind": None,
            "gen_ai.operation.name": None,
            "gen_ai.agent.name": None,
            "gen_ai.provider.name": None,
        },
    ),
    "workflow of the SDK": (
        written({"traceloop.span.kind": "workflow", "traceloop.entity.name": "joke"}, "joke.workflow"),
        {
            "mas.record.kind": "WORKFLOW",
            "gen_ai.operation.name": "invoke_workflow",
            "gen_ai.agent.name": "joke",
            "mas.run.outcome": "ok",
        },
    ),
    "agent of the SDK": (
        written({"traceloop.span.kind": "agent", "traceloop.entity.name": "poet"}, "poet.agent"),
        {"mas.record.kind": "AGENT_TASK", "gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "poet"},
    ),
    "tool": (
        written(
            {
                "traceloop.span.kind": "tool",
                "traceloop.entity.name": "search",
                "traceloop.entity.input": '{"input_str": "x", "tags": []}',
                "traceloop.entity.output": '{"output": "found"}',
            }
        ),
        {
            "mas.record.kind": "TOOL_CALL",
            "gen_ai.operation.name": "execute_tool",
            "gen_ai.tool.name": "search",
            "gen_ai.tool.call.arguments": "x",
            "gen_ai.tool.call.result": "found",
        },
    ),
    "a goto": (
        written({"gen_ai.operation.name": "goto", "langgraph.command.goto_node": "b", "traceloop.workflow.name": "g"}),
        {"mas.record.kind": None, "gen_ai.operation.name": None, "gen_ai.agent.name": None},
    ),
}


@pytest.mark.parametrize("name", TABLE)
def test_a_span_in_our_names(name: str) -> None:
    span, expected = TABLE[name]

    assert ours(span) == expected


def test_messages_in_the_state_that_a_task_was_given() -> None:
    message = '{"lc": 1, "type": "constructor", "id": ["langchain", "HumanMessage"], "kwargs": {"content": "hi"}}'
    span = written({**NODE, "traceloop.entity.input": f'{{"inputs": {{"messages": [{message}]}}, "tags": ["user"]}}'})

    assert said(span, "input") == [("user", "hi")]
    assert said(span, "output") == []
