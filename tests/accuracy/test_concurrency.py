"""Many runs of one graph at the same time: each one's spans and causes are its own, edge by edge."""

from __future__ import annotations

import asyncio
import operator
import random
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Annotated, Any, TypedDict

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, StateGraph
from langgraph.types import Send
from opentelemetry import trace

import otel_mas
from tests.accuracy.trees import trees

TRACER = trace.get_tracer("the app")


class State(TypedDict):
    number: int
    done: Annotated[list[int], operator.add]


def app(asynchronous: bool = False) -> Any:
    """`plan` sends to as many workers as the run's number says, which are joined; odd numbers are checked first."""

    def fan_out(state: State) -> list[Send]:
        return [Send("worker", state) for _ in range(state["number"] % 4 + 1)]

    def worker(state: State) -> dict[str, Any]:
        with TRACER.start_as_current_span(f"work of {state['number']}"):
            time.sleep(random.random() / 200)
        return {"done": [state["number"]]}

    async def aworker(state: State) -> dict[str, Any]:
        with TRACER.start_as_current_span(f"work of {state['number']}"):
            await asyncio.sleep(random.random() / 100)
        return {"done": [state["number"]]}

    builder = StateGraph(State)
    builder.add_node("plan", lambda state: None)
    builder.add_node("check", lambda state: None)
    builder.add_node("worker", aworker if asynchronous else worker)
    builder.add_node("join", lambda state: None)
    builder.add_conditional_edges(START, lambda state: "check" if state["number"] % 2 else "plan", ["check", "plan"])
    builder.add_edge("check", "plan")
    builder.add_conditional_edges("plan", fan_out, ["worker"])
    builder.add_edge("worker", "join")
    builder.add_edge("join", END)
    return builder.compile(name="app", checkpointer=InMemorySaver())


def given(number: int) -> tuple[dict[str, Any], dict[str, Any]]:
    return {"number": number, "done": []}, {"configurable": {"thread_id": f"thread-{number}"}}


def batch(numbers: range) -> None:
    inputs, configs = zip(*map(given, numbers), strict=True)
    app().batch(list(inputs), list(configs))


def batch_as_completed(numbers: range) -> None:
    inputs, configs = zip(*map(given, numbers), strict=True)
    assert len(list(app().batch_as_completed(list(inputs), list(configs)))) == len(numbers)


def abatch(numbers: range) -> None:
    inputs, configs = zip(*map(given, numbers), strict=True)
    asyncio.run(app(asynchronous=True).abatch(list(inputs), list(configs)))


def abatch_as_completed(numbers: range) -> None:
    async def read() -> None:
        inputs, configs = zip(*map(given, numbers), strict=True)
        async for _ in app(asynchronous=True).abatch_as_completed(list(inputs), list(configs)):
            pass

    asyncio.run(read())


def on_one_loop(numbers: range) -> None:
    async def run() -> None:
        graph = app(asynchronous=True)
        await asyncio.gather(*[graph.ainvoke(*given(number)) for number in numbers])

    asyncio.run(run())


def streams_on_one_loop(numbers: range) -> None:
    async def read(graph: Any, number: int) -> None:
        async for _ in graph.astream(*given(number)):
            await asyncio.sleep(0)

    async def run() -> None:
        graph = app(asynchronous=True)
        async with asyncio.TaskGroup() as group:
            for number in numbers:
                group.create_task(read(graph, number))

    asyncio.run(run())


def from_threads(numbers: range) -> None:
    graph = app()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: graph.invoke(*given(number)), numbers))


def streams_read_in_turns(numbers: range) -> None:
    """One thread reads all of them, an event of each at a time."""
    graph = app()
    reading = [graph.stream(*given(number)) for number in numbers]
    while reading:
        reading = [stream for stream in reading if next(stream, None) is not None]


WAYS: list[Callable[[range], None]] = [
    batch,
    batch_as_completed,
    abatch,
    abatch_as_completed,
    on_one_loop,
    streams_on_one_loop,
    from_threads,
    streams_read_in_turns,
]


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_runs_at_the_same_time_do_not_mix(way: Callable[[range], None], recorded: Path) -> None:
    numbers = range(50)
    way(numbers)
    assert otel_mas.flush(30)
    with otel_mas.open(recorded) as source:
        assert len(source.traces(limit=1000)) == len(numbers)
        for number in numbers:
            (found,) = source.traces(conversation=f"thread-{number}")
            spans = source.trace(found.trace_id).spans
            assert [tree.replace("route lambda", "route") for tree in trees(spans)] == [tree_of(number)]
            graph = source.conversation(f"thread-{number}").graph()
            labels = graph.labels()
            edges = {(labels[edge.cause], edge.kind, labels[edge.effect]) for edge in graph.control_edges()}
            assert edges == edges_of(number)
            assert not graph.problems


def tree_of(number: int) -> str:
    workers = " ".join([f"task worker(work of {number})"] * (number % 4 + 1))
    check = "task check " if number % 2 else ""
    return f"invoke_workflow app(route <lambda> {check}task join task plan(route fan_out) {workers})"


def edges_of(number: int) -> set[tuple[str, str, str]]:
    workers = [f"worker#{index + 1}" for index in range(number % 4 + 1)]
    edges = {("check#1", "trigger", "plan#1")} if number % 2 else set()
    edges |= {("plan#1", "send", worker) for worker in workers}
    return edges | {(worker, "trigger", "join#1") for worker in workers}
