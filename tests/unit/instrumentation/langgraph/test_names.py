"""What runs are called."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypedDict

import pytest
from langgraph.graph import START, StateGraph

import otel_mas


@pytest.fixture
def recorded(tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "runs.db"
    otel_mas.instrument(store=path)
    yield path
    otel_mas.shutdown(30)


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
def test_a_workflow_is_called_what_its_author_or_else_its_caller_called_it(
    name: str | None, run_name: str | None, called: str, recorded: Path
) -> None:
    graph(name).invoke({"x": 0}, {"run_name": run_name} if run_name else None)
    otel_mas.flush(30)
    with otel_mas.open(recorded) as source:
        assert [summary.name for summary in source.traces()] == [f"invoke_workflow {called}"]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize(("name", "called"), [("helper", "invoke_agent helper"), (None, "invoke_workflow LangGraph")])
def test_a_react_agent_that_is_named_is_an_agent(name: str | None, called: str, recorded: Path) -> None:
    from langchain_core.language_models.fake_chat_models import FakeListChatModel
    from langgraph.prebuilt import create_react_agent

    create_react_agent(FakeListChatModel(responses=["hi"]), [], name=name).invoke({"messages": "hello"})
    otel_mas.flush(30)
    with otel_mas.open(recorded) as source:
        (summary,) = source.traces()
    assert (summary.name, summary.agents) == (called, (name,) if name else ())
