"""The statement that a run has no edges and calls but the expected ones."""

from __future__ import annotations

from collections.abc import Iterator

from otel_mas.evaluate.outcome import Outcome
from otel_mas.evaluate.topology.check_edges import listed
from otel_mas.evaluate.topology.expectation import Expectation, ExpectedEdge, Joins, NothingElse, Statement, terms_of
from otel_mas.evaluate.topology.nodes import OUTSIDE
from otel_mas.evaluate.topology.result import Verdict
from otel_mas.evaluate.topology.selection import Selection


def check_nothing_else(expected: Expectation, selection: Selection) -> Verdict:
    """Hold against a run that all its edges and calls of tools are expected ones.

    Edges to START and END are not looked at, nor what is inside prebuilt agents, unless the expectation names it.
    """
    observed = selection.observed
    edges = dict.fromkeys(_edges(expected, selection))
    calls = {place: call for place, call in enumerate(observed.tool_calls) if call.callers}
    for one in expected.statements:
        for pair in _expected_edges(one, selection):
            edges.pop(pair, None)
        if isinstance(one, ExpectedEdge) and one.calls and not one.never:
            for _, place in selection.calls_of(one):
                calls.pop(place, None)
    unexpected = (
        *(f"{observed.label(source)} -> {observed.label(target)}" for source, target in edges),
        *(f"{observed.label(call.callers[0])} => {call.name}" for call in calls.values()),
    )
    statement = str(NothingElse())
    if unexpected:
        return Verdict(statement, Outcome.FAILED, f"also {listed(unexpected)}", unexpected)
    unknown = observed.incomplete or listed(observed.unknown, observed.reason)
    if unknown:
        return Verdict(statement, Outcome.INSUFFICIENT_EVIDENCE, unknown)
    return Verdict(statement, Outcome.PASSED, "nothing else")


def _edges(expected: Expectation, selection: Selection) -> Iterator[tuple[int, int]]:
    observed = selection.observed
    named = {
        execution
        for term in terms_of(expected.statements)
        if not all(pattern.text == "*" for pattern in term.names)
        for execution in selection.executions(term)
    }
    hidden = observed.inside_prebuilt_agents - named
    for edge in observed.edges:
        if edge.certain and edge.source != OUTSIDE and hidden.isdisjoint((edge.source, edge.target)):
            yield edge.source, edge.target


def _expected_edges(statement: Statement, selection: Selection) -> Iterator[tuple[int, int]]:
    if isinstance(statement, Joins):
        statement = ExpectedEdge(statement.branch, statement.join)
    if not isinstance(statement, ExpectedEdge) or statement.calls or statement.never:
        return
    if not statement.target.is_boundary:
        yield from ((edge.source, edge.target) for edge in selection.edges(statement))


__all__ = ["check_nothing_else"]
