"""What each kind of mark says, and in which words."""

from __future__ import annotations

from typing import Any

from langchain_core.language_models import FakeListChatModel
from langchain_core.messages import AIMessage, HumanMessage

import otel_mas
from otel_mas.model import SpanKind
from otel_mas.semconv import attributes as names


def text(role: str, content: str) -> dict[str, Any]:
    return {"role": role, "parts": [{"type": "text", "content": content}]}


def test_an_agent_is_a_task_as_well(run: Any) -> None:
    with otel_mas.agent("writer", conversation="thread-7"):
        pass
    span = run.named("invoke_agent writer")
    assert span.record_kind == "AGENT_TASK"
    assert span.task_id
    assert {
        names.GEN_AI_OPERATION_NAME: "invoke_agent",
        names.GEN_AI_AGENT_NAME: "writer",
        names.MAS_TASK_NAME: "writer",
        names.GEN_AI_CONVERSATION_ID: "thread-7",
    }.items() <= span.attributes.items()


def test_a_task_is_no_agent_and_a_workflow_no_task(run: Any) -> None:
    with otel_mas.workflow("trip"), otel_mas.task("merge"):
        pass
    workflow, task = run.spans()
    assert (workflow.record_kind, workflow.task_id) == ("WORKFLOW", None)
    assert (workflow.name, workflow.attributes[names.GEN_AI_AGENT_NAME]) == ("invoke_workflow trip", "trip")
    assert (task.record_kind, task.agent, task.task_name) == ("AGENT_TASK", None, "merge")


def test_a_tools_arguments_and_result_are_content(run: Any) -> None:
    @otel_mas.tool("search")
    def look_up(query: str, *more: str, limit: int = 3) -> list[str]:
        return [query.upper()]

    look_up("tram", "line", limit=1)
    with otel_mas.tool("weather") as tool:
        tool.arguments(city="Oslo")
        tool.result("rain")
    search, weather = run.spans()
    assert (search.name, search.record_kind, search.task_id) == ("execute_tool search", "TOOL_CALL", None)
    assert run.contents(search) == {
        names.GEN_AI_TOOL_CALL_ARGUMENTS: {"query": "tram", "*0": "line", "limit": 1},
        names.GEN_AI_TOOL_CALL_RESULT: ["TRAM"],
    }
    assert run.contents(weather) == {
        names.GEN_AI_TOOL_CALL_ARGUMENTS: {"city": "Oslo"},
        names.GEN_AI_TOOL_CALL_RESULT: "rain",
    }
    for span in (search, weather):
        assert not [value for value in span.attributes.values() if "TRAM" in str(value) or "Oslo" in str(value)]


def test_a_retrievals_query_and_documents_are_content(run: Any) -> None:
    @otel_mas.retrieval("archive")
    def find(query: str) -> list[str]:
        return [f"about {query}"]

    find("trams")
    span = run.named("retrieval archive")
    assert (span.kind, span.record_kind) == (SpanKind.CLIENT, "RETRIEVAL")
    assert span.attributes[names.GEN_AI_DATA_SOURCE_ID] == "archive"
    assert run.contents(span) == {
        names.GEN_AI_RETRIEVAL_QUERY_TEXT: "trams",
        names.GEN_AI_RETRIEVAL_DOCUMENTS: ["about trams"],
    }


def test_messages_have_their_writers(run: Any) -> None:
    call = {"id": "c1", "type": "function", "function": {"name": "weather", "arguments": '{"city": "Oslo"}'}}
    with otel_mas.agent("reader") as agent:
        agent.input("hi", [HumanMessage("hello"), {"role": "developer", "content": "be kind"}])
        agent.input({"role": "tool", "tool_call_id": "c1", "content": "rain"})
        agent.input({"any": "thing"}, None)
        agent.output({"role": "assistant", "content": None, "tool_calls": [call]})
        agent.output(AIMessage("done"))
    read, wrote = run.messages(run.named("invoke_agent reader"))
    assert read == [
        text("user", "hi"),
        text("user", "hello"),
        text("system", "be kind"),
        {"role": "tool", "parts": [{"type": "tool_call_response", "id": "c1", "response": "rain"}]},
        {"role": "user", "parts": [{"type": "data", "content": {"any": "thing"}}]},
    ]
    assert wrote[0]["parts"][0]["name"] == "weather"
    assert wrote[1] == text("assistant", "done")


def test_a_text_and_a_message_of_it_have_the_same_digest(run: Any) -> None:
    with otel_mas.agent("a") as first:
        first.output("the line is 4.2 km long")
    with otel_mas.agent("b") as second:
        second.input(AIMessage("the line is 4.2 km long"))
    a, b = run.spans()
    assert list(a.attributes[names.MAS_OUTPUT_MESSAGES]) == list(b.attributes[names.MAS_INPUT_MESSAGES])


def test_costs_are_grouped_by_marked_agents(run: Any) -> None:
    with otel_mas.workflow("w"), otel_mas.agent("writer"):
        FakeListChatModel(responses=["hello"]).invoke("hello")
    otel_mas.flush(30)
    with otel_mas.open(run.path) as source:
        rows = source.latest().graph().cost().by_agent
    assert [(row.name, row.calls) for row in rows] == [("writer", 1)]


def test_a_states_changes_are_recorded_by_digest(run: Any) -> None:
    with otel_mas.agent("a") as agent:
        agent.state(draft="one", words=120)
        with otel_mas.tool("editor"):
            otel_mas.state(draft="two")
    with otel_mas.agent("b"):
        otel_mas.state(draft="two")
    a, b = run.named("invoke_agent a"), run.named("invoke_agent b")
    assert list(a.attributes[names.MAS_STATE_CHANGED]) == ["draft", "words"]
    assert a.attributes[names.MAS_STATE_DIGESTS][0] == b.attributes[names.MAS_STATE_DIGESTS][0]
    assert names.MAS_STATE_CHANGED not in run.named("execute_tool editor").attributes


def test_events_and_stages_are_on_the_span_around(run: Any) -> None:
    with otel_mas.agent("a"):
        otel_mas.event("cache.miss", key="k", sizes=[1, 2], mixed=[1, "a"], what={"a": 1}, nothing=None)
        otel_mas.stage("collecting", "1 of 2")
        otel_mas.stage("done")
    missed, collecting, done = run.named("invoke_agent a").events
    assert (missed.name, collecting.name) == ("cache.miss", "mas.stage")
    assert {name: list(value) if isinstance(value, tuple) else value for name, value in missed.attributes.items()} == {
        "key": "k",
        "sizes": [1, 2],
        "mixed": '[1,"a"]',
        "what": '{"a":1}',
    }
    assert collecting.attributes == {names.MAS_STAGE_NAME: "collecting", names.MAS_STAGE_STATUS: "1 of 2"}
    assert done.attributes == {names.MAS_STAGE_NAME: "done"}
