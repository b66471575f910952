"""Errors: one where it happened; what it passed through names it; what it stopped was cancelled."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

from langgraph.errors import EmptyInputError, GraphRecursionError, InvalidUpdateError
from langgraph.func import entrypoint, task
from langgraph.graph import END, START
from langgraph.types import Send

from tests.accuracy.cases.building import State, graph_of
from tests.accuracy.cases.case import Run, case


def bad(state: State) -> State:
    raise ValueError("boom")


@case(
    """
    START --trigger--> a
    a --trigger--> a/b
    a/b --trigger--> a/b/c
    a/b/c --trigger--> a/b/c/first
    a/b/c/first --trigger--> a/b/c/bad
    a/b/c/bad: error
    a/b/c: error in a/b/c/bad
    a/b: error in a/b/c/bad
    a: error in a/b/c/bad
    START: error in a/b/c/bad
    """,
    raises=ValueError,
)
def error_three_subgraphs_down() -> Any:
    c = graph_of("first", [(START, "first"), ("first", "bad")], bad=bad).compile(name="c")
    b = graph_of("", [(START, "c")], c=c).compile(name="b")
    a = graph_of("", [(START, "b")], b=b).compile(name="a")
    return graph_of("never", [(START, "a"), ("a", "never")], a=a).compile()


@case(
    """
    START --trigger--> bad, slow
    bad: error
    START: error in bad
    """,
    only="sync",
    raises=ValueError,
)
def error_beside_a_thread() -> Any:
    """A thread cannot be cancelled: LangGraph waits for it, and it ends well."""
    failed = threading.Event()

    def fails(state: State) -> State:
        failed.set()
        raise ValueError("boom")

    def slow(state: State) -> State:
        failed.wait(10)
        return {"count": 1}

    return graph_of("never", [(START, "bad"), (START, "slow"), ("slow", "never")], bad=fails, slow=slow).compile()


@case(
    """
    START --trigger--> bad, slow, inner
    inner --trigger--> inner/slow
    bad: error
    slow: cancelled
    inner/slow: cancelled
    inner: cancelled
    START: error in bad
    """,
    only="async",
    raises=ValueError,
)
def error_beside_coroutines() -> Any:
    """They are cancelled, also one that is a subgraph, with all in it."""

    async def fails(state: State) -> State:
        await asyncio.sleep(0.1)
        raise ValueError("boom")

    async def slow(state: State) -> State:
        await asyncio.sleep(60)
        return {}

    inner = graph_of("", [(START, "slow")], slow=slow).compile(name="inner")
    edges = [(START, "bad"), (START, "slow"), (START, "inner")]
    return graph_of("", edges, bad=fails, slow=slow, inner=inner).compile()


@case(
    """
    START --trigger--> plan
    plan decides by fan: worker from worker
    plan --send--> worker#1..3
    worker#1: cancelled
    worker#2: error
    worker#3: cancelled
    START: error in worker#2
    """,
    only="async",
    raises=ValueError,
)
def error_of_one_of_three_sent_coroutines() -> Any:
    def fan(state: State) -> list[Send]:
        return [Send("worker", {"given": number}) for number in (1, 2, 3)]

    async def worker(state: State) -> State:
        await asyncio.sleep(0.1 if state["given"] == 2 else 60)
        raise ValueError("boom")

    graph = graph_of("plan", [(START, "plan")], worker=worker)
    graph.add_conditional_edges("plan", fan, ["worker"])
    return graph.compile()


@case(
    """
    START --trigger--> outer
    outer/START --trigger--> outer/bad
    outer/bad: error
    outer/START: error in outer/bad
    outer: error in outer/bad
    START: error in outer/bad
    """,
    raises=ValueError,
)
def error_in_a_graph_that_code_invokes() -> Any:
    inner = graph_of("", [(START, "bad")], bad=bad).compile(name="inner")
    return graph_of("", [(START, "outer")], outer=lambda state: inner.invoke(state)).compile()


@case(
    """
    START --trigger--> outer
    outer/START --trigger--> outer/bad
    outer/bad: error
    outer/START: error in outer/bad
    outer --trigger--> after
    """
)
def error_that_code_deals_with() -> Any:
    inner = graph_of("", [(START, "bad")], bad=bad).compile(name="inner")

    def outer(state: State) -> State:
        try:
            inner.invoke(state)
        except ValueError:
            pass
        return {"count": 1}

    return graph_of("after", [(START, "outer"), ("outer", "after")], outer=outer).compile()


@case(
    """
    START --trigger--> outer
    outer/START --trigger--> outer/bad
    outer/bad: error
    outer/START: error in outer/bad
    outer: error
    START: error in outer
    """,
    raises=RuntimeError,
)
def error_that_causes_another_one() -> Any:
    """The node raises an error of its own because of the one inside: it is another one, and is its own."""
    inner = graph_of("", [(START, "bad")], bad=bad).compile(name="inner")

    def outer(state: State) -> State:
        try:
            inner.invoke(state)
        except ValueError as error:
            raise RuntimeError("the inner graph did not work") from error
        return {}

    return graph_of("", [(START, "outer")], outer=outer).compile()


@case(
    """
    START --trigger--> grade
    grade: error
    START: error in grade
    """,
    raises=ZeroDivisionError,
)
def error_of_a_routing_function() -> Any:
    """It runs in the task whose destination it is to choose."""
    graph = graph_of("grade never", [(START, "grade")])
    graph.add_conditional_edges("grade", lambda state: str(1 // 0), ["never"])
    return graph.compile()


@case(
    """
    START --trigger--> flow
    flow --call--> outer
    outer --call--> inner
    inner: error
    outer: error in inner
    flow: error in inner
    START: error in inner
    """,
    raises=ValueError,
)
def error_in_a_task_that_a_task_called() -> Any:
    """The waiting task is not where the error began."""

    @task
    def inner() -> Any:
        raise ValueError("boom")

    @task
    def outer() -> Any:
        return inner().result()

    @entrypoint()
    def flow(given: Any) -> Any:
        return outer().result()

    return flow


@case(
    """
    START --trigger--> a
    a --trigger--> b
    b --trigger--> a#2
    a#2 --trigger--> b#2
    START: error
    """,
    raises=GraphRecursionError,
    recursion_limit=4,
)
def endless_loop() -> Any:
    """The limit is reached by the run, by no task of it."""
    return graph_of("a b", [(START, "a"), ("a", "b"), ("b", "a")]).compile()


@case(
    """
    START --trigger--> inner
    inner --trigger--> inner/a
    inner/a --trigger--> inner/a#2
    inner/a#2 --trigger--> inner/a#3
    inner: error
    START: error in inner
    """,
    raises=GraphRecursionError,
    recursion_limit=3,
)
def endless_loop_in_a_subgraph() -> Any:
    inner = graph_of("a", [(START, "a"), ("a", "a")]).compile(name="inner")
    return graph_of("", [(START, "inner")], inner=inner).compile()


@case(
    """
    START --trigger--> outer
    outer/START --trigger--> outer/a
    outer/a --trigger--> outer/a#2
    outer/START: error
    outer: error in outer/START
    START: error in outer/START
    """,
    raises=GraphRecursionError,
)
def endless_loop_in_a_graph_that_code_invokes() -> Any:
    inner = graph_of("a", [(START, "a"), ("a", "a")]).compile(name="inner")

    def outer(state: State) -> Any:
        return inner.invoke(state, {"recursion_limit": 2})

    return graph_of("", [(START, "outer")], outer=outer).compile()


@case(
    """
    START --trigger--> outer
    outer/START --trigger--> outer/a
    outer/a --trigger--> outer/a#2
    outer/START: error
    outer --trigger--> after
    """
)
def endless_loop_that_code_deals_with() -> Any:
    inner = graph_of("a", [(START, "a"), ("a", "a")]).compile(name="inner")

    def outer(state: State) -> Any:
        try:
            inner.invoke(state, {"recursion_limit": 2})
        except GraphRecursionError:
            pass
        return {"count": 1}

    return graph_of("after", [(START, "outer"), ("outer", "after"), ("after", END)], outer=outer).compile()


@case(
    """
    START --trigger--> gives_up
    gives_up: error
    START: error in gives_up
    """,
    since=(1, 2),
    raises=Exception,
)
def node_that_raises_a_cancellation() -> Any:
    """Nobody cancelled it: LangGraph makes an error of it."""

    def gives_up(state: State) -> State:
        raise asyncio.CancelledError

    return graph_of("", [(START, "gives_up")], gives_up=gives_up).compile()


@case(
    """
    START --trigger--> left, right
    START: error
    """,
    raises=InvalidUpdateError,
)
def updates_that_contradict_each_other() -> Any:
    """Each task did well; it is the run that cannot make one state of what they wrote."""
    nodes = {name: lambda state: {"given": 1} for name in ("left", "right")}
    return graph_of("", [(START, "left"), (START, "right")], **nodes).compile()


@case(
    """
    START --trigger--> inner
    inner --trigger--> inner/left, inner/right
    inner: error
    START: error in inner
    """,
    raises=InvalidUpdateError,
)
def updates_that_contradict_each_other_in_a_subgraph() -> Any:
    return graph_of("", [(START, "inner")], inner=updates_that_contradict_each_other()).compile()


@case("START: error", Run(None, raises=EmptyInputError))
def nothing_to_start_from() -> Any:
    return graph_of("never", [(START, "never")]).compile()


@case(
    """
    START --trigger--> slow, quick
    slow: cancelled
    START: error
    """,
    only="async",
    raises=TimeoutError,
)
def step_that_takes_too_long() -> Any:
    """The time-out is the run's: the task that it stopped did nothing wrong."""

    async def slow(state: State) -> State:
        await asyncio.sleep(60)
        return {}

    graph = graph_of("quick", [(START, "slow"), (START, "quick")], slow=slow).compile()
    graph.step_timeout = 0.3
    return graph
