"""A reference for matching: the definitions of docs/topology.md by brute force, on runs of a few tasks."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field

from otel_mas.evaluate.topology.expectation import Before, Cardinality, Count, ExpectedEdge, Joins, Statement, Term

START = -1
Pair = tuple[int, int]


@dataclass
class SmallRun:
    """Tasks in their order: the path of each, the one around it, and its causes."""

    paths: list[str] = field(default_factory=list)
    around: list[int] = field(default_factory=list)
    edges: set[Pair] = field(default_factory=set)
    calls: list[tuple[int, str]] = field(default_factory=list)

    def of(self, term: Term) -> list[int]:
        return [i for i, path in enumerate(self.paths) if any(name.fits(path) for name in term.names)]

    def before(self) -> set[Pair]:
        """All pairs of which the first ended before the second began: the closure of events."""
        events = range(2 * len(self.paths))
        leads = [[one == other for other in events] for one in events]
        for i, around in enumerate(self.around):
            leads[2 * i][2 * i + 1] = True
            if around != START:
                leads[2 * around][2 * i] = leads[2 * i + 1][2 * around + 1] = True
        for cause, effect in self.edges:
            if cause != START:
                leads[2 * cause + (0 if self.encloses(cause, effect) else 1)][2 * effect] = True
        for middle, one, other in itertools.product(events, repeat=3):
            leads[one][other] |= leads[one][middle] and leads[middle][other]
        tasks = range(len(self.paths))
        return {(i, j) for i in tasks for j in tasks if leads[2 * i + 1][2 * j]}

    def encloses(self, outer: int, inner: int) -> bool:
        while inner != START:
            inner = self.around[inner]
            if inner == outer:
                return True
        return False


def holds(statement: Statement, run: SmallRun) -> bool:
    """Whether a statement without variables holds."""
    match statement:
        case Count(term, never):
            number = len(run.of(term)) + sum(any(name.fits(tool) for name in term.names) for _, tool in run.calls)
            return not number if never else _within(number, term.cardinality)
        case ExpectedEdge():
            return _edge_holds(statement, run)
        case Before(earlier, later, never):
            order, ones = run.before(), run.of(later)
            return bool(never or ones) and all(any((a, b) in order for a in run.of(earlier)) for b in ones)
        case Joins(join, branch):
            return _joins_hold(run.of(join), run.of(branch), branch.cardinality, run)
        case _:
            raise NotImplementedError


def variables_hold(statements: Sequence[ExpectedEdge], run: SmallRun) -> bool:
    """Whether distinct nodes can be given to the variables so that all edges are there."""
    terms = [term for one in statements for term in (one.source, one.target)]
    variables = sorted({term.variable for term in terms if term.variable is not None})
    named = {run.paths[i] for term in terms if term.variable is None and term.text != "*" for i in run.of(term)}
    nodes = sorted(set(run.paths) - named)
    for images in itertools.permutations(nodes, len(variables)):
        image = dict(zip(variables, images, strict=True))
        if all(_edge_holds(one, run, image) for one in statements):
            return True
    return False


def _edge_holds(edge: ExpectedEdge, run: SmallRun, image: dict[str, str] | None = None) -> bool:
    def ends(term: Term) -> list[int]:
        if term.variable is not None and image is not None:
            return [i for i, path in enumerate(run.paths) if path == image[term.variable]]
        return [START] if term.text == "START" else run.of(term)

    if edge.calls:
        pairs = {(caller, place) for place, (caller, tool) in enumerate(run.calls) if tool == edge.target.text}
        pairs = {
            (one, place)
            for caller, place in pairs
            for one in ends(edge.source)
            if one == caller or run.encloses(one, caller)
        }
    else:
        pairs = {(a, b) for a in ends(edge.source) for b in ends(edge.target) if (a, b) in run.edges}
    if edge.never:
        return not pairs
    targets, sources = {b for _, b in pairs}, {a for a, _ in pairs}
    if edge.each:
        each = all(
            _within(len({b for one, b in pairs if one == a}), edge.target.cardinality) for a in ends(edge.source)
        )
        return each and _within(len(ends(edge.source)), edge.source.cardinality)
    free = [term.cardinality is not None and term.cardinality.least == 0 for term in (edge.source, edge.target)]
    return (_within(len(targets), edge.target.cardinality) or (edge.target.cardinality is None and free[0])) and (
        _within(len(sources), edge.source.cardinality) or (edge.source.cardinality is None and free[1])
    )


def _joins_hold(joins: list[int], branches: list[int], cardinality: Cardinality | None, run: SmallRun) -> bool:
    order = run.before()
    joined = {branch: {join for join in joins if (branch, join) in run.edges} for branch in branches}
    for branch, join in itertools.product(branches, joins):
        later = any((other, join) in order for other in joined[branch])
        if not (join in joined[branch] or (join, branch) in order or later):
            return False
    counts = [sum(join in found for found in joined.values()) for join in joins]
    return bool(joins) and all(joined.values()) and all(_within(count, cardinality) for count in counts)


def _within(number: int, cardinality: Cardinality | None) -> bool:
    if cardinality is None:
        return number >= 1
    return number >= cardinality.least and (cardinality.most is None or number <= cardinality.most)
