"""Breakpoints that an invocation is given: the run pauses between two steps, and no task does."""

from __future__ import annotations

from typing import Any

from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START

from tests.accuracy.cases.building import graph_of
from tests.accuracy.cases.case import Run, case


class Stopping:
    """A graph whose invocations with an input are given breakpoints; those that go on (`None`) run through."""

    def __init__(self, graph: Any, **breakpoints: Any) -> None:
        self._graph = graph
        self._breakpoints = breakpoints

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._graph, name)
        if name not in ("invoke", "ainvoke", "stream", "astream"):
            return method

        def run(given: Any, *args: Any, **more: Any) -> Any:
            return method(given, *args, **more, **({} if given is None else self._breakpoints))

        return run


CHAIN = [(START, "plan"), ("plan", "write"), ("write", "publish")]
STOPS_BEFORE_WRITE = """
    START --trigger--> plan
    plan --trigger--> write
    write --trigger--> publish
    START: interrupted, ok
"""


def chain() -> Any:
    return graph_of("plan write publish", CHAIN).compile(InMemorySaver())


@case(STOPS_BEFORE_WRITE, Run({}), Run(None))
def stopped_before_a_node() -> Any:
    """`invoke(..., interrupt_before=["write"])`: what triggered `write` lies in the run before."""
    return Stopping(chain(), interrupt_before=["write"])


@case(STOPS_BEFORE_WRITE, Run({}), Run(None))
def stopped_after_a_node() -> Any:
    """`interrupt_after=["plan"]` is the same place."""
    return Stopping(chain(), interrupt_after=["plan"])


@case(STOPS_BEFORE_WRITE, Run({}), Run(None))
def stopped_after_any_node() -> Any:
    """`interrupt_after="*"`: after the first step, which is `plan`."""
    return Stopping(chain(), interrupt_after="*")


@case(
    """
    START --trigger--> left, right
    left, right --trigger--> join
    START: interrupted, ok
    """,
    Run({}),
    Run(None),
)
def stopped_before_a_join() -> Any:
    """Both members had arrived before the pause, and are waited for by the join after it."""
    edges = [(START, "left"), (START, "right"), (["left", "right"], "join")]
    return Stopping(graph_of("left right join", edges).compile(InMemorySaver()), interrupt_before=["join"])
