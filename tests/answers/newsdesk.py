"""A newsdesk that fails: the example of the pages about errors. Run by `tests.answers.record`."""

from __future__ import annotations

import time
from typing import Any, Literal, TypedDict

from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, StateGraph

import otel_mas


class Story(TypedDict, total=False):
    """The state."""

    subject: str
    plan: str
    figures: str
    facts: str
    text: str


@tool
def archive(query: str) -> str:
    """Look up a subject in the archive."""
    time.sleep(0.02)
    raise ConnectionError(f"the archive has no connection (asked for {query!r}, api_key=sk-0123456789abcdef0123456789)")


def planner(state: Story) -> Story:
    otel_mas.routing_reason("nobody has looked the subject up")
    return {"plan": f"facts and figures about {state['subject']}"}


def reader(state: Story) -> Story:
    try:
        return {"facts": archive.invoke({"query": state["subject"]})}
    except ConnectionError as error:
        raise RuntimeError("there are no facts to write about") from error


def statistician(state: Story) -> Story:
    time.sleep(0.01)
    return {"figures": "2,900 passengers a day"}


def writer(state: Story) -> Story:
    return {"text": f"{state['facts']}; {state['figures']}"}


def who(state: Story) -> list[Literal["reader", "statistician", "__end__"]]:
    return ["reader", "statistician"]


def newsdesk() -> Any:
    """The compiled graph: a planner, two who work side by side, and a writer who waits for both."""
    graph = StateGraph(Story)
    for node in (planner, reader, statistician, writer):
        graph.add_node(node.__name__, node)
    graph.add_edge(START, "planner")
    graph.add_conditional_edges("planner", who, ["reader", "statistician", END])
    graph.add_edge(["reader", "statistician"], "writer")
    return graph.compile(checkpointer=InMemorySaver(), name="newsdesk")


if __name__ == "__main__":
    newsdesk().invoke({"subject": "the tram"}, {"configurable": {"thread_id": "story"}})
