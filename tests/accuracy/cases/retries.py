"""Retry policies: each attempt is a span, because of the one before it; the rest follows the one that succeeded."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from langgraph.graph import START
from langgraph.types import RetryPolicy

from tests.accuracy.cases.building import graph_of
from tests.accuracy.cases.case import case

TWICE = RetryPolicy(max_attempts=2, initial_interval=0.001, jitter=False, retry_on=ConnectionError)
THREE_TIMES = TWICE._replace(max_attempts=3)


def failing(times: int, result: Any) -> Callable[[Any], Any]:
    """A node that fails so often before it returns."""
    calls = 0

    def flaky(state: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls <= times:
            raise ConnectionError(f"attempt {calls}")
        return result

    return flaky


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
    graph = graph_of("plan publish", [(START, "plan")])
    graph.add_node("flaky", failing(2, {"log": ["flaky"]}), retry_policy=THREE_TIMES)
    graph.add_edge("plan", "flaky")
    graph.add_edge("flaky", "publish")
    return graph.compile()


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
    graph = graph_of("never")
    graph.add_node("flaky", failing(2, {}), retry_policy=TWICE)
    graph.add_edge(START, "flaky")
    graph.add_edge("flaky", "never")
    return graph.compile()
