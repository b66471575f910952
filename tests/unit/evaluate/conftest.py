"""Runs that are evaluated: of a real LangGraph agent with tools, recorded once for the test run."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Any, TypedDict

import pytest
from langchain_core.messages import AIMessage
from langchain_core.tools import tool
from langgraph.graph import END, START, StateGraph
from langgraph.types import RetryPolicy

import otel_mas
from otel_mas.api import Source, Trace
from tests.accuracy.topologies.model import ScriptedModel, ask

CAPITALS = {"France": "Paris", "Italy": "Rome"}


class Question(TypedDict, total=False):
    question: str
    notes: Annotated[list[str], operator.add]
    answer: str


@tool
def atlas(country: str) -> str:
    """Look a country up."""
    return f"{country} has the capital {CAPITALS[country]}."


@tool
def calendar(day: str) -> str:
    """Look a day up."""
    return f"{day} is no holiday."


def capital_app() -> Any:
    """Two nodes look up side by side, a third writes the answer; the first lookup fails once and is tried again."""
    failures = iter([True])
    model: Any = ScriptedModel(
        script=lambda messages: AIMessage(str(messages[-1].content).rpartition(" ")[2].rstrip("."))
    )

    def research(state: Question) -> Question:
        country = state["question"].rpartition(" ")[2].rstrip("?")
        if next(failures, False):
            raise ConnectionError("the atlas did not answer")
        return {"notes": [atlas.invoke({"country": country})]}

    def schedule(state: Question) -> Question:
        return {"notes": [calendar.invoke({"day": "Monday"})]}

    def write(state: Question) -> Question:
        note = next(one for one in state["notes"] if "capital" in one)
        return {"answer": ask(model, "Name the capital only.", note)}

    retry = RetryPolicy(max_attempts=2, initial_interval=0.01, jitter=False, retry_on=ConnectionError)
    graph = StateGraph(Question)
    graph.add_node("research", research, retry_policy=retry)
    graph.add_node("schedule", schedule)
    graph.add_node("write", write)
    for node in ("research", "schedule"):
        graph.add_edge(START, node)
    graph.add_edge(["research", "schedule"], "write")
    graph.add_edge("write", END)
    return graph.compile(name="capitals")


def _fill(folder: Path) -> None:
    otel_mas.instrument(store=folder / "runs.db")
    try:
        for country in ("France", "Italy"):
            capital_app().invoke({"question": f"What is the capital of {country}?"})
        with pytest.raises(KeyError):
            capital_app().invoke({"question": "What is the capital of Atlantis?"})
    finally:
        otel_mas.shutdown(30)


@pytest.fixture(scope="session")
def capitals(once: Callable[[str, Callable[[Path], None]], Path]) -> Path:
    """A store with three runs: about France, about Italy, and one that failed."""
    return once("capitals", _fill) / "runs.db"


@pytest.fixture
def source(capitals: Path) -> Iterator[Source]:
    with otel_mas.open(capitals) as opened:
        yield opened


@pytest.fixture
def runs(source: Source) -> list[Trace]:
    """The three runs, oldest first."""
    return list(source.each())


@pytest.fixture
def france(runs: list[Trace]) -> Trace:
    return runs[0]


@pytest.fixture
def failed(runs: list[Trace]) -> Trace:
    return runs[2]
