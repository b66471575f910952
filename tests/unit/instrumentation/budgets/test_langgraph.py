"""Budgets in runs of LangGraph: nothing swallows or retries the stop, and what is recorded says what happened."""

from __future__ import annotations

import asyncio
import operator
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, TypedDict

import pytest
from langchain.agents import create_agent
from langchain.agents.middleware import ModelFallbackMiddleware, ModelRetryMiddleware, ToolRetryMiddleware
from langchain_core.messages import AIMessage, AnyMessage
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, StateGraph
from langgraph.graph.message import MessagesState, add_messages
from langgraph.prebuilt import ToolNode
from langgraph.types import RetryPolicy, Send
from opentelemetry import baggage
from opentelemetry import context as otel_context

import otel_mas
from otel_mas.errors import BudgetExceeded
from otel_mas.model import BUDGET_EVENT
from otel_mas.report import status_words
from otel_mas.semconv import attributes as names
from tests.unit.instrumentation.budgets.conftest import Counted

WAYS: dict[str, Callable[[Any, Any], object]] = {
    "invoke": lambda graph, given: graph.invoke(given),
    "ainvoke": lambda graph, given: asyncio.run(graph.ainvoke(given)),
    "stream": lambda graph, given: list(graph.stream(given, stream_mode="messages")),
    "astream": lambda graph, given: asyncio.run(_read(graph.astream(given, stream_mode="messages"))),
}
HELLO = {"messages": [("user", "hello")]}


async def _read(stream: Any) -> None:
    async for _ in stream:
        pass


def looping(model: Any, retry: RetryPolicy | None = None) -> Any:
    """A graph that would call its model for ever."""
    attempts: list[None] = []

    def agent(state: MessagesState) -> Any:
        attempts.append(None)
        return {"messages": [model.invoke(state["messages"][:1])]}

    async def aagent(state: MessagesState) -> Any:
        attempts.append(None)
        return {"messages": [await model.ainvoke(state["messages"][:1])]}

    from langchain_core.runnables import RunnableLambda

    graph = StateGraph(MessagesState)
    graph.add_node("agent", RunnableLambda(agent, aagent), retry_policy=retry)
    graph.add_edge(START, "agent")
    graph.add_conditional_edges("agent", lambda _: "agent", ["agent", END])
    compiled: Any = graph.compile()
    compiled.attempts = attempts
    return compiled


@pytest.mark.parametrize(
    ("way", "recorded", "retry"),
    [
        ("invoke", True, RetryPolicy(initial_interval=0)),
        ("ainvoke", True, RetryPolicy(0, retry_on=Exception)),
        ("stream", True, None),
        ("astream", True, None),
        ("invoke", False, RetryPolicy(0, retry_on=Exception)),
        ("astream", False, RetryPolicy(initial_interval=0)),
    ],
)
def test_a_looping_graph_is_stopped_and_not_retried(
    counted: Counted, tmp_path: Path, way: str, recorded: bool, retry: RetryPolicy | None
) -> None:
    if recorded:
        otel_mas.instrument(store=tmp_path / "runs.db")
    graph = looping(counted.model, retry)
    with otel_mas.budget(calls=3), pytest.raises(BudgetExceeded):
        WAYS[way](graph, HELLO)
    otel_mas.shutdown()
    assert counted.requests == 3
    assert len(graph.attempts) == 4


@tool
def ask_expert(question: str) -> str:
    """Ask."""
    return str(EXPERT.model.invoke(question).content)


class EXPERT:
    model: Any


@pytest.mark.parametrize("way", ["invoke", "ainvoke"])
@pytest.mark.parametrize("handle", [True, "failed", (Exception,), lambda error: "failed"])
def test_tool_nodes_do_not_tell_a_model_of_it(counted: Counted, way: str, handle: Any) -> None:
    """Neither of a tool that is not called, nor of a model that is not called inside a tool."""
    EXPERT.model = counted.model
    graph = StateGraph(MessagesState)
    graph.add_node("tools", ToolNode([ask_expert], handle_tool_errors=handle))
    graph.add_edge(START, "tools")
    call = AIMessage("", tool_calls=[{"name": "ask_expert", "args": {"question": "?"}, "id": "1"}])
    for calls in (0, 1):
        with otel_mas.budget(calls=calls), pytest.raises(BudgetExceeded):
            WAYS[way](graph.compile(), {"messages": [call]})
    assert counted.requests == 0


