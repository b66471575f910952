"""A graph for a LangGraph server to serve."""

from __future__ import annotations

from typing import Any, TypedDict

from langgraph.graph import START, StateGraph
from opentelemetry import trace


class State(TypedDict):
    text: str


async def answer(state: State) -> dict[str, Any]:
    with trace.get_tracer("the server's").start_as_current_span("work"):
        return {"text": f"{state['text']}!"}


builder = StateGraph(State)
builder.add_node("answer", answer)
builder.add_edge(START, "answer")
served = builder.compile(name="served")
