"""Statements that can be written and mean nothing, refused."""

from __future__ import annotations

from otel_mas.errors import BadExpectation
from otel_mas.evaluate.topology.expectation import (
    AGENT,
    END,
    START,
    TASK,
    TOOL,
    Before,
    Count,
    Expectation,
    ExpectedEdge,
    Joins,
    NothingElse,
    Statement,
    Term,
    terms_of,
)


def validated(expected: Expectation) -> Expectation:
    """The expectation, if each of its statements means something.

    Raises:
        BadExpectation: One does not; the message has the statement, and what to write instead.
    """
    has_variables = any(term.variable is not None for term in terms_of(expected.statements))
    for one in expected.statements:
        match one:
            case ExpectedEdge():
                _check_edge(one)
            case Count(term):
                _check_plain(one, term)
            case Before():
                _check_plain(one, one.earlier, one.later)
                _check_uncounted(one, one.earlier)
            case Joins():
                _check_plain(one, one.join, one.branch)
                _check_uncounted(one, one.join)
                _check_kinds(one, one.join, one.branch, refused=TOOL)
            case NothingElse() if has_variables:
                raise _error(one, "a variable would stand for anything else: give names")
    return expected


def _check_edge(edge: ExpectedEdge) -> None:
    source, target = edge.source, edge.target
    if source.is_boundary and source.text == END:
        raise _error(edge, "nothing comes after END")
    if target.is_boundary and target.text == START:
        raise _error(edge, "nothing comes before START")
    for term in (source, target):
        if term.is_boundary and (term.cardinality or edge.calls or edge.each):
            raise _error(edge, f"{term.text} stands alone at an end of a plain edge")
    if target.is_boundary and edge.kind:
        raise _error(edge, "no cause of a kind leads to END: write ->")
    _check_kinds(edge, source, refused=TOOL)
    if edge.calls:
        _check_kinds(edge, target, refused=(AGENT, TASK))
    else:
        _check_kinds(edge, target, refused=TOOL)
    if edge.never and (source.cardinality or target.cardinality):
        raise _error(edge, "what never is has no number: leave the cardinality out")
    if edge.has_variable:
        _check_variable(edge)


def _check_variable(edge: ExpectedEdge) -> None:
    if edge.never or edge.each:
        raise _error(edge, "a variable stands for one node that is there: give a name, or * for any")
    if edge.calls and edge.target.variable is not None:
        raise _error(edge, "a variable stands for an agent or a task: give a tool's name, or * for any")
    if any(term.cardinality is not None and not term.cardinality.least for term in (edge.source, edge.target)):
        raise _error(edge, "an edge of a variable has to be there: give a cardinality of 1 or more")


def _check_plain(statement: Statement, *terms: Term) -> None:
    for term in terms:
        if term.is_boundary:
            raise _error(statement, f"{term.text} may stand only at the end of an edge")
        if term.variable is not None:
            raise _error(statement, "a variable may stand only in edges: give a name, or * for any")
    if isinstance(statement, Count | Before) and statement.never and any(term.cardinality for term in terms):
        raise _error(statement, "what never is has no number: leave the cardinality out")


def _check_uncounted(statement: Statement, term: Term) -> None:
    if term.cardinality is not None:
        raise _error(statement, f"{term.text} has no number here: leave {term.cardinality} out")


def _check_kinds(statement: Statement, *terms: Term, refused: str | tuple[str, ...]) -> None:
    for term in terms:
        if any(pattern.kind is not None and pattern.kind in refused for pattern in term.names):
            better = "=> from an agent or task to a tool" if TOOL in refused else "-> to an agent or task"
            raise _error(statement, f"{term.text} may not stand there: write {better}")


def _error(statement: Statement, problem: str) -> BadExpectation:
    return BadExpectation(f'expected topology, "{statement}": {problem}')


__all__ = ["validated"]
