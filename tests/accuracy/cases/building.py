"""Building blocks of the cases' apps."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable
from typing import Annotated, Any, TypedDict

from langgraph.graph import StateGraph


class State(TypedDict, total=False):
    log: Annotated[list[str], operator.add]
    count: Annotated[int, operator.add]
    given: Any


def node(name: str) -> Callable[[State], State]:
    """A node that writes its name and counts itself."""
    return lambda state: {"log": [name], "count": 1}


def graph_of(names: str, edges: Iterable[tuple[Any, Any]] = (), **nodes: Any) -> StateGraph[Any]:
    """A graph of plain nodes (`names`) and special ones (`nodes`), and its plain edges; a list of causes is a join."""
    graph = StateGraph(State)
    for name in names.split():
        graph.add_node(name, node(name))
    for name, special in nodes.items():
        graph.add_node(name, special)
    for start, end in edges:
        graph.add_edge(start, end)
    return graph


class Durable:
    """A graph that is run with a durability."""

    def __init__(self, graph: Any, durability: str) -> None:
        self._graph = graph
        self._durability = durability

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._graph, name)
        if name not in ("invoke", "ainvoke", "stream", "astream"):
            return method
        return lambda *args, **kwargs: method(*args, durability=self._durability, **kwargs)
