"""A Celery app whose tasks run a graph; its queue is a folder: `celery -A tests.accuracy.queued worker`."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Any, TypedDict

from celery import Celery
from langgraph.graph import START, StateGraph
from opentelemetry import trace

TRACER = trace.get_tracer("the app")
FOLDER = Path(os.environ["QUEUE_FOLDER"])
(FOLDER / "queue").mkdir(exist_ok=True)
(FOLDER / "done").mkdir(exist_ok=True)

app = Celery("queued", broker="filesystem://", backend=f"file://{FOLDER / 'done'}")
app.conf.broker_transport_options = {
    "data_folder_in": str(FOLDER / "queue"),
    "data_folder_out": str(FOLDER / "queue"),
    "control_folder": str(FOLDER / "control"),
}


class State(TypedDict):
    number: int


def work(state: State) -> None:
    with TRACER.start_as_current_span(f"work of {state['number']}"):
        pass


async def awork(state: State) -> None:
    work(state)


def chain(node: Any) -> Any:
    builder = StateGraph(State)
    builder.add_node("one", node)
    builder.add_node("two", node)
    builder.add_edge(START, "one")
    builder.add_edge("one", "two")
    return builder.compile(name="app")


# Made and run in the parent, before it forks its workers.
GRAPH, ASYNC_GRAPH = chain(work), chain(awork)
GRAPH.invoke({"number": -1})


@app.task  # type: ignore[untyped-decorator]
def answer(number: int) -> int:
    with TRACER.start_as_current_span(f"job {number}"):
        if number % 2:
            asyncio.run(ASYNC_GRAPH.ainvoke({"number": number}))
        else:
            GRAPH.invoke({"number": number})
    return os.getpid()
