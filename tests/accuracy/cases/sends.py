"""`Send`: many tasks of one node, from one sender or several."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import Any

from langgraph.graph import END, START
from langgraph.types import Command, Send

from tests.accuracy.cases.building import State, graph_of, node
from tests.accuracy.cases.case import case

MANY = 200
SENDERS = 14


def sending(to: str, packets: int) -> Callable[[State], Command[Any]]:
    """A node that takes its time and then sends."""

    def sender(state: State) -> Command[Any]:
        time.sleep(random.uniform(0, 0.02))
        return Command(goto=[Send(to, {}) for _ in range(packets)])

    return sender


@case(
    f"""
    START --trigger--> plan
    plan decides by fan: worker from worker
    plan --send--> worker#1..{MANY}
    worker#1..{MANY} --trigger--> gather
    """
)
def gathering_200_sends() -> Any:
    """More causes than an OpenTelemetry span has links."""

    def fan(state: State) -> list[Send]:
        return [Send("worker", {}) for _ in range(MANY)]

    graph = graph_of("plan worker gather", [(START, "plan"), ("worker", "gather")])
    graph.add_conditional_edges("plan", fan, ["worker"])
    return graph.compile()


@case(
    """
    START --trigger--> a, b, c
    a decides by Command: worker
    b decides by Command: worker
    c decides by Command: worker
    a --send--> worker#1..2
    b --send--> worker#3..5
    c --send--> worker#6
    worker#1..6 --trigger--> gather
    """
)
def several_senders() -> Any:
    """They are done in any order; LangGraph numbers their packets by the senders' names."""
    edges = [(START, "a"), (START, "b"), (START, "c"), ("worker", "gather")]
    senders = {"c": sending("worker", 1), "a": sending("worker", 2), "b": sending("worker", 3)}
    return graph_of("worker gather", edges, **senders).compile()


_EACH = "\n".join(
    f"""
    sender#{i} decides by Command: worker
    sender#{i} --send--> worker#{i}
    """
    for i in range(1, SENDERS + 1)
)


@case(
    f"""
    START --trigger--> plan
    plan decides by Command: sender
    plan --send--> sender#1..{SENDERS}
    {_EACH}
    worker#1..{SENDERS} --trigger--> gather
    """
)
def senders_that_were_sent() -> Any:
    """Fourteen, so that their order as numbers is not their order as text."""
    special = {"plan": sending("sender", SENDERS), "sender": sending("worker", 1)}
    return graph_of("worker gather", [(START, "plan"), ("worker", "gather")], **special).compile()


@case(
    """
    START decides by fan: worker from worker
    START --send--> worker#1..2
    worker#1..2 --trigger--> gather
    """
)
def sent_by_the_run_itself() -> Any:
    def fan(state: State) -> list[Send]:
        return [Send("worker", {}), Send("worker", {})]

    graph = graph_of("worker gather", [("worker", "gather")])
    graph.add_conditional_edges(START, fan, ["worker"])
    return graph.compile()


@case(
    """
    START --trigger--> plan
    plan decides by fan: other, team from other, team
    plan --send--> team#1..2, other
    team#1 --trigger--> team#1/draft
    team#1/draft --trigger--> team#1/check
    team#2 --trigger--> team#2/draft
    team#2/draft --trigger--> team#2/check
    team#1..2, other --trigger--> gather
    """
)
def sent_to_a_subgraph() -> Any:
    """Two of it at once, and another node beside it."""

    def fan(state: State) -> list[Send]:
        return [Send("team", {}), Send("other", {}), Send("team", {})]

    team = graph_of("draft check", [(START, "draft"), ("draft", "check")]).compile(name="team")
    graph = graph_of("plan other gather", [(START, "plan"), ("team", "gather"), ("other", "gather")], team=team)
    graph.add_conditional_edges("plan", fan, ["team", "other"])
    return graph.compile()


@case(
    """
    START --trigger--> plan
    plan decides by fan: worker from worker
    plan --send--> worker#1..2
    plan --trigger--> worker#3
    """
)
def sent_and_triggered() -> Any:
    """The same node by packets and by an edge: two tasks of one kind, one of the other."""

    def fan(state: State) -> list[Send]:
        return [Send("worker", {}), Send("worker", {})]

    graph = graph_of("plan", [(START, "plan"), ("plan", "worker")], worker=node("worker"))
    graph.add_conditional_edges("plan", fan, ["worker"])
    return graph.compile()


@case(
    """
    START --trigger--> plan
    plan decides by fan: check, worker from check, worker
    plan --send--> worker#1..2
    plan --trigger--> check
    worker#1..2, check --trigger--> gather
    """
)
def sends_and_a_name_by_one_function() -> Any:
    def fan(state: State) -> list[Any]:
        return [Send("worker", {}), "check", Send("worker", {})]

    graph = graph_of("plan worker check gather", [(START, "plan"), ("worker", "gather"), ("check", "gather")])
    graph.add_conditional_edges("plan", fan, ["check", "worker"])
    return graph.compile()


@case(
    """
    START --trigger--> plan
    plan decides by fan: __end__ from __end__, worker
    """
)
def nothing_to_send() -> Any:
    """The list of what to send may be empty, and the function then say END."""

    def fan(state: State) -> Any:
        return [Send("worker", {}) for _ in range(0)] or END

    graph = graph_of("plan worker", [(START, "plan")])
    graph.add_conditional_edges("plan", fan, ["worker", END])
    return graph.compile()
