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
    """The function returns names of nodes, and END; where it can lead is not said."""

    def route(state: State) -> Any:
        return "rewrite" if state["count"] < 2 else END

    graph = graph_of("grade rewrite", [(START, "grade"), ("rewrite", "grade")])
    graph.add_conditional_edges("grade", route)
    return graph.compile()
