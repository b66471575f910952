"""Variables of an expectation: the nodes of a run that they stand for, by subgraph isomorphism.

Expected edges with variables are a pattern graph; it is looked for in the aggregated graph of the run. Wanted is a
monomorphism: distinct variables are distinct nodes, and the run may have more edges (VF2: L. P. Cordella et al., A
(sub)graph isomorphism algorithm for matching large graphs, 2004; networkx's `DiGraphMatcher`). A term that is no
variable has one image, all that it stands for, so only variables are searched for, among nodes that their edges fit.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence, Set
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from otel_mas.evaluate.outcome import Outcome
from otel_mas.evaluate.topology.check_edges import listed
from otel_mas.evaluate.topology.expectation import END, START, ExpectedEdge, Term
from otel_mas.evaluate.topology.nodes import OUTSIDE, CausalEdge
from otel_mas.evaluate.topology.result import Verdict
from otel_mas.evaluate.topology.selection import Selection
from otel_mas.semconv import LinkKind

if TYPE_CHECKING:
    import networkx

_MOST_STEPS: Final = 20_000
"""Pairs of nodes that one search looks at: a second's work at most."""
_VARIABLE, _TERM, _NODE = "variable", "term", "node"

Vertex = tuple[str, str | int]
"""A vertex of the pattern (a variable or a term by its text) or of the run (a node by number, or a term)."""
Ends = tuple[Vertex, Vertex]
"""The vertices of the run at both ends of edges."""
Counts = dict[tuple[Ends, str | None, bool], tuple[int, int]]
"""How many sources and targets the edges between two ends have: of a kind, and of the certain ones or of all."""
Mapped = Mapping[str, int]
"""By variable the number of the node that it stands for."""


class _TooLong(Exception):
    """A search has looked at as many pairs of nodes as it may."""


def check_variables(statements: Sequence[ExpectedEdge], selection: Selection) -> list[Verdict]:
    """Hold expected edges with variables against a run: as many of them together, in their order, as fit."""
    kept: list[ExpectedEdge] = []
    mapping: Mapped = {}
    outcomes = []
    counts: Counts = {}
    for one in statements:
        try:
            found = _Search([*kept, one], selection, counts).mapping()
        except _TooLong:
            outcomes.append((Outcome.INSUFFICIENT_EVIDENCE, "the search took too long: give more of the names"))
            continue
        if found is not None:
            kept.append(one)
            mapping = found
            outcomes.append((Outcome.PASSED, ""))
        else:
            outcomes.append(_without_mapping([*kept, one], selection, counts))
    return [
        Verdict(str(one), outcome, actual or _shown(one, mapping, selection))
        for one, (outcome, actual) in zip(statements, outcomes, strict=True)
    ]


def _without_mapping(statements: Sequence[ExpectedEdge], selection: Selection, counts: Counts) -> tuple[Outcome, str]:
    observed = selection.observed
    if observed.incomplete:
        return Outcome.INSUFFICIENT_EVIDENCE, observed.incomplete
    unknown = observed.unknown
    if unknown or not all(edge.certain for edge in observed.edges):
        try:
            possible = _Search(statements, selection, counts, certain=False).mapping() is not None
        except _TooLong:
            possible = True
        if possible:
            return Outcome.INSUFFICIENT_EVIDENCE, listed(
                unknown, observed.reason
            ) or "edges were inferred, not recorded"
    further = f" that fits the {len(statements) - 1} above" if len(statements) > 1 else ""
    return Outcome.FAILED, f"no such edge{further}"


def _shown(statement: ExpectedEdge, mapping: Mapped, selection: Selection) -> str:
    variables = dict.fromkeys(term.variable for term in (statement.source, statement.target) if term.variable)
    return ", ".join(f"${name} is {selection.observed.nodes[mapping[name]].path}" for name in variables)


