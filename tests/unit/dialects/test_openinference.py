"""OpenInference's names."""

from __future__ import annotations

import json
from typing import Any

import pytest

from otel_mas.dialects import ForeignSpan, state_writes
from tests.unit.dialects.reading import ours, said, written

NODE = {
    "ls_integration": "langgraph",
    "thread_id": 7,
    "langgraph_node": "writer",
    "langgraph_step": 2,
    "langgraph_triggers": ["branch:to:writer"],
    "langgraph_checkpoint_ns": "outer:1-1|writer:2-2",
}
TASK = {
    "mas.record.kind": "AGENT_TASK",
    "mas.task.id": "2-2",
    "mas.task.name": "writer",
    "mas.task.namespace": "outer:1-1",
    "mas.task.step": 2,
    "mas.task.triggers": ("branch:to:writer",),
    "mas.task.outcome": "ok",
    "gen_ai.conversation.id": "7",
    "gen_ai.operation.name": None,
    "gen_ai.agent.name": None,
}


def kind(kind: str, **attributes: Any) -> dict[str, Any]:
    return {"openinference.span.kind": kind, **attributes}


def of_graph(**metadata: Any) -> dict[str, Any]:
    return kind("CHAIN", metadata=json.dumps(metadata))


TABLE: dict[str, tuple[ForeignSpan, dict[str, Any]]] = {
    "model": (
        written(
            kind(
                "LLM",
                **{
                    "llm.model_name": "m",
                    "llm.provider": "openai",
                    "llm.token_count.prompt": 3,
                    "llm.token_count.completion": 4,
                    "llm.token_count.prompt_details.cache_read": 1,
                    "llm.token_count.completion_details.reasoning": 2,
                    "session.id": "s",
                },
            )
        ),
        {
            "mas.record.kind": "LLM_CALL",
            "gen_ai.operation.name": "chat",
            "gen_ai.request.model": "m",
            "gen_ai.response.model": "m",
            "gen_ai.provider.name": "openai",
            "gen_ai.usage.input_tokens": 3,
            "gen_ai.usage.output_tokens": 4,
            "gen_ai.usage.cache_read.input_tokens": 1,
            "gen_ai.usage.reasoning.output_tokens": 2,
            "gen_ai.conversation.id": "s",
        },
    ),
    "tool": (
        written(
            kind("TOOL", **{"tool.name": "search", "input.value": '{"query": "x"}', "output.value": "found"}),
            "search it",
        ),
        {
            "mas.record.kind": "TOOL_CALL",
            "gen_ai.operation.name": "execute_tool",
            "gen_ai.tool.name": "search",
            "gen_ai.tool.call.id": None,
            "gen_ai.tool.call.arguments": {"query": "x"},
            "gen_ai.tool.call.result": "found",
        },
    ),
    "retriever": (
        written(kind("RETRIEVER", **{"input.value": "x", "retrieval.documents.0.document.content": "one"})),
        {
            "mas.record.kind": "RETRIEVAL",
            "gen_ai.operation.name": "retrieval",
            "gen_ai.retrieval.query.text": "x",
            "gen_ai.retrieval.documents": [{"content": "one"}],
        },
    ),
    "agent of Google ADK": (
        written(kind("AGENT"), "agent_run [hello]"),
        {"mas.record.kind": "AGENT_TASK", "gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "hello"},
    ),
    "agent of CrewAI": (
        written(
            kind("AGENT", crew_key="k", **{"input.value": "{\"agent\": \"id=1 role='Poet' goal='x'\"}"}),
            "Task._execute_core",
        ),
        {"mas.record.kind": "AGENT_TASK", "gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "Poet"},
    ),
    "task of LangGraph": (written(of_graph(**NODE), "writer"), TASK),
    "paused task": (
        written(of_graph(**NODE), "writer", raised=["langgraph.errors.GraphInterrupt"]),
        {**TASK, "mas.task.outcome": "interrupted"},
    ),
    "handed over, with an error's status": (
        written(of_graph(**NODE), "writer", raised=["langgraph.errors.ParentCommand"], failed=True),
        {**TASK, "mas.task.outcome": "handoff", "error.type": None},
    ),
    "failed task": (
        written(of_graph(**NODE), "writer", raised=["ValueError"], failed=True),
        {**TASK, "mas.task.outcome": "error"},
    ),
    "cancelled task": (
        written(of_graph(**NODE), "writer", raised=["asyncio.exceptions.CancelledError"], failed=True),
        {**TASK, "mas.task.outcome": "cancelled"},
    ),
    "inside of a task": (written(of_graph(**NODE), "route"), {"gen_ai.conversation.id": "7"}),
    "graph's input": (
        written(of_graph(**{**NODE, "langgraph_node": "__start__"}), "__start__"),
        {"gen_ai.conversation.id": "7"},
    ),
    "graph": (
        written(
            of_graph(ls_integration="langgraph", thread_id="7"), "team", raised=["langgraph.errors.GraphInterrupt"]
        ),
        {
            "mas.record.kind": "WORKFLOW",
            "gen_ai.operation.name": "invoke_workflow",
            "gen_ai.agent.name": "team",
            "mas.run.outcome": "interrupted",
            "gen_ai.conversation.id": "7",
        },
    ),
}


@pytest.mark.parametrize("name", TABLE)
def test_a_span_in_our_names(name: str) -> None:
    span, expected = TABLE[name]

    assert ours(span) == expected


def test_a_task_without_an_id_has_the_same_one_each_time() -> None:
    older = {name: value for name, value in NODE.items() if name != "langgraph_checkpoint_ns"}
    ids = [
        ours(written(of_graph(**given), "writer"))["mas.task.id"]
        for given in (older, older, older | {"langgraph_step": 3})
    ]

    assert ids[0] == ids[1] != ids[2]


def test_messages() -> None:
    span = written(
        kind(
            "LLM",
            **{
                "llm.input_messages.0.message.role": "user",
                "llm.input_messages.0.message.contents.0.message_content.text": "hi",
                "llm.input_messages.0.message.contents.0.message_content.type": "text",
                "llm.output_messages.0.message.role": "model",
                "llm.output_messages.0.message.tool_calls.0.tool_call.id": "c",
                "llm.output_messages.0.message.tool_calls.0.tool_call.function.name": "search",
                "llm.output_messages.0.message.tool_calls.0.tool_call.function.arguments": '{"query": "x"}',
            },
        )
    )

    assert said(span, "input") == [("user", "hi")]
    call = {"type": "tool_call", "id": "c", "name": "search", "arguments": {"query": "x"}}
    assert said(span, "output") == [("assistant", [call])]


def test_messages_in_the_state_that_a_task_was_given() -> None:
    given = {"messages": [{"type": "human", "data": {"content": "hi"}}, {"type": "ai", "data": {"content": "hello"}}]}
    span = written(kind("CHAIN", **{"input.value": json.dumps(given), "output.value": "null"}))

    assert said(span, "input") == [("user", "hi"), ("assistant", "hello")]
    assert said(span, "output") == []


def node(output: Any, given: Any = None, **metadata: Any) -> ForeignSpan:
    attributes = {"output.value": json.dumps(output), "input.value": json.dumps(given)}
    return written({**of_graph(**{**NODE, **metadata}), **attributes}, "writer")


def test_a_task_wrote_its_result_to_the_state_and_read_its_input() -> None:
    assert state_writes(node({"draft": "Dear guest", "count": 1})) == {"draft": "Dear guest", "count": 1}
    assert ours(node({"draft": "Dear guest"}, {"topic": "trains"}))["mas.task.input"] == {"topic": "trains"}
    assert "mas.task.result" not in ours(node({"draft": "Dear guest"}))


def test_of_a_command_the_update_is_written() -> None:
    command = {"graph": None, "update": {"draft": "Dear guest"}, "resume": None, "goto": "editor"}

    assert state_writes(node(command)) == {"draft": "Dear guest"}
    assert state_writes(node({**command, "update": None})) == {}


def test_a_result_that_is_no_update_is_a_result() -> None:
    assert state_writes(node([1, 2])) == {}
    assert ours(node([1, 2]))["mas.task.result"] == [1, 2]


def test_a_span_inside_of_a_node_writes_nothing() -> None:
    assert state_writes(node({"draft": "Dear guest"}, langgraph_node="editor")) == {}
