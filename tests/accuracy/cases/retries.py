"""Retry policies: each attempt is a span, because of the one before it; the rest follows the one that succeeded."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from langgraph import errors
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.func import entrypoint, task
from langgraph.graph import START
from langgraph.types import Command, RetryPolicy, Send, interrupt

from tests.accuracy.cases.building import State, graph_of
from tests.accuracy.cases.case import Run, case

TWICE = RetryPolicy(max_attempts=2, initial_interval=0.001, jitter=False, retry_on=ConnectionError)
TIMEOUT = getattr(errors, "NodeTimeoutError", Exception)
THREE_TIMES = TWICE._replace(max_attempts=3)


def failing(times: int, result: Any = None, error: Exception | None = None) -> Callable[[Any], Any]:
    """A node that fails so often before it returns."""
    calls = 0

    def flaky(state: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls <= times:
            raise error or ConnectionError(f"attempt {calls}")
        return {} if result is None else result

    return flaky


def retried(names: str, edges: list[tuple[Any, Any]], policy: Any = TWICE, **nodes: Any) -> Any:
    """A graph whose special nodes are retried."""
    graph = graph_of(names)
    for name, special in nodes.items():
        graph.add_node(name, special, retry_policy=policy)
    for start, end in edges:
        graph.add_edge(start, end)
    return graph


@case(
    """
    START --trigger--> plan
    plan --trigger--> flaky@1..3
    flaky@1 --retry--> flaky@2
    flaky@2 --retry--> flaky@3
    flaky: error, error, ok
    flaky@3 --trigger--> publish
    """
)
def retried_until_it_succeeds() -> Any:
    edges = [(START, "plan"), ("plan", "flaky"), ("flaky", "publish")]
    return retried("plan publish", edges, THREE_TIMES, flaky=failing(2)).compile()


@case(
    """
    START --trigger--> flaky@1..2
    flaky@1 --retry--> flaky@2
    flaky: error, ok
    """
)
def retried_after_a_while() -> Any:
    return retried("", [(START, "flaky")], TWICE._replace(initial_interval=0.1), flaky=failing(1)).compile()


@case(
    """
    START --trigger--> flaky@1..2
    flaky@1 --retry--> flaky@2
    flaky: error, error
    START: error in flaky@2
    """,
    raises=ConnectionError,
)
def retried_in_vain() -> Any:
    return retried("never", [(START, "flaky"), ("flaky", "never")], flaky=failing(2)).compile()


@case(
    """
    START --trigger--> flaky@1..2
    flaky@1 --retry--> flaky@2
    flaky: error, error
    START: error in flaky@2
    """,
    raises=ConnectionError,
)
def retried_in_vain_with_one_exception() -> Any:
    """The very same exception object each time is an error of each attempt."""
    return retried("", [(START, "flaky")], flaky=failing(2, error=ConnectionError("always this one"))).compile()


@case(
    """
    START --trigger--> flaky
    flaky: error
    START: error in flaky
    """,
    raises=ValueError,
)
def not_retried_for_this_error() -> Any:
    return retried("", [(START, "flaky")], flaky=failing(1, error=ValueError("no policy for it"))).compile()


@case(
    """
    START --trigger--> steady
    steady --trigger--> publish
    """
)
def not_retried_as_it_succeeds() -> Any:
    return retried("publish", [(START, "steady"), ("steady", "publish")], steady=failing(0)).compile()


@case(
    """
    START --trigger--> flaky@1..2
    flaky@1 --retry--> flaky@2
    flaky: error, ok
    flaky@2 --trigger--> publish
    """,
    only="async",
)
def async_node_retried() -> Any:
    inner = failing(1)

    async def flaky(state: State) -> Any:
        await asyncio.sleep(0)
        return inner(state)

    return retried("publish", [(START, "flaky"), ("flaky", "publish")], flaky=flaky).compile()


@case(
    """
    START --trigger--> plan
    plan decides by fan: flaky from flaky
    plan --send--> flaky#1@1..2, flaky#2
    flaky#1@1 --retry--> flaky#1@2
    flaky#1: error, ok
    flaky#1@2, flaky#2 --trigger--> gather
    """
)
def one_of_two_sent_tasks_retried() -> Any:
    once = failing(1)

    def fan(state: State) -> list[Send]:
        return [Send("flaky", {"given": "fails once"}), Send("flaky", {"given": "is fine"})]

    def flaky(state: State) -> Any:
        return once(state) if state["given"] == "fails once" else {}

    graph = retried("plan gather", [(START, "plan"), ("flaky", "gather")], flaky=flaky)
    graph.add_conditional_edges("plan", fan, ["flaky"])
    return graph.compile()


@case(
    """
    START --trigger--> flaky@1..2
    flaky@1 --retry--> flaky@2
    flaky: error, ok
    flaky@2 decides by Command: publish
    flaky@2 --trigger--> publish
    """
)
def retried_before_it_decides() -> Any:
    return retried("publish", [(START, "flaky")], flaky=failing(1, Command(goto="publish"))).compile()


SUBGRAPH_RETRIED = """
    START --trigger--> inner@1..2
    inner@1 --retry--> inner@2
    inner@1 --trigger--> inner/draft
    inner/draft --trigger--> inner/flaky
    inner/flaky: error
    inner: error in inner/flaky, ok
    inner@2 --trigger--> inner/draft#2
    inner/draft#2 --trigger--> inner/flaky#2
    inner@2 --trigger--> publish
    """


def subgraph_that_is_retried(**options: Any) -> Any:
    inner = graph_of("draft", [(START, "draft"), ("draft", "flaky")], flaky=failing(1)).compile(name="inner")
    return retried("publish", [(START, "inner"), ("inner", "publish")], inner=inner).compile(**options)


@case(SUBGRAPH_RETRIED)
def subgraph_retried() -> Any:
    """It starts anew, so that all in it are other tasks."""
    return subgraph_that_is_retried()


@case(SUBGRAPH_RETRIED)
def subgraph_retried_with_a_checkpointer() -> Any:
    """The same: for LangGraph it is a second subgraph of the task, with checkpoints of its own."""
    return subgraph_that_is_retried(checkpointer=InMemorySaver())


@case(
    """
    START --trigger--> team
    team --trigger--> team/flaky@1..2
    team/flaky@1 --retry--> team/flaky@2
    team/flaky: error, ok
    team/flaky@2 --trigger--> team/after
    """
)
def retried_inside_a_subgraph() -> Any:
    team = retried("after", [(START, "flaky"), ("flaky", "after")], flaky=failing(1)).compile(name="team")
    return graph_of("", [(START, "team")], team=team).compile()


@case(
    """
    START --trigger--> flow
    flow --call--> fetch@1..2
    fetch@1 --retry--> fetch@2
    fetch: error, ok
    """
)
def called_task_retried() -> Any:
    fetch = task(failing(1, "fetched"), name="fetch", retry_policy=TWICE)

    @entrypoint()
    def flow(given: Any) -> Any:
        return fetch(1).result()

    return flow


@case(
    """
    START --trigger--> flow
    flow --call--> fetch@1..2
    fetch@1 --retry--> fetch@2
    fetch: error, error
    flow: error in fetch@2
    START: error in fetch@2
    """,
    raises=ConnectionError,
)
def called_task_retried_in_vain() -> Any:
    fetch = task(failing(2), name="fetch", retry_policy=TWICE)

    @entrypoint()
    def flow(given: Any) -> Any:
        return fetch(1).result()

    return flow


CALLER_RETRIED = """
    START --trigger--> flow@1..2
    flow@1 --call--> fetch
    flow@1 --retry--> flow@2
    flow@2 --call--> fetch#2