class _Search:
    """One search for the nodes that variables stand for."""

    def __init__(
        self, statements: Sequence[ExpectedEdge], selection: Selection, counts: Counts, *, certain: bool = True
    ) -> None:
        self._selection = selection
        self._counts = counts
        self._observed = selection.observed
        self._certain = certain
        self._statements = [one for one in statements if not one.calls and not _is_end(one.target)]
        self._terms = {_vertex(term): term for one in statements for term in (one.source, one.target)}
        self._candidates = {
            vertex: self._fitting(term, statements) for vertex, term in self._terms.items() if vertex[0] == _VARIABLE
        }
        self._rules: dict[Ends, list[ExpectedEdge]] = defaultdict(list)
        for one in self._statements:
            self._rules[_vertex(one.source), _vertex(one.target)].append(one)

    def mapping(self) -> Mapped | None:
        """A node for each variable, so that all edges are there; None where there is no such mapping."""
        edges = self._edges()
        self._prune(edges)
        if not all(self._candidates.values()):
            return None
        pattern, host = self._pattern(), self._host(edges)
        matcher = _matcher(host, pattern, self._feasible)
        found: Mapping[Vertex, Vertex] | None = next(matcher.subgraph_monomorphisms_iter(), None)
        if found is None:
            return None
        return {str(one[1]): int(image[1]) for image, one in found.items() if one[0] == _VARIABLE}

    # -- candidates and edges ----------------------------------------------------------------------------------------

    def _fitting(self, term: Term, statements: Sequence[ExpectedEdge]) -> Set[int]:
        """The nodes that a variable may stand for by its names, its calls of tools and END; none that has a name."""
        same = [one for edge in statements for one in (edge.source, edge.target) if one.variable == term.variable]
        found = set.intersection(*(set(self._selection.nodes(one)) for one in same))
        for other in self._terms.values():
            if other.variable is None and not any(pattern.wildcards for pattern in other.names):
                found -= self._selection.nodes(other)
        for one in statements:
            if one.source.variable != term.variable:
                continue
            if one.calls:
                found &= self._calling(one)
            elif _is_end(one.target):
                found &= {self._observed.node_of(execution) for execution in self._observed.last}
        return found

    def _calling(self, expected: ExpectedEdge) -> Set[int]:
        calls: dict[int, set[int]] = defaultdict(set)
        for place in self._selection.calls(expected.target):
            for caller in self._selection.call(place).callers:
                calls[self._observed.node_of(caller)].add(place)
        bounds = expected.target.bounds
        return {node for node, places in calls.items() if bounds.outcome(len(places), len(places)) is Outcome.PASSED}

    def _edges(self) -> dict[Ends, list[CausalEdge]]:
        """The edges of the run between what terms stand for and nodes that variables may stand for."""
        found: dict[Ends, list[CausalEdge]] = defaultdict(list)
        images = cache(lambda node: list(self._images(node)))
        groups = list(self._observed.edges_by_nodes.values())
        if any(one.kind == LinkKind.MESSAGE for one in self._statements):
            groups += [[edge] for edge in self._observed.message_edges]
        for edges in groups:
            source, target = (self._observed.node_of(end) for end in (edges[0].source, edges[0].target))
            for one in images(source):
                for other in images(target):
                    if _NODE in (one[0], other[0]):
                        found[one, other] += edges
        return found

    def _images(self, node: int) -> Iterator[Vertex]:
        """All that stands for a node: itself, if a variable may be it, and each term that it belongs to."""
        if any(node in found for found in self._candidates.values()):
            yield _NODE, node
        for vertex, term in self._terms.items():
            if vertex[0] == _TERM and (node == OUTSIDE if term.text == START else node in self._selection.nodes(term)):
                yield vertex

    def _prune(self, edges: Mapping[Ends, list[CausalEdge]]) -> None:
        """Leave out candidates that lack an edge, until none does (arc consistency; A. K. Mackworth, 1977)."""
        possible = {
            pair: [(ends, found) for ends, found in self._ends(edges) if self._holds(pair, ends, found)]
            for pair in self._rules
        }
        shrinking = True
        while shrinking:
            shrinking = False
            for (source, target), found in possible.items():
                there = [ends for ends, _ in found if self._may(source, ends[0]) and self._may(target, ends[1])]
                for place, one in enumerate((source, target)):
                    if one[0] == _VARIABLE:
                        left = self._candidates[one] & {int(ends[place][1]) for ends in there}
                        shrinking |= len(left) < len(self._candidates[one])
                        self._candidates[one] = left

    def _ends(self, edges: Mapping[Ends, list[CausalEdge]]) -> Iterator[tuple[Ends, list[CausalEdge]]]:
        yield from edges.items()
        if not self._certain:
            yield from ((ends, []) for ends in self._unknown() if ends not in edges)

    def _unknown(self) -> Iterator[Ends]:
        """Pairs between which there may be an edge, since the second has an execution with unknown causes."""
        targets = {self._observed.node_of(one) for one in self._observed.unknown}
        sources = [image for node in range(len(self._observed.nodes)) for image in self._images(node)]
        for target in (image for node in targets for image in self._images(node)):
            yield from ((source, target) for source in sources if _NODE in (source[0], target[0]))

    def _holds(self, pair: Ends, ends: Ends, edges: Sequence[CausalEdge]) -> bool:
        """Whether edges of the run between two ends are as each statement about the pair says."""
        if not all(self._may(one, end) for one, end in zip(pair, ends, strict=True)):
            return False
        return all(self._is_as_expected(one, ends, edges) for one in self._rules[pair])

    def _is_as_expected(self, expected: ExpectedEdge, ends: Ends, edges: Sequence[CausalEdge]) -> bool:
        if not self._certain and (not edges or any(self._observed.executions[edge.target].unknown for edge in edges)):
            return True
        key = ends, expected.kind, self._certain
        if key not in self._counts:
            self._counts[key] = _counts(edges, expected.kind, self._certain)
        sources, targets = self._counts[key]
        return (
            expected.target.bounds.outcome(targets, targets) is Outcome.PASSED
            and expected.source.bounds.outcome(sources, sources) is Outcome.PASSED
        )

    def _may(self, one: Vertex, image: Vertex) -> bool:
        """Whether a vertex of the pattern may have this image."""
        if one[0] == _VARIABLE:
            return image[0] == _NODE and image[1] in self._candidates[one]
        return one == image

    # -- graphs ------------------------------------------------------------------------------------------------------

    def _pattern(self) -> networkx.DiGraph[Vertex]:
        import networkx

        pattern: networkx.DiGraph[Vertex] = networkx.DiGraph()
        used = [vertex for pair in self._rules for vertex in pair]
        for vertex in sorted({*used, *self._candidates}, key=lambda one: (one[0] == _VARIABLE, -used.count(one))):
            pattern.add_node(vertex)
        pattern.add_edges_from(self._rules)
        return pattern

    def _host(self, edges: Mapping[Ends, list[CausalEdge]]) -> networkx.DiGraph[Vertex]:
        import networkx

        host: networkx.DiGraph[Vertex] = networkx.DiGraph()
        host.add_nodes_from(vertex for vertex in self._terms if vertex[0] == _TERM)
        host.add_nodes_from((_NODE, node) for node in sorted(set().union(*self._candidates.values())))
        for ends, found in self._ends(edges):
            if ends[0] in host and ends[1] in host:
                host.add_edge(*ends, edges=found)
        return host

    def _feasible(self, matcher: Any, image: Vertex, one: Vertex) -> bool:
        """Whether a vertex of the pattern may be mapped to an image, next to those that are mapped already."""
        if not self._may(one, image):
            return False
        mapped: Mapping[Vertex, Vertex] = {**matcher.core_2, one: image}
        for pair in self._rules:
            if one in pair and all(end in mapped for end in pair):
                ends = mapped[pair[0]], mapped[pair[1]]
                if not matcher.G1.has_edge(*ends) or not self._holds(pair, ends, matcher.G1.edges[ends]["edges"]):
                    return False
        return True


def _counts(edges: Sequence[CausalEdge], kind: str | None, certain: bool) -> tuple[int, int]:
    found = [
        edge
        for edge in edges
        if (edge.certain or not certain) and (edge.kind != LinkKind.MESSAGE if kind is None else edge.kind == kind)
    ]
    return len({edge.source for edge in found}), len({edge.target for edge in found})


def _vertex(term: Term) -> Vertex:
    return (_VARIABLE, term.variable) if term.variable is not None else (_TERM, term.text)


def _is_end(term: Term) -> bool:
    return term.is_boundary and term.text == END


def _matcher(host: networkx.DiGraph[Vertex], pattern: networkx.DiGraph[Vertex], feasible: Any) -> Any:
    """A matcher that asks `feasible` of each pair, and gives up after `_MOST_STEPS`."""
    from networkx.algorithms.isomorphism import DiGraphMatcher

    class Matcher(DiGraphMatcher):
        steps = 0

        def semantic_feasibility(self, image: Vertex, one: Vertex) -> bool:
            self.steps += 1
            if self.steps > _MOST_STEPS:
                raise _TooLong
            return bool(feasible(self, image, one))

    return Matcher(host, pattern)


__all__ = ["check_variables"]
