"""Cached nodes and tasks: a hit is a span that says so, and a cause like any other."""

from __future__ import annotations

from typing import Any

from langgraph.cache.memory import InMemoryCache
from langgraph.func import entrypoint, task
from langgraph.graph import START
from langgraph.types import CachePolicy, Send

from tests.accuracy.cases.building import State, graph_of, node
from tests.accuracy.cases.case import Run, case

ALWAYS = CachePolicy(key_func=lambda *args, **kwargs: b"key")
AGAIN = (Run({"count": 0}), Run({"count": 0}))


@case(
    """
    START --trigger--> heavy
    heavy --trigger--> after
    START@2 --trigger--> heavy#2
    heavy#2: cached
    heavy#2 --trigger--> after#2
    """,
    *AGAIN,
)
def node_from_the_cache() -> Any:
    graph = graph_of("after")
    graph.add_node("heavy", node("heavy"), cache_policy=ALWAYS)
    graph.add_edge(START, "heavy")
    graph.add_edge("heavy", "after")
    return graph.compile(cache=InMemoryCache())


@case(
    """
    START --trigger--> plan
    plan --trigger--> heavy, other
    heavy, other --trigger--> gather
    START@2 --trigger--> plan#2
    plan#2 --trigger--> heavy#2, other#2
    heavy#2: cached
    heavy#2, other#2 --trigger--> gather#2
    """,
    *AGAIN,
)
def one_branch_from_the_cache() -> Any:
    graph = graph_of("plan other gather", [(START, "plan"), ("plan", "other")])
    graph.add_node("heavy", node("heavy"), cache_policy=ALWAYS)
    graph.add_edge("plan", "heavy")
    graph.add_edge(["heavy", "other"], "gather")
    return graph.compile(cache=InMemoryCache())


@case(
    """
    START --trigger--> plan
    plan decides by fan: heavy from heavy
    plan --send--> heavy#1..2
    heavy#1..2 --trigger--> gather
    START@2 --trigger--> plan#2
    plan#2 decides by fan: heavy from heavy
    plan#2 --send--> heavy#3..4
    heavy#3..4: cached
    heavy#3..4 --trigger--> gather#2
    """,
    *AGAIN,
)
def sent_tasks_from_the_cache() -> Any:
    def fan(state: State) -> list[Send]:
        return [Send("heavy", {"given": 1}), Send("heavy", {"given": 2})]

    graph = graph_of("plan gather", [(START, "plan")])
    policy = CachePolicy(key_func=lambda state: str(state["given"]).encode())
    graph.add_node("heavy", node("heavy"), cache_policy=policy)
    graph.add_edge("heavy", "gather")
    graph.add_conditional_edges("plan", fan, ["heavy"])
    return graph.compile(cache=InMemoryCache())


@case(
    """
    START --trigger--> inner
    inner --trigger--> inner/draft
    START@2 --trigger--> inner#2
    inner#2: cached
    """,
    *AGAIN,
)
def subgraph_from_the_cache() -> Any:
    """Nothing in it runs."""
    inner = graph_of("draft", [(START, "draft")]).compile(name="inner")
    graph = graph_of("")
    graph.add_node("inner", inner, cache_policy=ALWAYS)
    graph.add_edge(START, "inner")
    return graph.compile(cache=InMemoryCache())


@case(
    """
    START --trigger--> heavy
    heavy decides by <lambda>: left from left, right
    heavy --trigger--> left
    START@2 --trigger--> heavy#2
    heavy#2: cached
    heavy#2 --trigger--> left#2
    """,
    *AGAIN,
)
def decision_from_the_cache() -> Any:
    """It is not taken again: the task leads where it led before."""
    graph = graph_of("left right")
    graph.add_node("heavy", node("heavy"), cache_policy=ALWAYS)
    graph.add_edge(START, "heavy")
    graph.add_conditional_edges("heavy", lambda state: "left", ["left", "right"])
    return graph.compile(cache=InMemoryCache())


@case(
    """
    START --trigger--> flow
    flow --call--> fetch
    START@2 --trigger--> flow#2
    flow#2 --call--> fetch#2..3
    fetch#2..3: cached
    """,
    Run(1),
    Run(2),
)
def called_task_from_the_cache() -> Any:
    @task(cache_policy=ALWAYS)
    def fetch() -> int:
        return 1

    @entrypoint(cache=InMemoryCache())
    def flow(times: int) -> Any:
        return [fetch().result() for _ in range(times)]

    return flow
