"""Error handlers of nodes (LangGraph 1.2): a task of their own, because of the failure that they deal with."""

from __future__ import annotations

import time
from typing import Any

from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START
from langgraph.types import Command, Send, interrupt

from tests.accuracy.cases.building import State, graph_of, node
from tests.accuracy.cases.case import Run, case
from tests.accuracy.cases.errors import bad
from tests.accuracy.cases.retries import TWICE, failing

SINCE = (1, 2)


def rescue(state: State) -> State:
    return {"count": 1}


async def arescue(state: State) -> State:
    return {"count": 1}


@case(
    """
    START --trigger--> bad
    bad: error
    bad --error_handler--> __error_handler__bad
    __error_handler__bad decides by Command: publish
    __error_handler__bad --trigger--> publish
    """,
    since=SINCE,
)
def handled_and_going_on() -> Any:
    graph = graph_of("publish")
    graph.add_node("bad", bad, error_handler=lambda state: Command(goto="publish"))
    graph.add_edge(START, "bad")
    return graph.compile()


@case(
    """
    START --trigger--> bad, good
    bad: error
    bad --error_handler--> __error_handler__bad
    good --trigger--> after
    """,
    since=SINCE,
)
def handled_beside_another_branch() -> Any:
    """The other branch goes on; the plain edge of the node that failed leads nowhere."""
    graph = graph_of("good after never", [(START, "good"), ("good", "after")])
    graph.add_node("bad", bad, error_handler=rescue)
    graph.add_edge(START, "bad")
    graph.add_edge("bad", "never")
    return graph.compile()


@case(
    """
    START --trigger--> bad
    bad: error
    bad --error_handler--> __error_handler__bad
    """,
    since=SINCE,
    only="async",
)
def handled_by_a_coroutine() -> Any:
    async def fails(state: State) -> State:
        return bad(state)

    graph = graph_of("")
    graph.add_node("bad", fails, error_handler=arescue)
    graph.add_edge(START, "bad")
    return graph.compile()


@case(
    """
    START --trigger--> flaky@1..2
    flaky@1 --retry--> flaky@2
    flaky: error, error
    flaky@2 --error_handler--> __error_handler__flaky
    """,
    since=SINCE,
)
def handled_after_the_last_attempt() -> Any:
    graph = graph_of("")
    graph.add_node("flaky", failing(2), retry_policy=TWICE, error_handler=rescue)
    graph.add_edge(START, "flaky")
    return graph.compile()


@case(
    """
    START --trigger--> bad
    bad: error
    bad --error_handler--> __error_handler__bad
    __error_handler__bad: error
    START: error in __error_handler__bad
    """,
    since=SINCE,
    raises=ZeroDivisionError,
)
def handler_that_fails() -> Any:
    graph = graph_of("")
    graph.add_node("bad", bad, error_handler=lambda state: {"count": 1 // 0})
    graph.add_edge(START, "bad")
    return graph.compile()


@case(
    """
    START --trigger--> plan
    plan decides by fan: worker from worker
    plan --send--> worker#1..3
    worker#2: error
    worker#2 --error_handler--> __error_handler__worker
    worker#1, worker#3 --trigger--> gather
    """,
    since=SINCE,
)
def handled_for_one_of_three_sent() -> Any:
    def fan(state: State) -> list[Send]:
        return [Send("worker", {"given": number}) for number in (1, 2, 3)]

    def worker(state: State) -> State:
        return bad(state) if state["given"] == 2 else {"count": 1}

    graph = graph_of("plan gather", [(START, "plan")])
    graph.add_node("worker", worker, error_handler=rescue)
    graph.add_edge("worker", "gather")
    graph.add_conditional_edges("plan", fan, ["worker"])
    return graph.compile()


@case(
    """
    START --trigger--> inner
    inner --trigger--> inner/bad
    inner/bad: error
    inner: error in inner/bad
    inner --error_handler--> __error_handler__inner
    """,
    since=SINCE,
)
def handled_for_a_subgraph() -> Any:
    inner = graph_of("", [(START, "bad")], bad=bad).compile(name="inner")
    graph = graph_of("")
    graph.add_node("inner", inner, error_handler=rescue)
    graph.add_edge(START, "inner")
    return graph.compile()


@case(
    """
    START --trigger--> bad
    bad: error
    bad --error_handler--> __default_error_handler__
    """,
    since=SINCE,
)
def handled_by_default() -> Any:
    graph = graph_of("other")
    graph.set_node_defaults(error_handler=rescue)
    graph.add_node("bad", bad)
    graph.add_edge(START, "bad")
    graph.add_edge("bad", "other")
    return graph.compile()


@case(
    """
    START --trigger--> good
    good --trigger--> after
    """,
    since=SINCE,
)
def handler_that_has_nothing_to_do() -> Any:
    graph = graph_of("after")
    graph.add_node("good", node("good"), error_handler=rescue)
    graph.add_edge(START, "good")
    graph.add_edge("good", "after")
    return graph.compile()


@case(
    """
    START --trigger--> bad
    bad: error
    bad --error_handler--> __error_handler__bad@1..2
    __error_handler__bad@1 --resume--> __error_handler__bad@2
    __error_handler__bad@2 is answered
    __error_handler__bad: interrupted, ok
    START: interrupted, ok
    __error_handler__bad@2 decides by Command: after
    __error_handler__bad@2 --trigger--> after
    """,
    Run({}),
    Run(Command(resume="yes")),
    since=SINCE,
)
def handler_that_asks() -> Any:
    """Only the handler runs again; what it handles has not happened again."""

    def ask(state: State) -> Any:
        return Command(goto="after", update={"given": interrupt("now what?")})

    graph = graph_of("after")
    graph.add_node("bad", bad, error_handler=ask)
    graph.add_edge(START, "bad")
    return graph.compile(checkpointer=InMemorySaver())


@case(
    """
    START --trigger--> plan
    plan decides by fan: worker from worker
    plan --send--> worker#1..3
    worker#1..2: error
    worker#1 --error_handler--> __error_handler__worker#1@1..2
    worker#2 --error_handler--> __error_handler__worker#2@1..2
    __error_handler__worker#1@1 --retry--> __error_handler__worker#1@2
    __error_handler__worker#1: error, ok
    START: error in __error_handler__worker#1, ok
    worker#3 --trigger--> gather
    """,
    Run({}, raises=ConnectionError),
    Run(None),
    since=SINCE,
)
def one_of_two_handlers_that_fails_at_first() -> Any:
    """LangGraph then runs both again."""
    once = failing(1)

    def fan(state: State) -> list[Send]:
        return [Send("worker", {"given": number}) for number in (1, 2, 3)]

    def worker(state: State) -> State:
        if state["given"] == 2:
            time.sleep(0.05)
        return bad(state) if state["given"] < 3 else {"count": 1}

    def rescues(state: State) -> Any:
        if state["given"] == 2:
            return {"count": 1}
        time.sleep(0.2)
        return once(state)

    graph = graph_of("plan gather", [(START, "plan")])
    graph.add_node("worker", worker, error_handler=rescues)
    graph.add_edge("worker", "gather")
    graph.add_conditional_edges("plan", fan, ["worker"])
    return graph.compile(checkpointer=InMemorySaver())
