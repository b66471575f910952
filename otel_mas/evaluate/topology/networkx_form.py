"""An expected topology as a networkx graph."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeGuard

from otel_mas.errors import BadExpectation
from otel_mas.evaluate.topology.discovery import written
from otel_mas.evaluate.topology.expectation import (
    END,
    START,
    Cardinality,
    Count,
    Expectation,
    ExpectedEdge,
    NamePattern,
    Statement,
    Term,
)
from otel_mas.semconv import LinkKind

if TYPE_CHECKING:
    import networkx

_KINDS = (*(kind.value for kind in LinkKind), "child")


def from_networkx(graph: networkx.DiGraph[Any]) -> Expectation:
    """Make an expectation of a directed graph.

    Nodes are names, or have one as "name"; in a name `*` is a wildcard, and a node with one is a variable: it stands
    for one node of the run. Nodes called START and END are the run's. Edges may have "kind" (of the cause), "count" (a
    number, or a pair of bounds, of which the upper may be None) and "calls" (True: the effect is a tool).

    Raises:
        BadExpectation: A node has no name, or an attribute is something else.
    """
    if not graph.is_directed():
        raise BadExpectation("the expected graph has no directions: give a networkx.DiGraph or MultiDiGraph")
    terms = {node: _term(node, number, attributes) for number, (node, attributes) in enumerate(graph.nodes(data=True))}
    found: list[Statement] = [_edge(terms[one], terms[other], data) for one, other, data in graph.edges(data=True)]
    found += [Count(terms[node]) for node in graph.nodes if not graph.degree(node) and terms[node].variable is None]
    if not found:
        raise BadExpectation("the expected graph is empty: add an edge")
    return Expectation(tuple(found))


def _term(node: object, number: int, attributes: Mapping[str, Any]) -> Term:
    name = attributes.get("name", node)
    if not isinstance(name, str) or not name.strip():
        raise BadExpectation(f'the expected graph has the node {node!r} without a name: give it one as "name"')
    if name in (START, END):
        return Term(name, ())
    if re.search(r"(?<!\\)\*", name):
        quoted = f'"{name}"' if name != "*" else ""
        names = (NamePattern(name, wildcards=True),)
        return Term(f"${number}{':' if quoted else ''}{quoted}", names, str(number))
    return Term(written(name), (NamePattern(name),))


def _edge(source: Term, target: Term, attributes: Mapping[str, Any]) -> ExpectedEdge:
    kind, calls = attributes.get("kind"), attributes.get("calls", False)
    where = f"the expected graph, edge {source.text} -> {target.text}"
    if kind is not None and kind not in _KINDS:
        raise BadExpectation(f"{where}: {kind!r} is no kind of cause: give one of {', '.join(_KINDS)}")
    if not isinstance(calls, bool) or (calls and kind is not None):
        raise BadExpectation(f"{where}: calls is {calls!r} and kind {kind!r}: calls is True or False, without a kind")
    cardinality = _cardinality(attributes["count"], where) if "count" in attributes else None
    return ExpectedEdge(source, Term(target.text, target.names, target.variable, cardinality), kind, calls)


def _cardinality(count: object, where: str) -> Cardinality:
    least: object
    most: object
    least, most = count if isinstance(count, tuple | list) and len(count) == 2 else (count, count)
    if not _is_number(least) or not (most is None or _is_number(most)):
        raise BadExpectation(
            f"{where}: count is {count!r}: give a number, or two bounds of which the second may be None"
        )
    if most is not None and most < least:
        raise BadExpectation(f"{where}: count is {count!r}: no number is at least {least} and at most {most}")
    return Cardinality(least, most)


def _is_number(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


__all__ = ["from_networkx"]
