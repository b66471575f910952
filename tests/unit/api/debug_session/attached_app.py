"""An app to attach to, `python attached_app.py STORE HOW...`: a run for each way to end.

ok: returns. fails: raises. waits: goes on for as long as its input is open, with a line after each one of it. pauses: a
graph asks a person. resumes: the person answers, in a run of its own.
"""

from __future__ import annotations

import sys
from contextlib import suppress
from typing import Any, TypedDict

import otel_mas


def ok() -> None:
    with otel_mas.workflow("trip"), otel_mas.agent("planner") as planner:
        with otel_mas.tool("look_up") as tool:
            tool.result("far away")
        planner.state(plan="go there")


def fails() -> None:
    with suppress(ValueError), otel_mas.workflow("trip"), otel_mas.agent("planner"), otel_mas.tool("look_up"):
        raise ValueError("no such place")


def waits() -> None:
    with otel_mas.workflow("trip"), otel_mas.agent("planner"):
        for line in sys.stdin:
            with otel_mas.tool("look_up") as tool:
                tool.result(line.strip())


class State(TypedDict, total=False):
    """State of the graph."""

    answer: str


_graphs: list[Any] = []


def pauses(answer: object = None) -> None:
    from langgraph.checkpoint.memory import InMemorySaver
    from langgraph.graph import StateGraph
    from langgraph.types import Command, interrupt

    def ask(state: State) -> State:
        return {"answer": interrupt("Go there?")}

    if not _graphs:
        graph = StateGraph(State)
        graph.add_node("ask", ask)
        graph.set_entry_point("ask")
        _graphs.append(graph.compile(checkpointer=InMemorySaver(), name="trip"))
    given = {} if answer is None else Command(resume=answer)
    _graphs[0].invoke(given, {"configurable": {"thread_id": "trip-1"}})


def resumes() -> None:
    pauses("yes")


if __name__ == "__main__":
    otel_mas.instrument(store=sys.argv[1])
    for how in sys.argv[2:]:
        {"ok": ok, "fails": fails, "waits": waits, "pauses": pauses, "resumes": resumes}[how]()
    otel_mas.shutdown(60)
