"""The static topology of a graph: its nodes, edges and channels as compiled, those of the graphs inside it included.

It is read once for each graph and recorded on the span of each run of it, so that a reader can tell a node that was not
reached from one that does not exist.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from weakref import WeakKeyDictionary

from otel_mas.instrumentation.langgraph import graphs
from otel_mas.model.channels import BRANCH_TO, JOIN, START
from otel_mas.record import identifier
from otel_mas.semconv import attributes as names

_OWN = ("__", BRANCH_TO, JOIN)  # how LangGraph's own channels begin
_MOST_NODES = 1_000
_MOST_NESTED = 8
_KNOWN: WeakKeyDictionary[Any, Mapping[str, tuple[str, ...]]] = WeakKeyDictionary()


def topology_of(graph: Any) -> Mapping[str, tuple[str, ...]]:
    """The attributes that describe a graph; none of one that is not known, or too large."""
    key = getattr(graph, "builder", None) or graph  # a graph with other options is a copy, made for each call
    if key is None:
        return {}
    try:
        known = _KNOWN.get(key)
        if known is None:
            known = _KNOWN[key] = _described(graph)
    except TypeError:  # a graph of the app's own class that can be no key
        return {}
    return known


def _described(graph: Any) -> Mapping[str, tuple[str, ...]]:
    found = _Topology()
    found.add(graph, ())
    if not found.nodes or len(found.nodes) > _MOST_NODES:
        return {}
    lists = {
        names.MAS_GRAPH_NODES: found.nodes,
        names.MAS_GRAPH_EDGES: found.edges,
        names.MAS_GRAPH_CHANNELS: found.channels,
    }
    return {name: tuple(values) for name, values in lists.items() if values}


class _Topology:
    def __init__(self) -> None:
        self.nodes: list[str] = []
        self.edges: list[str] = []
        self.channels: list[str] = []

    def add(self, graph: Any, path: tuple[str, ...]) -> None:
        """Add a graph that is the node at this path; LangGraph's names hold neither `|` nor `:`."""
        builder = getattr(graph, "builder", None)
        self.edges += ["|".join((kind, *(_at(path, node) for node in ends))) for kind, *ends in _edges(builder)]
        self.channels += _channels(graph, ":".join(path))
        for name, node in dict(getattr(graph, "nodes", None) or {}).items():
            if name == START or len(self.nodes) > _MOST_NODES:
                continue
            inner = graphs.bound_graph(getattr(node, "bound", None))
            agent = None if inner is None else graphs.name_of_node(inner, name)
            named = f"|{identifier(agent)}" if agent not in (None, name) else ""
            self.nodes.append(_at(path, identifier(name)) + named)
            if inner is not None and len(path) < _MOST_NESTED:
                self.add(inner, (*path, identifier(name)))


def _at(path: tuple[str, ...], node: str) -> str:
    return ":".join((*path, node)) if node else ""


def _edges(builder: Any) -> Iterator[tuple[str, ...]]:
    """Kind, source (of a join several) and target of every declared edge."""
    for source, target in sorted(getattr(builder, "edges", ())):
        yield "edge", identifier(source), identifier(target)
    for sources, target in sorted(getattr(builder, "waiting_edges", ())):
        yield ("join", *map(identifier, sources), identifier(target))
    for source, branches in dict(getattr(builder, "branches", None) or {}).items():
        for branch in branches.values():
            for target in _distinct(branch.ends.values()) if branch.ends else ("",):
                yield "branch", identifier(source), target
    for source, node in dict(getattr(builder, "nodes", None) or {}).items():
        for target in _distinct(getattr(node, "ends", None) or ()):
            yield "command", identifier(source), target
        handler = getattr(node, "error_handler_node", None)
        if handler is not None:
            yield "error_handler", identifier(source), identifier(handler)


def _distinct(ends: Iterable[Any]) -> list[str]:
    return list(dict.fromkeys(map(identifier, ends)))


def _channels(graph: Any, path: str) -> Iterator[str]:
    for name, channel in dict(getattr(graph, "channels", None) or {}).items():
        if not name.startswith(_OWN):
            reducer = getattr(getattr(channel, "operator", None), "__name__", "")
            yield f"{type(channel).__name__}|{identifier(reducer)}|{path}|{identifier(name)}"


__all__ = ["topology_of"]
