"""An app that forks in the middle of its runs; `python forked.py STORE`."""

from __future__ import annotations

import os
import sys
import threading
from typing import TypedDict

from langgraph.graph import START, StateGraph
from opentelemetry import trace

import otel_mas

TRACER = trace.get_tracer("the app")


class State(TypedDict):
    done: bool


def work() -> None:
    with TRACER.start_as_current_span("work"):
        pass


def inner() -> None:
    builder = StateGraph(State)
    builder.add_node("leaf", lambda state: work())
    builder.add_edge(START, "leaf")
    builder.compile(name="inner").invoke({"done": True})


def fork_and_leave(state: State) -> None:
    """The child does some work of its own and leaves without a word, as a forked child does."""
    work()
    child = os.fork()
    if child == 0:
        with TRACER.start_as_current_span("in the child"):
            inner()
        os._exit(0 if otel_mas.flush(20) else 1)
    assert os.waitpid(child, 0)[1] == 0
    work()


def parallel(state: State) -> None:
    for _ in range(20):
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()


if __name__ == "__main__":
    otel_mas.instrument(store=sys.argv[1])
    builder = StateGraph(State)
    builder.add_node("forks", fork_and_leave)
    builder.add_node("parallel", parallel)
    builder.add_node("last", lambda state: work())
    builder.add_edge(START, "forks")
    builder.add_edge(START, "parallel")
    builder.add_edge(["forks", "parallel"], "last")
    app = builder.compile(name="app")
    for _ in range(5):
        app.invoke({"done": True})
    parent = os.getpid()
    # Both go on with the graph: the child's half is the child's.
    builder = StateGraph(State)
    builder.add_node("splits", lambda state: {"done": os.fork() == 0})
    builder.add_node("after", lambda state: work())
    builder.add_edge(START, "splits")
    builder.add_edge("splits", "after")
    result = builder.compile(name="split").invoke({"done": True})
    if os.getpid() != parent:
        os._exit(0 if otel_mas.flush(20) else 1)
    assert os.wait()[1] == 0
    assert otel_mas.flush(20)
