"""A node that blocks the event loop is told by the spans that were open meanwhile."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any, TypedDict

import pytest
from langgraph.graph import END, START, StateGraph

import otel_mas
from otel_mas.semconv import attributes as names

BLOCK_S = 0.3


class State(TypedDict, total=False):
    text: str


def app() -> Any:
    async def block(state: State) -> State:
        time.sleep(BLOCK_S)
        return {}

    async def wait(state: State) -> State:
        await asyncio.sleep(0.05)
        return {}

    async def later(state: State) -> State:
        return {}

    graph = StateGraph(State)
    for node in (block, wait, later):
        graph.add_node(node.__name__, node)
    graph.add_edge(START, "block")
    graph.add_edge(START, "wait")
    graph.add_edge(["block", "wait"], "later")
    graph.add_edge("later", END)
    return graph.compile(name="app")


def lags(path: Path, **settings: Any) -> dict[str, float]:
    """Longest lag by name of the span."""
    otel_mas.instrument(store=str(path), **settings)
    try:
        asyncio.run(app().ainvoke({"text": ""}))
    finally:
        otel_mas.shutdown(30)
    with otel_mas.open(path) as source:
        spans = source.latest().spans
    return {span.name: span.get(names.MAS_EVENT_LOOP_LAG_MAX, 0.0) for span in spans}


def test_the_blocking_node_and_what_was_open_beside_it_tell_the_lag(tmp_path: Path) -> None:
    found = lags(tmp_path / "runs.db")
    for name in ("task block", "task wait", "invoke_workflow app"):
        assert found[name] > BLOCK_S / 2, name
    assert found["task later"] < found["task block"]


def test_off_means_no_measurement(tmp_path: Path) -> None:
    assert set(lags(tmp_path / "runs.db", event_loop_lag=False).values()) == {0.0}


def test_a_node_of_a_run_without_a_loop_has_none(tmp_path: Path) -> None:
    otel_mas.instrument(store=str(tmp_path / "runs.db"))
    try:
        with pytest.raises(TypeError):  # LangGraph calls no coroutine function there
            app().invoke({"text": ""})
    finally:
        otel_mas.shutdown(30)
    with otel_mas.open(tmp_path / "runs.db") as source:
        assert not any(span.get(names.MAS_EVENT_LOOP_LAG_MAX) for span in source.latest().spans)
