"""Plain edges, conditional edges, and branches of uneven length."""

from __future__ import annotations

from typing import Any

from langgraph.graph import END, START

from tests.accuracy.cases.building import State, graph_of
from tests.accuracy.cases.case import case


@case(
    """
    START --trigger--> plan
    plan --trigger--> quick, slow
    quick, slow --trigger--> gather
    """
)
def diamond() -> Any:
    """Two branches of one step each: what gathers them is triggered by both, once."""
    edges = [(START, "plan"), ("plan", "quick"), ("plan", "slow"), ("quick", "gather"), ("slow", "gather")]
    return graph_of("plan quick slow gather", [*edges, ("gather", END)]).compile()


@case(
    """
    START --trigger--> short, long
    long --trigger--> longer
    short --trigger--> gather
    longer --trigger--> gather#2
    """
)
def uneven_branches_without_a_join() -> Any:
    """Plain edges do not wait: what is reached after one step and after two runs twice."""
    edges = [(START, "short"), (START, "long"), ("long", "longer"), ("short", "gather"), ("longer", "gather")]
    return graph_of("short long longer gather", edges).compile()


@case(
    """
    START --trigger--> grade
    grade decides by route: rewrite
    grade --trigger--> rewrite
    rewrite --trigger--> grade#2
    grade#2 decides by route: __end__
    """
)
def conditional_edge_without_a_map() -> Any:
    """The function returns names of nodes, and END; nothing says where it can lead."""

    def route(state: State) -> Any:
        return "rewrite" if state["count"] < 2 else END

    graph = graph_of("grade rewrite", [(START, "grade"), ("rewrite", "grade")])
    graph.add_conditional_edges("grade", route)
    return graph.compile()


@case(
    """
    START --trigger--> grade
    grade decides by route: rewrite from __end__, rewrite
    grade --trigger--> rewrite
    rewrite --trigger--> grade#2
    grade#2 decides by route: __end__ from __end__, rewrite
    """
)
def conditional_edge_with_a_map() -> Any:
    """The function returns labels, which a map makes into nodes."""

    def route(state: State) -> str:
        return "bad" if state["count"] < 2 else "good"

    graph = graph_of("grade rewrite", [(START, "grade"), ("rewrite", "grade")])
    graph.add_conditional_edges("grade", route, {"good": END, "bad": "rewrite"})
    return graph.compile()


@case(
    """
    START --trigger--> plan
    plan decides by pick: left, right from left, middle, right
    plan decides by also: __end__ from __end__, middle
    plan --trigger--> left, right, after
    left, right --trigger--> after#2
    """
)
def conditional_edges_to_several_at_once() -> Any:
    """One function returns two nodes, another one of the same node END; a plain edge leads on as well."""

    def pick(state: State) -> list[str]:
        return ["left", "right"]

    def also(state: State) -> str:
        return END

    edges = [(START, "plan"), ("plan", "after"), ("left", "after"), ("right", "after"), ("middle", "after")]
    graph = graph_of("plan left right middle after", edges)
    graph.add_conditional_edges("plan", pick, ["left", "middle", "right"])
    graph.add_conditional_edges("plan", also, ["middle", END])
    return graph.compile()


@case(
    """
    START --trigger--> left, right
    left --trigger--> gather
    gather decides by route: right from __end__, left, right
    right --trigger--> gather
    gather --trigger--> right#2
    right#2 --trigger--> gather#2
    gather#2 decides by route: __end__ from __end__, left, right
    """
)
def loop_back_into_one_branch() -> Any:
    """The first time both branches lead to what gathers them, the second time one."""

    def route(state: State) -> str:
        return "right" if state["count"] < 4 else END

    graph = graph_of("left right gather", [(START, "left"), (START, "right"), ("left", "gather"), ("right", "gather")])
    graph.add_conditional_edges("gather", route, ["left", "right", END])
    return graph.compile()


@case(
    """
    START --trigger--> a
    a --trigger--> b, c
    b --trigger--> d
    c --trigger--> e
    d --trigger--> f
    e --trigger--> g
    f --trigger--> h
    g --trigger--> h
    """
)
def two_chains_side_by_side() -> Any:
    """Each task has its own predecessor, not whatever ran in the step before."""
    pairs = ("ab", "ac", "bd", "ce", "df", "eg", "fh", "gh")
    return graph_of("a b c d e f g h", [(START, "a"), *[(one[0], one[1]) for one in pairs]]).compile()


@case(
    """
    START decides by enter: second from first, second
    START --trigger--> second
    second --trigger--> last
    """
)
def conditional_entry_point() -> Any:
    """The run itself decides."""

    def enter(state: State) -> str:
        return "second"

    graph = graph_of("first second last", [("first", "last"), ("second", "last")])
    graph.add_conditional_edges(START, enter, ["first", "second"])
    return graph.compile()
