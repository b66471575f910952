"""A run that failed goes on with `invoke(None)`; what is kept of a run, by the durability that it is given."""

from __future__ import annotations

import threading
import time
from typing import Any

from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START
from langgraph.types import Command, interrupt

from tests.accuracy.cases.building import Durable, State, graph_of
from tests.accuracy.cases.case import Run, case


def failing(times: int) -> Any:
    """A node that fails so many times, in this graph, and then does its work."""
    left = iter(range(times))

    def flaky(state: State) -> State:
        if next(left, None) is not None:
            raise RuntimeError("not yet")
        return {"log": ["flaky"]}

    return flaky


@case(
    """
    START --trigger--> plan
    plan --trigger--> flaky, flaky@2..3
    flaky --retry--> flaky@2
    flaky@2 --retry--> flaky@3
    flaky@3 --trigger--> publish
    flaky: error, error, ok
    START: error in flaky, error in flaky@2, ok
    """,
    Run({}, RuntimeError),
    Run(None, RuntimeError),
    Run(None),
)
def failed_task_run_again() -> Any:
    """Each invocation runs it once more, because of the failure before, and of what had triggered it."""
    edges = [(START, "plan"), ("plan", "flaky"), ("flaky", "publish")]
    return graph_of("plan publish", edges, flaky=failing(2)).compile(InMemorySaver())


@case(
    """
    START --trigger--> quick, flaky, flaky@2
    flaky --retry--> flaky@2
    quick, flaky@2 --trigger--> join
    flaky: error, ok
    START: error in flaky, ok
    """,
    Run({}, RuntimeError),
    Run(None),
    only="sync",
)
def done_sibling_of_a_failed_task() -> Any:
    """`quick` was done when its sibling failed: it does not run again, and still counts for the join."""

    def flaky(state: State) -> Any:
        assert done.wait(10)
        time.sleep(0.2)  # until LangGraph has taken what `quick` wrote
        return fail(state)

    done, fail = threading.Event(), failing(1)

    def quick(state: State) -> State:
        done.set()
        return {"log": ["quick"]}

    edges = [(START, "quick"), (START, "flaky"), (["quick", "flaky"], "join")]
    return graph_of("join", edges, quick=quick, flaky=flaky).compile(InMemorySaver())


def _durable(durability: str) -> Any:
    edges = [(START, "plan"), ("plan", "quick"), ("plan", "review"), (["quick", "review"], "join")]
    graph = graph_of("plan quick join", edges, review=lambda state: {"log": [interrupt("Go on?")]})
    return Durable(graph.compile(InMemorySaver()), durability)


DURABLE = """
    START --trigger--> plan
    plan --trigger--> quick, review, review@2
    review --resume--> review@2
    review@2 is answered
    quick, review@2 --trigger--> join
    review: interrupted, ok
    START: interrupted, ok
    """


@case(DURABLE, Run({}), Run(Command(resume="yes")))
def durability_exit() -> Any:
    """Checkpoints are written when the run is left."""
    return _durable("exit")


@case(DURABLE, Run({}), Run(Command(resume="yes")))
def durability_async() -> Any:
    """Checkpoints are written while the next step runs."""
    return _durable("async")


@case(DURABLE, Run({}), Run(Command(resume="yes")))
def durability_sync() -> Any:
    """Checkpoints are written before the next step runs."""
    return _durable("sync")