"""


@case(f"{CALLER_RETRIED}\nflow: error, ok")
def caller_retried_after_its_call() -> Any:
    """LangGraph numbers the calls of a task over its attempts: the second one's is another task."""
    fetch, once = task(failing(0, "fetched"), name="fetch"), failing(1)

    @entrypoint(retry_policy=TWICE)
    def flow(given: Any) -> Any:
        fetch(1).result()
        return once(given)

    return flow


@case(f"{CALLER_RETRIED}\nfetch: error\nflow: error in fetch, ok")
def caller_retried_as_its_call_failed() -> Any:
    fetch = task(failing(1, "fetched"), name="fetch", retry_policy=TWICE._replace(retry_on=ValueError))

    @entrypoint(retry_policy=TWICE)
    def flow(given: Any) -> Any:
        return fetch(1).result()

    return flow


@case(
    """
    START --trigger--> flow
    flow --call--> fetch@1..2
    fetch@1 --retry--> fetch@2
    fetch: error, ok
    """
)
def called_task_retried_by_the_policy_of_its_caller() -> Any:
    """The policy of an entrypoint holds for what it calls, too."""
    fetch = task(failing(1, "fetched"), name="fetch")

    @entrypoint(retry_policy=TWICE)
    def flow(given: Any) -> Any:
        return fetch(1).result()

    return flow


@case(
    """
    START --trigger--> ask@1..3
    ask@1 --retry--> ask@2
    ask@2 --resume--> ask@3
    ask@3 is answered
    ask: error, interrupted, ok
    START: interrupted, ok
    ask@3 --trigger--> publish
    """,
    Run({}),
    Run(Command(resume="yes")),
)
def retried_then_paused() -> Any:
    once = failing(1)

    def ask(state: State) -> Any:
        once(state)
        return {"given": interrupt("may I?")}

    graph = retried("publish", [(START, "ask"), ("ask", "publish")], ask=ask)
    return graph.compile(checkpointer=InMemorySaver())


@case(
    """
    START --trigger--> slow@1..2
    slow@1 --retry--> slow@2
    slow: error, ok
    slow@2 --trigger--> publish
    """,
    since=(1, 2),
    only="async",
)
def timed_out_then_retried() -> Any:
    calls = 0

    async def slow(state: State) -> Any:
        nonlocal calls
        calls += 1
        await asyncio.sleep(60 if calls == 1 else 0)
        return {}

    graph = graph_of("publish")
    policy = RetryPolicy(max_attempts=2, initial_interval=0.05, jitter=False, retry_on=Exception)
    graph.add_node("slow", slow, retry_policy=policy, timeout=0.2)
    graph.add_edge(START, "slow")
    graph.add_edge("slow", "publish")
    return graph.compile()


@case(
    """
    START --trigger--> slow
    slow: error
    START: error in slow
    """,
    since=(1, 2),
    only="async",
    raises=TIMEOUT,
)
def timed_out() -> Any:
    async def slow(state: State) -> Any:
        await asyncio.sleep(60)

    graph = graph_of("")
    graph.add_node("slow", slow, timeout=0.1)
    graph.add_edge(START, "slow")
    return graph.compile()
