"""Graphs in graphs: nested, side by side, one twice, invoked by code, with a checkpointer of their own."""

from __future__ import annotations

from typing import Any

from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START

from tests.accuracy.cases.building import State, graph_of
from tests.accuracy.cases.case import Run, case


def team(name: str, **options: Any) -> Any:
    return graph_of("draft check", [(START, "draft"), ("draft", "check")]).compile(name=name, **options)


@case(
    """
    START --trigger--> before
    before --trigger--> a
    a --trigger--> a/b
    a/b --trigger--> a/b/c
    a/b/c --trigger--> a/b/c/draft
    a/b/c/draft --trigger--> a/b/c/check
    a/b --trigger--> a/last
    a --trigger--> after
    """
)
def nested_three_deep() -> Any:
    """The next node follows the subgraph, not the last task in it."""
    b = graph_of("", [(START, "c")], c=team("c")).compile(name="b")
    a = graph_of("last", [(START, "b"), ("b", "last")], b=b).compile(name="a")
    return graph_of("before after", [(START, "before"), ("before", "a"), ("a", "after")], a=a).compile()


@case(
    """
    START --trigger--> left, right
    left --trigger--> left/draft
    left/draft --trigger--> left/check
    right --trigger--> right/draft
    right/draft --trigger--> right/check
    left, right --trigger--> gather
    """
)
def side_by_side() -> Any:
    edges = [(START, "left"), (START, "right"), ("left", "gather"), ("right", "gather")]
    return graph_of("gather", edges, left=team("left"), right=team("right")).compile()


@case(
    """
    START --trigger--> one
    one --trigger--> one/draft, two
    one/draft --trigger--> one/check
    two --trigger--> two/draft
    two/draft --trigger--> two/check
    """
)
def one_graph_as_two_nodes() -> Any:
    shared = team("shared")
    return graph_of("", [(START, "one"), ("one", "two")], one=shared, two=shared).compile()


@case(
    """
    START --trigger--> one, two
    one --trigger--> one/draft
    one/draft --trigger--> one/check
    two --trigger--> two/draft
    two/draft --trigger--> two/check
    """
)
def one_graph_as_two_nodes_at_once() -> Any:
    shared = team("shared")
    return graph_of("", [(START, "one"), (START, "two")], one=shared, two=shared).compile()


@case(
    """
    START --trigger--> outer
    outer/START --trigger--> outer/draft
    outer/draft --trigger--> outer/check
    outer/START@2 --trigger--> outer/draft#2
    outer/draft#2 --trigger--> outer/check#2
    outer --trigger--> after
    """
)
def invoked_twice_by_code() -> Any:
    inner = team("inner")

    def outer(state: State) -> Any:
        inner.invoke({})
        return inner.invoke({})

    return graph_of("after", [(START, "outer"), ("outer", "after")], outer=outer).compile()


@case(
    """
    START --trigger--> outer
    outer/START --trigger--> outer/draft
    outer/draft --trigger--> outer/check
    outer --trigger--> after
    """,
    only="async",
)
def invoked_by_a_coroutine() -> Any:
    inner = team("inner")

    async def outer(state: State) -> Any:
        return await inner.ainvoke({})

    return graph_of("after", [(START, "outer"), ("outer", "after")], outer=outer).compile()


@case(
    """
    START --trigger--> outer
    outer/START --trigger--> outer/draft
    outer/draft --trigger--> outer/check
    """
)
def streamed_by_code() -> Any:
    inner = team("inner")

    def outer(state: State) -> Any:
        for _ in inner.stream({}):
            pass
        return {"count": 1}

    return graph_of("", [(START, "outer")], outer=outer).compile()


@case(
    """
    START --trigger--> inner
    inner --trigger--> inner/draft
    inner/draft --trigger--> inner/check
    inner --trigger--> after
    START@2 --trigger--> inner#2
    inner#2 --trigger--> inner#2/draft
    inner#2/draft --trigger--> inner#2/check
    inner#2 --trigger--> after#2
    """,
    Run({"count": 0}),
    Run({"count": 0}),
)
def with_a_checkpointer_of_its_own() -> Any:
    """It remembers its state from one run to the next; what makes its tasks run is each time the run that it is in."""
    inner = team("inner", checkpointer=InMemorySaver())
    edges = [(START, "inner"), ("inner", "after")]
    return graph_of("after", edges, inner=inner).compile(checkpointer=InMemorySaver())


@case(
    """
    START --trigger--> inner
    inner --trigger--> inner/draft
    inner/draft --trigger--> inner/check
    START@2 --trigger--> inner#2
    inner#2 --trigger--> inner#2/draft
    inner#2/draft --trigger--> inner#2/check
    """,
    Run({"count": 0}),
    Run({"count": 0}),
)
def with_a_memory_of_its_own() -> Any:
    """`checkpointer=True`: in the outer graph's checkpointer, under one name for all of its runs."""
    inner = team("inner", checkpointer=True)
    return graph_of("", [(START, "inner")], inner=inner).compile(checkpointer=InMemorySaver())


@case(
    """
    START --trigger--> inner
    inner --trigger--> inner/draft
    inner/draft --trigger--> inner/check
    """
)
def without_a_checkpointer() -> Any:
    inner = team("inner", checkpointer=False)
    return graph_of("", [(START, "inner")], inner=inner).compile(checkpointer=InMemorySaver())