@pytest.mark.parametrize("way", ["invoke", "ainvoke"])
def test_middleware_neither_retries_it_nor_falls_back_to_another_model(counted: Counted, way: str) -> None:
    agent = create_agent(
        counted.model,
        [ask_expert],
        middleware=[
            ModelRetryMiddleware(max_retries=3, initial_delay=0),
            ModelFallbackMiddleware(counted.model),
            ToolRetryMiddleware(max_retries=3, initial_delay=0, on_failure="continue"),
        ],
    )
    EXPERT.model = counted.model
    with otel_mas.budget(calls=2), pytest.raises(BudgetExceeded, match="the model gpt-4o-mini was not called"):
        WAYS[way](agent, HELLO)
    assert counted.requests == 1


class Fan(TypedDict):
    messages: Annotated[list[AnyMessage], add_messages]
    done: Annotated[list[str], operator.add]


def test_a_fan_out_stops_with_what_is_under_way_still_counted(counted: Counted) -> None:
    def ask(_: Any) -> Any:
        return {"done": [str(counted.model.invoke("hello").content)]}

    graph = StateGraph(Fan)
    graph.add_node("ask", ask)
    graph.add_conditional_edges(START, lambda _: [Send("ask", {}) for _ in range(12)], ["ask"])
    with otel_mas.budget(calls=5) as budget, pytest.raises(BudgetExceeded):
        graph.compile().invoke({"messages": [], "done": []})
    assert counted.requests == 5 == budget.spent.calls


def team(model: Any) -> Any:
    """A run of two agents, of which the first asks the model twice and the second once."""
    first = create_agent(model, name="first")
    second = create_agent(model, name="second")
    graph = StateGraph(MessagesState)
    graph.add_node("first", first)
    graph.add_node("again", first)
    graph.add_node("second", second)
    graph.add_edge(START, "first")
    graph.add_edge("first", "second")
    graph.add_edge("second", "again")
    return graph.compile(checkpointer=InMemorySaver())


def test_agents_have_a_budget_each(counted: Counted, store: Path) -> None:
    graph = team(counted.model)
    with otel_mas.budget(calls=1, per="agent"), pytest.raises(BudgetExceeded) as raised:
        graph.invoke(HELLO, {"configurable": {"thread_id": "1"}})
    assert (raised.value.owner, counted.requests) == ("first", 2)
    assert "by agent first, so the model gpt-4o-mini was not called by agent first" in str(raised.value)


@pytest.mark.parametrize("recorded", [True, False])
def test_conversations_have_a_budget_each_over_runs(counted: Counted, tmp_path: Path, recorded: bool) -> None:
    if recorded:
        otel_mas.instrument(store=tmp_path / "runs.db")
    graph = team(counted.model)
    name = f"thread of {tmp_path}"

    @otel_mas.budget(calls=4, per="conversation")
    def answer(thread: str) -> None:
        graph.invoke(HELLO, {"configurable": {"thread_id": thread}})

    answer(name)
    with pytest.raises(BudgetExceeded, match=f"by conversation {name}"):
        answer(name)
    answer(f"another {name}")
    otel_mas.shutdown()
    assert counted.requests == 7


def test_users_have_a_budget_each_for_a_time(counted: Counted, store: Path) -> None:
    graph = looping(counted.model)
    for user, way in (("u1", "baggage"), ("u2", "config")):
        name = f"{user} of {store}"
        config: Any = {"configurable": {"user_id": name}} if way == "config" else {}
        here = otel_context.get_current()
        token = otel_context.attach(baggage.set_baggage(names.USER_ID, name) if way == "baggage" else here)
        for _ in range(2):
            limited = otel_mas.budget(calls=2, per="user", every="month")
            with (
                limited,
                pytest.raises(BudgetExceeded, match=f"per user and month are spent by user {name}, so") as raised,
            ):
                graph.invoke(HELLO, config)
            assert raised.value.owner == name
        otel_context.detach(token)
    assert counted.requests == 4


