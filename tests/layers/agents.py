"""The agent that each service of these tests has: a LangGraph app with one agent that answers."""

from __future__ import annotations

from typing import Any, TypedDict

from langgraph.graph import START, StateGraph


class State(TypedDict):
    text: str


def answer(state: State) -> dict[str, Any]:
    return {"text": f"{state['text']}, answered"}


def agent(name: str, node: Any = answer) -> Any:
    """An app of this name; its only node is called `NAME_node`."""
    builder = StateGraph(State)
    builder.add_node(f"{name}_node", node)
    builder.add_edge(START, f"{name}_node")
    return builder.compile(name=name)
