"""An app whose node hands work to other processes; `python processes.py STORE METHOD`.

Recording is switched on where the app starts, under its main guard: a spawned child begins without it.
"""

from __future__ import annotations

import multiprocessing
import sys
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from typing import Any, TypedDict

from opentelemetry import trace

TRACER = trace.get_tracer("the app")


class State(TypedDict):
    done: bool


def work(*_: Any) -> None:
    with TRACER.start_as_current_span("work"):
        pass


def inner_graph(*_: Any) -> None:
    from langgraph.graph import START, StateGraph

    builder = StateGraph(State)
    builder.add_node("leaf", lambda state: work())
    builder.add_edge(START, "leaf")
    builder.compile(name="inner").invoke({"done": True})


def process(method: str) -> None:
    child = multiprocessing.get_context(method).Process(target=work)
    child.start()
    child.join()


def graph(method: str) -> None:
    child = multiprocessing.get_context(method).Process(target=inner_graph)
    child.start()
    child.join()


def pool(method: str) -> None:
    with multiprocessing.get_context(method).Pool(1) as workers:
        workers.apply(work)
        workers.map(work, [1])
        list(workers.imap(work, [1]))
        workers.close()
        workers.join()


def executor(method: str) -> None:
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context(method)) as workers:
        workers.submit(work).result()
        list(workers.map(work, [1]))


def shared_executor(method: str) -> None:
    """A pool that two nodes use, and then the app outside of any."""
    workers = ProcessPoolExecutor(1, mp_context=multiprocessing.get_context(method))
    run({name: lambda: workers.submit(work).result() for name in ("first", "second")})
    workers.submit(work).result()
    workers.shutdown()


def run(nodes: dict[str, Callable[[], Any]]) -> None:
    """The nodes one after the other."""
    from langgraph.graph import START, StateGraph

    builder = StateGraph(State)
    last = START
    for name, body in nodes.items():
        builder.add_node(name, lambda state, body=body: body())
        builder.add_edge(last, name)
        last = name
    builder.compile(name="app").invoke({"done": True})


if __name__ == "__main__":
    import otel_mas

    store, method = sys.argv[1:]
    otel_mas.instrument(store=store)
    run({way.__name__: partial(way, method) for way in (process, graph, pool, executor)})
    shared_executor(method)
    assert otel_mas.flush(30)
