"""Errors before anything of the app runs: of LangGraph's configuration, of callbacks, of calls of unknown tools."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypedDict

import pytest
from langchain_core.callbacks import AsyncCallbackHandler, BaseCallbackHandler
from langchain_core.messages import AIMessage
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.func import entrypoint
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode

from otel_mas.model import Span
from tests.accuracy.cases.case import Way
from tests.accuracy.explained import Recorded
from tests.accuracy.features import make_agent
from tests.accuracy.scripted import calls, says
from tests.accuracy.test_known_failures import WAYS

LANGGRAPH = tuple(map(int, version("langgraph").split(".")[:3]))
BOUND = {"configurable": {"thread_id": "1"}}


class State(TypedDict, total=False):
    a: int


class Raises(BaseCallbackHandler):
    raise_error = True

    def on_chain_start(self, *args: Any, **kwargs: Any) -> None:
        raise ConnectionError("the tracker is down")


class RaisesAsync(AsyncCallbackHandler):
    raise_error = True

    async def on_chain_start(self, *args: Any, **kwargs: Any) -> None:
        raise ConnectionError("the tracker is down")


def graph(node: Any = lambda state: {"a": 1}, **compiled: Any) -> Any:
    built = StateGraph(State)
    built.add_node("work", node)
    built.add_edge(START, "work")
    return built.compile(name="early", **compiled)


@pytest.fixture
def look(recorded: Path) -> Callable[[], Recorded]:
    return lambda: Recorded(recorded)


def error_of(found: Recorded) -> tuple[str, str | None]:
    """The type and the message of the error of the only span."""
    (span,) = found.trace.spans
    return str(span.get("error.type")), found.trace.contents(span).get("exception.message")


@WAYS
@pytest.mark.parametrize(
    ("compiled", "config", "kind", "message"),
    [
        ({"checkpointer": InMemorySaver()}, {}, "ValueError", "Checkpointer requires"),
        ({}, {"recursion_limit": 0}, "ValueError", "recursion_limit"),
    ],
    ids=["no thread", "no steps"],
)
def test_a_run_that_its_configuration_stops_is_a_failed_run(
    way: Way, compiled: Any, config: Any, kind: str, message: str, look: Callable[[], Recorded]
) -> None:
    with pytest.raises(ValueError, match=message):
        way(graph(**compiled), {"a": 0}, config)
    found = look()
    assert found.summary.status == "error"
    (span,) = found.trace.spans
    assert (span.name, span.record_kind) == ("invoke_workflow early", "WORKFLOW")
    assert span.get("mas.run.outcome") == "error"
    assert error_of(found)[0] == kind
    assert message in str(error_of(found)[1])


@pytest.mark.skipif(LANGGRAPH < (1, 2, 24), reason="before LangGraph 1.2.24 callbacks start before the graph is known")
@WAYS
def test_a_callback_that_raises_fails_the_run(way: Way, look: Callable[[], Recorded]) -> None:
    handler = RaisesAsync() if way.__name__.startswith("a") else Raises()
    with pytest.raises(ConnectionError):
        way(graph(), {"a": 0}, {"callbacks": [handler]})
    assert error_of(look()) == ("ConnectionError", "the tracker is down")


@pytest.mark.skipif(LANGGRAPH < (0, 6, 1), reason="LangGraph 0.6.0 does not check the context")
def test_a_context_that_does_not_fit_fails_the_run(look: Callable[[], Recorded]) -> None:
    @dataclass
    class Context:
        user: str

    built: Any = StateGraph(State, context_schema=Context)
    built.add_node("work", lambda state: {"a": 1})
    built.add_edge(START, "work")
    with pytest.raises(TypeError, match="surname"):
        built.compile(name="early").invoke({"a": 0}, context={"surname": "x"})
    assert error_of(look())[0] == "TypeError"


@WAYS
def test_a_run_inside_of_a_task_that_does_not_start_is_where_the_task_failed(
    way: Way, look: Callable[[], Recorded]
) -> None:
    inner = graph(checkpointer=InMemorySaver())

    def work(state: State) -> State:
        inner.invoke({"a": 0}, {"recursion_limit": 0, **BOUND})
        return {}

    with pytest.raises(ValueError, match="recursion_limit"):
        way(graph(work), {"a": 0}, {})
    spans: dict[str, Span] = {}
    for span in look().trace.spans:
        spans[span.name + ("" if span.parent_span_id else " outer")] = span
    failed = [name for name, span in spans.items() if span.status.name == "ERROR"]
    assert failed == ["invoke_workflow early"]
    assert spans["invoke_workflow early"].parent_span_id == spans["task work"].span_id


def test_a_functional_workflow_that_does_not_start_is_a_failed_run(look: Callable[[], Recorded]) -> None:
    @entrypoint(checkpointer=InMemorySaver())
    def flow(given: int) -> int:
        return given

    with pytest.raises(ValueError, match="Checkpointer requires"):
        flow.invoke(1)
    (span,) = look().trace.spans
    assert span.record_kind == "WORKFLOW"
    assert span.status.name == "ERROR"


def test_a_run_after_one_that_did_not_start_is_recorded_as_ever(look: Callable[[], Recorded]) -> None:
    run = graph(checkpointer=InMemorySaver())
    with pytest.raises(ValueError, match="Checkpointer requires"):
        run.invoke({"a": 0})
    run.invoke({"a": 0}, BOUND)
    found = look()
    assert [span.name for span in found.trace.spans] == ["invoke_workflow early", "task work"]
    assert found.summary.status == "ok"


# -- unknown tools -----------------------------------------------------------------------------------------------------


@tool
def add(a: int, b: int) -> int:
    """Add."""
    return a + b


@WAYS
def test_a_call_of_a_tool_that_does_not_exist_is_an_error(way: Way, look: Callable[[], Recorded]) -> None:
    """pydantic-ai#6555."""
    wrong, right = calls("addition", a=1, b=2), calls("add", a=1, b=2)
    asked = AIMessage("", tool_calls=[*wrong.tool_calls, *right.tool_calls])
    built = StateGraph(MessagesState)
    built.add_node("tools", ToolNode([add]))
    built.add_edge(START, "tools")
    way(built.compile(name="calc"), {"messages": [asked]}, {})
    found = look()
    tools = {span.get("gen_ai.tool.name"): span for span in found.kind("TOOL_CALL")}
    assert tools.keys() == {"addition", "add"}
    unknown = tools["addition"]
    assert unknown.get("gen_ai.tool.call.id") == wrong.tool_calls[0]["id"]
    assert (unknown.status.name, unknown.get("error.type")) == ("ERROR", "unknown_tool")
    assert "addition" in str(found.trace.contents(unknown)["gen_ai.tool.call.result"])
    assert found.parent(unknown).task_name == "tools"
    assert tools["add"].status.name != "ERROR"
    assert found.summary.status == "ok", "the model is told, and goes on"


def test_an_agent_goes_on_after_an_unknown_tool_and_reads_the_answer(look: Callable[[], Recorded]) -> None:
    agent = make_agent(says(calls("addition", a=1), "I cannot add."), [add], name="calc")
    agent.invoke({"messages": [("user", "1 + 2?")]})
    found = look()
    (unknown,) = found.kind("TOOL_CALL")
    assert unknown.status.name == "ERROR"
    model = found.kind("LLM_CALL")[1]
    assert unknown.span_id in {link.span_id for link in model.links}, "it read what the unknown tool was answered"
