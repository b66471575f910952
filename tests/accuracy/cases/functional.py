"""The functional API: `@entrypoint`, `@task`, futures awaited in any order, tasks that call tasks."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from langgraph.checkpoint.memory import InMemorySaver
from langgraph.func import entrypoint, task
from langgraph.graph import START

from tests.accuracy.cases.building import State, graph_of
from tests.accuracy.cases.case import Run, case


@task
def fetch(number: int) -> int:
    time.sleep(0.001 * (3 - number))
    return number


@task
def combine(*numbers: int) -> int:
    return sum(numbers)


@task
async def afetch(number: int) -> int:
    await asyncio.sleep(0.001 * (3 - number))
    return number


@case(
    """
    START --trigger--> flow
    flow --call--> fetch#1..3, combine
    """
)
def calls() -> Any:
    @entrypoint()
    def flow(given: Any) -> int:
        futures = [fetch(number) for number in range(3)]
        return combine(*[future.result() for future in futures]).result()

    return flow


@case(
    """
    START --trigger--> flow
    flow --call--> fetch#1..3, combine#1..2
    """
)
def futures_awaited_out_of_order() -> Any:
    """The last is awaited first, one never; which is awaited when changes nothing of who called."""

    @entrypoint()
    def flow(given: Any) -> int:
        first, _, third = [fetch(number) for number in range(3)]
        last = combine(third.result(), first.result())
        combine(0)
        return last.result()

    return flow


@case(
    """
    START --trigger--> flow
    flow --call--> afetch#1..3, afetch#4
    """,
    only="async",
)
def coroutines_gathered() -> Any:
    @entrypoint()
    async def flow(given: Any) -> int:
        numbers = await asyncio.gather(*[afetch(number) for number in range(3)])
        return await afetch(sum(numbers) % 3)

    return flow


@case(
    """
    START --trigger--> flow
    flow --call--> outer#1..2
    outer#1 --call--> inner#1
    outer#2 --call--> inner#2
    """
)
def tasks_that_call_tasks() -> Any:
    @task
    def inner(number: int) -> int:
        return number

    @task
    def outer(number: int) -> int:
        return inner(number).result()

    @entrypoint()
    def flow(given: Any) -> int:
        return outer(1).result() + outer(2).result()

    return flow


@case(
    """
    START --trigger--> plan
    plan --call--> fetch#1..2
    plan --trigger--> publish
    """
)
def tasks_called_by_a_node() -> Any:
    def plan(state: State) -> State:
        return {"count": sum(future.result() for future in [fetch(1), fetch(2)])}

    return graph_of("publish", [(START, "plan"), ("plan", "publish")], plan=plan).compile()


@case(
    """
    START --trigger--> plan
    plan/START --trigger--> plan/flow
    plan/flow --call--> plan/fetch#1..2
    plan --trigger--> publish
    """
)
def entrypoint_called_by_a_node() -> Any:
    @entrypoint()
    def flow(given: Any) -> int:
        return fetch(1).result() + fetch(2).result()

    def plan(state: State) -> State:
        return {"count": flow.invoke(1)}

    return graph_of("publish", [(START, "plan"), ("plan", "publish")], plan=plan).compile()


@case(
    """
    START --trigger--> flow
    flow --call--> fetch
    flow/START --trigger--> flow/draft
    flow/draft --trigger--> flow/check
    """
)
def graph_called_by_an_entrypoint() -> Any:
    graph = graph_of("draft check", [(START, "draft"), ("draft", "check")]).compile(name="graph")

    @entrypoint()
    def flow(given: Any) -> Any:
        fetch(1).result()
        return graph.invoke({})

    return flow


@case(
    """
    START --trigger--> flow
    flow --call--> ask
    ask/START --trigger--> ask/draft
    """
)
def graph_called_by_a_task() -> Any:
    graph = graph_of("draft", [(START, "draft")]).compile(name="graph")

    @task
    def ask() -> Any:
        return graph.invoke({})

    @entrypoint()
    def flow(given: Any) -> Any:
        return ask().result()

    return flow


@case(
    """
    START --trigger--> flow
    START@2 --trigger--> flow#2
    flow#2 --call--> fetch
    """,
    Run(1),
    Run(2),
)
def final_and_previous() -> Any:
    """State saved for the second run is no cause: only the input makes an entrypoint run."""

    @entrypoint(checkpointer=InMemorySaver())
    def flow(given: int, *, previous: Any = None) -> Any:
        if previous is not None:
            assert previous == 10
            fetch(1).result()
        return entrypoint.final(value=given, save=10)

    return flow


@case(
    """
    START --trigger--> plan
    plan --call--> afetch#1..2, fetch
    plan --trigger--> publish
    """,
    only="async",
)
def tasks_called_by_a_coroutine() -> Any:
    """Coroutines and functions; the first one to be done is awaited first."""

    async def plan(state: State) -> State:
        called = [afetch(1), afetch(2), fetch(0)]
        return {"count": sum([await future for future in asyncio.as_completed(called)])}

    return graph_of("publish", [(START, "plan"), ("plan", "publish")], plan=plan).compile()


@case(
    """
    START --trigger--> flow
    flow --call--> fetch#1..3
    fetch#2: error
    """
)
def one_of_several_calls_fails_and_is_dealt_with() -> Any:
    @task(name="fetch")
    def fetch_or_fail(number: int) -> int:
        return 6 // number

    @entrypoint()
    def flow(given: Any) -> list[int]:
        found = []
        for future in [fetch_or_fail(number) for number in (1, 0, 2)]:
            try:
                found.append(future.result())
            except ZeroDivisionError:
                found.append(0)
        return found

    return flow
