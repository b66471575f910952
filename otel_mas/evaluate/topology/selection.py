"""Executions, tool calls and edges that the terms of a statement stand for."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Set

from otel_mas.evaluate.topology.expectation import AGENT, START, TASK, TOOL, ExpectedEdge, NamePattern, Term
from otel_mas.evaluate.topology.nodes import OUTSIDE, CausalEdge, Node, ToolCall
from otel_mas.evaluate.topology.observed import ObservedTopology
from otel_mas.semconv import LinkKind


class Selection:
    """Looks terms up in the topology of a run; each is looked up once."""

    def __init__(self, observed: ObservedTopology) -> None:
        self.observed = observed
        self._nodes: dict[tuple[NamePattern, ...], Set[int]] = {}
        self._executions: dict[tuple[NamePattern, ...], list[int]] = {}
        self._calls: dict[str, list[int]] | None = None

    def nodes(self, term: Term) -> Set[int]:
        """Numbers of the nodes that a term stands for."""
        found = self._nodes.get(term.names)
        if found is None:
            used = self.observed.by_node
            found = self._nodes[term.names] = {
                number
                for number, node in enumerate(self.observed.nodes)
                if used[number] and any(_fits(pattern, node) for pattern in term.names)
            }
        return found

    def executions(self, term: Term) -> list[int]:
        """Executions of agents and tasks that a term stands for, by number."""
        if term.text == START and term.is_boundary:
            return [OUTSIDE]
        found = self._executions.get(term.names)
        if found is None:
            by_node = self.observed.by_node
            found = self._executions[term.names] = sorted(one for node in self.nodes(term) for one in by_node[node])
        return found

    def calls(self, term: Term) -> list[int]:
        """Places in `ObservedTopology.tool_calls` of the calls of tools that a term stands for."""
        if self._calls is None:
            self._calls = defaultdict(list)
            for place, call in enumerate(self.observed.tool_calls):
                self._calls[call.name].append(place)
        return sorted(
            place
            for name, places in self._calls.items()
            if any(pattern.kind in (None, TOOL) and pattern.fits(name) for pattern in term.names)
            for place in places
        )

    def edges(self, expected: ExpectedEdge) -> list[CausalEdge]:
        """The edges that an expected one may be: those of a message only where it says so."""
        if expected.kind == LinkKind.MESSAGE:
            sources, targets = set(self.executions(expected.source)), set(self.executions(expected.target))
            return [edge for edge in self.observed.message_edges if edge.source in sources and edge.target in targets]
        found = (
            edge
            for pair in self._pairs(self._ends(expected.source), self.nodes(expected.target))
            for edge in self.observed.edges_by_nodes.get(pair, ())
        )
        return [edge for edge in found if expected.kind in (None, edge.kind)]

    def calls_of(self, expected: ExpectedEdge) -> list[tuple[int, int]]:
        """Calls of tools by each source: the number of the caller, and the place of the call."""
        sources = set(self.executions(expected.source))
        return [
            (caller, place)
            for place in self.calls(expected.target)
            for caller in self.observed.tool_calls[place].callers
            if caller in sources
        ]

    def call(self, place: int) -> ToolCall:
        return self.observed.tool_calls[place]

    def _ends(self, term: Term) -> Collection[int]:
        return (OUTSIDE,) if term.is_boundary else self.nodes(term)

    def _pairs(self, sources: Collection[int], targets: Collection[int]) -> Iterator[tuple[int, int]]:
        """Pairs of nodes with edges, whichever way of looking them up is the shorter one."""
        by_nodes = self.observed.edges_by_nodes
        if len(sources) * len(targets) < len(by_nodes):
            yield from ((source, target) for source in sources for target in targets)
        else:
            yield from (pair for pair in by_nodes if pair[0] in sources and pair[1] in targets)


def _fits(pattern: NamePattern, node: Node) -> bool:
    if pattern.kind == TOOL or (pattern.kind == AGENT) > (node.agent is not None):
        return False
    if pattern.kind == TASK and node.agent is not None:
        return False
    return any(map(pattern.fits, node.names))


__all__ = ["Selection"]
