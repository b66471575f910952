"""The topology that a run recorded of its graph: nodes, edges and channels as their author declared them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from otel_mas.model import AttributeValue, Span
from otel_mas.semconv import attributes as names

EDGE, COMMAND, JOIN, HANDLER = "edge", "command", "join", "error_handler"
"""Kinds of edges that are told apart here; the others are conditional ones."""
ANY = ""
"""Target of an edge that may lead to any node."""


@dataclass(frozen=True, slots=True)
class DeclaredEdge:
    """An edge of a graph as its author declared it; a join has several sources."""

    kind: str
    sources: tuple[str, ...]
    target: str


@dataclass(frozen=True, slots=True)
class Topology:
    """Nodes, edges and channels of one graph. `agents` has the agents' names of nodes, where they are others."""

    nodes: tuple[str, ...]
    agents: Mapping[str, str]
    edges: tuple[DeclaredEdge, ...]
    channels: Mapping[str, tuple[str, str]]
    """By name LangGraph's class and the reducer's name."""

    def names(self) -> Iterator[str]:
        """The names of its nodes and of the agents that they are."""
        yield from self.nodes
        yield from self.agents.values()

    def node(self, agent: str) -> str | None:
        """The node of this name, or that is the agent of this name."""
        if agent in self.nodes:
            return agent
        return next((node for node, name in self.agents.items() if name == agent), None)

    def into(self, node: str) -> Iterator[DeclaredEdge]:
        """The edges that lead to a node or may, the certain ones first."""
        yield from (edge for edge in self.edges if edge.target == node)
        yield from (edge for edge in self.edges if edge.target == ANY and node not in edge.sources)

    def reaches(self, sources: Sequence[str], node: str) -> bool:
        """Whether edges lead from one of these nodes to a node, in one step or several."""
        waiting, seen = list(sources), set(sources)
        while waiting:
            one = waiting.pop()
            for edge in self.edges:
                if one in edge.sources:
                    if edge.target in (node, ANY):
                        return True
                    if edge.target not in seen:
                        seen.add(edge.target)
                        waiting.append(edge.target)
        return False


def topologies(span: Span) -> Mapping[str, Topology]:
    """The graphs that a run's span describes, by their place: "" for its own, `node:inner` for those inside."""
    described = _texts(span.get(names.MAS_GRAPH_NODES))
    if not described:  # as of the runs inside of one that is described
        return {}
    nodes: dict[str, list[str]] = defaultdict(list)
    agents: dict[str, dict[str, str]] = defaultdict(dict)
    edges: dict[str, list[DeclaredEdge]] = defaultdict(list)
    channels: dict[str, dict[str, tuple[str, str]]] = defaultdict(dict)
    for text in described:
        path, _, agent = text.partition("|")
        place, _, node = path.rpartition(":")
        nodes[place].append(node)
        if agent:
            agents[place][node] = agent
    for text in _texts(span.get(names.MAS_GRAPH_EDGES)):
        kind, *ends = text.split("|")
        if len(ends) > 1:
            place = ends[0].rpartition(":")[0]
            *sources, target = (end.rpartition(":")[2] for end in ends)
            edges[place].append(DeclaredEdge(kind, tuple(sources), target))
    for text in _texts(span.get(names.MAS_GRAPH_CHANNELS)):
        kind, reducer, place, name = (*text.split("|", 3), "", "", "", "")[:4]
        channels[place][name] = kind, reducer
    return {
        place: Topology(tuple(nodes[place]), agents[place], tuple(edges[place]), channels[place])
        for place in list(nodes)
    }


def _texts(value: AttributeValue) -> list[str]:
    return [str(one) for one in value] if isinstance(value, list | tuple) else []


__all__ = ["ANY", "COMMAND", "EDGE", "HANDLER", "JOIN", "DeclaredEdge", "Topology", "topologies"]
