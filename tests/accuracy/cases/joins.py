"""Joins (barriers), also inside of loops and beside plain edges, and deferred nodes."""

from __future__ import annotations

from typing import Any

from langgraph.graph import END, START
from langgraph.types import Send

from tests.accuracy.cases.building import State, graph_of, node
from tests.accuracy.cases.case import case

WIDE = 200


@case(
    """
    START --trigger--> short, long
    long --trigger--> longer
    longer --trigger--> longest
    short, longest --trigger--> gather
    """
)
def join_of_uneven_branches() -> Any:
    edges = [(START, "short"), (START, "long"), ("long", "longer"), ("longer", "longest")]
    return graph_of("short long longer longest gather", [*edges, (["short", "longest"], "gather")]).compile()


@case(
    f"""
    START --trigger--> {", ".join(f"n{i}" for i in range(WIDE))}
    {", ".join(f"n{i}" for i in range(WIDE))} --trigger--> gather
    """
)
def join_of_200() -> Any:
    members = [f"n{i}" for i in range(WIDE)]
    edges = [*[(START, member) for member in members], (members, "gather")]
    return graph_of(" ".join([*members, "gather"]), edges).compile()


@case(
    """
    START --trigger--> a, b
    a --trigger--> gather
    b --trigger--> c
    a, c --trigger--> gather#2
    """
)
def join_and_a_plain_edge() -> Any:
    """The plain edge does not wait; the join counts what the plain edge has used already."""
    edges = [(START, "a"), (START, "b"), ("b", "c"), ("a", "gather"), (["a", "c"], "gather")]
    return graph_of("a b c gather", edges).compile()


@case(
    """
    START --trigger--> a, b
    a, b --trigger--> gather
    """
)
def join_and_a_plain_edge_in_one_step() -> Any:
    """Triggered by both at once: one task, and each cause once."""
    return graph_of("a b gather", [(START, "a"), (START, "b"), ("a", "gather"), (["a", "b"], "gather")]).compile()


@case(
    """
    START --trigger--> a, b, c
    a, b --trigger--> first
    b, c --trigger--> second
    """
)
def two_joins_that_share_a_member() -> Any:
    edges = [(START, "a"), (START, "b"), (START, "c"), (["a", "b"], "first"), (["b", "c"], "second")]
    return graph_of("a b c first second", edges).compile()


@case(
    """
    START --trigger--> plan
    plan --trigger--> left, right
    right --trigger--> further
    left, further --trigger--> check
    check decides by route: plan from __end__, plan
    check --trigger--> plan#2
    plan#2 --trigger--> left#2, right#2
    right#2 --trigger--> further#2
    left#2, further#2 --trigger--> check#2
    check#2 decides by route: plan from __end__, plan
    check#2 --trigger--> plan#3
    plan#3 --trigger--> left#3, right#3
    right#3 --trigger--> further#3
    left#3, further#3 --trigger--> check#3
    check#3 decides by route: __end__ from __end__, plan
    """
)
def join_in_a_loop() -> Any:
    """It waits anew each time round, and knows nothing of the time before."""

    def route(state: State) -> str:
        return "plan" if state["count"] < 15 else END

    edges = [(START, "plan"), ("plan", "left"), ("plan", "right"), ("right", "further")]
    graph = graph_of("plan left right further check", [*edges, (["left", "further"], "check")])
    graph.add_conditional_edges("check", route, ["plan", END])
    return graph.compile()


@case(
    """
    START --trigger--> a, b
    b --trigger--> c
    a decides by again: a from __end__, a
    a --trigger--> a#2
    c --trigger--> d
    a#2 decides by again: __end__ from __end__, a
    a, d --trigger--> gather
    """
)
def join_with_a_member_that_ran_twice() -> Any:
    """It had the first one already, and did not wait for the second."""

    def again(state: State) -> str:
        return "a" if len(state["log"]) < 3 else END

    graph = graph_of("a b c d gather", [(START, "a"), (START, "b"), ("b", "c"), ("c", "d"), (["a", "d"], "gather")])
    graph.add_conditional_edges("a", again, ["a", END])
    return graph.compile()


@case(
    """
    START --trigger--> a, b
    a, b --trigger--> gather
    gather decides by route: a from __end__, a
    gather --trigger--> a#2
    """
)
def join_that_is_not_full_again() -> Any:
    """The second time round only one member comes, so the join stays armed and nothing follows."""

    def route(state: State) -> str:
        return "a" if state["count"] < 4 else END

    graph = graph_of("a b gather", [(START, "a"), (START, "b"), (["a", "b"], "gather")])
    graph.add_conditional_edges("gather", route, ["a", END])
    return graph.compile()


@case(
    """
    START --trigger--> plan
    plan decides by fan: member, other from member, other
    plan --send--> member#1..3, other
    member#1..3, other --trigger--> gather
    """
)
def join_of_sent_tasks() -> Any:
    """One member of the join is many tasks of one step: it waited for all of them."""

    def fan(state: State) -> list[Send]:
        return [*[Send("member", {})] * 3, Send("other", {})]

    graph = graph_of("plan member other gather", [(START, "plan"), (["member", "other"], "gather")])
    graph.add_conditional_edges("plan", fan, ["member", "other"])
    return graph.compile()


@case(
    """
    START --trigger--> short, long
    long --trigger--> longer
    longer --trigger--> longest
    short, longest --trigger--> gather
    """
)
def deferred() -> Any:
    """By plain edges, yet it waits until nothing else is left to do."""
    edges = [(START, "short"), (START, "long"), ("long", "longer"), ("longer", "longest")]
    graph = graph_of("short long longer longest", edges)
    graph.add_node("gather", node("gather"), defer=True)
    graph.add_edge("short", "gather")
    graph.add_edge("longest", "gather")
    return graph.compile()


@case(
    """
    START --trigger--> a, b
    b --trigger--> c
    a, b --trigger--> gather
    c --trigger--> d
    gather --trigger--> last
    """
)
def deferred_join() -> Any:
    """A join that is full after the first step, and runs when the other branch is done, too."""
    graph = graph_of("a b c d last", [(START, "a"), (START, "b"), ("b", "c"), ("c", "d")])
    graph.add_node("gather", node("gather"), defer=True)
    graph.add_edge(["a", "b"], "gather")
    graph.add_edge("gather", "last")
    return graph.compile()


@case(
    """
    START --trigger--> plan
    plan --trigger--> quick, slow
    slow --trigger--> slower
    quick, slower --trigger--> gather
    gather decides by route: plan from __end__, plan
    gather --trigger--> plan#2
    plan#2 --trigger--> quick#2, slow#2
    slow#2 --trigger--> slower#2
    quick#2, slower#2 --trigger--> gather#2
    gather#2 decides by route: __end__ from __end__, plan
    """
)
def deferred_in_a_loop() -> Any:
    def route(state: State) -> str:
        return "plan" if state["count"] < 10 else END

    edges = [(START, "plan"), ("plan", "quick"), ("plan", "slow"), ("slow", "slower")]
    graph = graph_of("plan quick slow slower", edges)
    graph.add_node("gather", node("gather"), defer=True)
    graph.add_edge("quick", "gather")
    graph.add_edge("slower", "gather")
    graph.add_conditional_edges("gather", route, ["plan", END])
    return graph.compile()