def test_the_run_says_that_a_budget_stopped_it(counted: Counted, store: Path) -> None:
    with otel_mas.budget(calls=4), pytest.raises(BudgetExceeded):
        looping(counted.model).invoke(HELLO)
    otel_mas.flush()
    with otel_mas.open(store) as source:
        trace = source.latest()
        root = next(span for span in trace.spans if span.parent_span_id is None)
        events = [event.attributes for span in trace.spans for event in span.events if event.name == BUDGET_EVENT]
    assert root.get(names.MAS_RUN_OUTCOME) == "error"
    assert (root.get(names.MAS_BUDGET_AMOUNT), root.get(names.MAS_BUDGET_PER)) == ("calls", "run")
    assert status_words.run_status(trace.spans).words == "✗ stopped by budget (calls)"
    said = [(one[names.MAS_BUDGET_EXCEEDED], one[names.MAS_BUDGET_SPENT]) for one in events]
    assert said == [(False, 4.0), (True, 4.0)]


def test_a_run_that_was_stopped_goes_on_with_more(counted: Counted, store: Path) -> None:
    graph = team(counted.model)
    config: Any = {"configurable": {"thread_id": "1"}}
    with otel_mas.budget(calls=2), pytest.raises(BudgetExceeded):
        graph.invoke(HELLO, config)
    with otel_mas.budget(calls=1):
        graph.invoke(None, config)
    assert counted.requests == 3
    assert graph.get_state(config).next == ()


APP = """
import sys
from langchain_openai import ChatOpenAI
from opentelemetry import trace
from opentelemetry.propagate import extract
from opentelemetry import context
import otel_mas
otel_mas.instrument(store=sys.argv[1])
context.attach(extract({"traceparent": sys.argv[3]}))
model = ChatOpenAI(model="gpt-4o-mini", base_url=sys.argv[2], api_key="local")
made = 0
try:
    while True:
        model.invoke("hello")
        made += 1
except otel_mas.errors.BudgetExceeded as error:
    print(made)
"""


def test_processes_of_a_run_count_together(counted: Counted, store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the settings in one process, by a block in the other."""
    url = str(counted.model.openai_api_base)
    monkeypatch.setenv("OTEL_MAS_BUDGETS", "calls=5")
    with otel_mas.workflow("shop") as run:
        context = run.span.get_span_context()
        parent = f"00-{context.trace_id:032x}-{context.span_id:016x}-01"
        with otel_mas.budget(calls=7) as budget:
            counted.model.invoke("hello")
            counted.model.invoke("hello")
            done = subprocess.run(
                [sys.executable, "-c", APP, str(store), url, parent], capture_output=True, text=True, env=os.environ
            )
            assert done.stdout.split() == ["3"], done.stderr
            counted.model.invoke("hello")
            counted.model.invoke("hello")
            with pytest.raises(BudgetExceeded, match="7 calls of the budget of 7 calls per run are spent by the block"):
                counted.model.invoke("hello")
    assert budget.spent.calls == 4


def test_by_the_settings_each_run_has_the_budget(counted: Counted, tmp_path: Path) -> None:
    otel_mas.instrument(store=tmp_path / "runs.db", budgets=["calls=2;tokens=1000000,per=agent"])
    graph = looping(counted.model)
    for _ in range(2):
        with pytest.raises(BudgetExceeded, match=r"budget of 2 calls per run are spent by run [0-9a-f]{32}"):
            graph.invoke(HELLO)
    for _ in range(4):
        counted.model.invoke("alone: a run of its own")
    otel_mas.shutdown()
    counted.model.invoke("and without recording there is no budget of the settings")
    assert counted.requests == 9


def test_seconds_are_those_of_the_run(counted: Counted, monkeypatch: pytest.MonkeyPatch) -> None:
    from otel_mas.instrumentation.budgets import accounts

    now = [100.0]
    monkeypatch.setattr(accounts.time, "monotonic", lambda: now[0])
    with otel_mas.budget(seconds=60):
        counted.model.invoke("hello")
        now[0] += 61
        with pytest.raises(BudgetExceeded, match=r"61 s of the budget of 60 s per run are spent by the block"):
            counted.model.invoke("hello")
