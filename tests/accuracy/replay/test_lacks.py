"""What a recording lacks, and what only looks as if it did."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.types import interrupt

import otel_mas

SECRET = "sk-proj-abcdefghijklmnopqrstuvwxyz0123456789ABCD"


@pytest.fixture(autouse=True)
def store(tmp_path: Path) -> Iterator[Path]:
    otel_mas.instrument(store=tmp_path / "runs.db")
    yield tmp_path / "runs.db"
    otel_mas.shutdown()


@tool
def token_of(user: str) -> str:
    """Make a token."""
    return SECRET


@tool
def transfer(amount: int) -> str:
    """Transfer money."""
    return f"transferred {amount}: {interrupt('sure?')}"


def test_a_secret_in_the_result_of_a_tool_is_said(store: Path) -> None:
    token_of.invoke({"user": "ann"})
    otel_mas.flush()
    with otel_mas.replay("latest") as session:
        assert token_of.invoke({"user": "ann"}) == "[redacted]"
    (lacking,) = session.recording.lacks
    assert "tool:token_of#1" in lacking


def test_a_tool_that_paused_to_ask_a_person_lacks_nothing(store: Path) -> None:
    def pay(_: MessagesState) -> Any:
        return {"messages": [transfer.invoke({"amount": 5})]}

    graph = StateGraph(MessagesState)
    graph.add_node("pay", pay)
    graph.add_edge(START, "pay")
    graph.add_edge("pay", END)
    config: Any = {"configurable": {"thread_id": "one"}}
    graph.compile(checkpointer=InMemorySaver()).invoke({"messages": []}, config)
    otel_mas.flush()
    assert otel_mas.replay("latest").session.recording.lacks == ()
