"""The names of runs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypedDict

import pytest
from langchain_core.language_models.fake_chat_models import FakeListChatModel
from langgraph.graph import START, MessagesState, StateGraph

import otel_mas
from otel_mas.semconv import attributes as names
from otel_mas.semconv.enums import RecordKind
from tests.accuracy.features import create_agent, needs_create_agent, react_agent


def graph(name: str | None) -> Any:
    class State(TypedDict, total=False):
        x: int

    built = StateGraph(State)
    built.add_node("node", lambda state: {"x": 1})
    built.add_edge(START, "node")
    return built.compile(name=name)


@pytest.mark.parametrize(
    ("name", "run_name", "called"),
    [(None, None, "LangGraph"), (None, "nightly", "nightly"), ("team", None, "team"), ("team", "nightly", "team")],
)
def test_a_workflow_has_the_name_that_its_author_or_else_its_caller_gave_it(
    name: str | None, run_name: str | None, called: str, recorded: Path
) -> None:
    graph(name).invoke({"x": 0}, {"run_name": run_name} if run_name else None)
    otel_mas.flush(30)
    with otel_mas.open(recorded) as source:
        assert [summary.name for summary in source.traces()] == [f"invoke_workflow {called}"]


MAKERS = [react_agent, pytest.param(create_agent, marks=needs_create_agent)]


def agent(made: Callable[..., Any], name: str | None) -> Any:
    return made(FakeListChatModel(responses=["hi"]), [], name=name)


@pytest.mark.parametrize("made", MAKERS)
@pytest.mark.parametrize(("name", "called"), [("helper", "invoke_agent helper"), (None, "invoke_agent")])
def test_an_agent_is_one_with_a_name_or_without(
    made: Callable[..., Any], name: str | None, called: str, recorded: Path
) -> None:
    agent(made, name).invoke({"messages": "hello"})
    otel_mas.flush(30)
    with otel_mas.open(recorded) as source:
        (summary,) = source.traces()
        run, *_ = source.latest().spans
    assert (summary.name, summary.agents) == (called, (name,) if name else ())
    assert run.record_kind == RecordKind.AGENT_TASK
    assert run.get(names.GEN_AI_OPERATION_NAME) == "invoke_agent"


@pytest.mark.parametrize("made", MAKERS)
def test_an_agent_without_a_name_has_the_name_of_its_node(made: Callable[..., Any], recorded: Path) -> None:
    team = StateGraph(MessagesState)
    team.add_node("helper", agent(made, None))
    team.add_node("part", graph(None))
    team.add_edge(START, "helper")
    team.add_edge("helper", "part")
    team.compile().invoke({"messages": "hello"})
    otel_mas.flush(30)
    with otel_mas.open(recorded) as source:
        (summary,) = source.traces()
        called = {span.name for span in source.latest().spans}
    assert summary.agents == ("helper",)
    assert {"invoke_agent helper", "task part"} <= called
