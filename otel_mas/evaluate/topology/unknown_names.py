"""Names in an expectation that stand for nothing which the run has or its graphs declare: they may be misspelled."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from otel_mas.errors.similar import did_you_mean
from otel_mas.evaluate.topology.expectation import (
    AGENT,
    TASK,
    TOOL,
    Before,
    Count,
    Expectation,
    ExpectedEdge,
    Joins,
    NamePattern,
    Statement,
    Term,
)
from otel_mas.evaluate.topology.observed import ObservedTopology


def unknown_names(expected: Expectation, observed: ObservedTopology) -> tuple[str, ...]:
    """A warning for each of these names."""
    found = (
        _warning(pattern, kinds, observed)
        for statement in expected.statements
        for term, allowed in _terms(statement)
        for pattern in term.names
        for kinds in [[kind for kind in allowed if pattern.kind in (None, kind)]]
        if not _is_known(pattern, kinds, observed)
    )
    return tuple(dict.fromkeys(found))


def _terms(statement: Statement) -> Iterator[tuple[Term, tuple[str, ...]]]:
    """The terms of a statement, each with the kinds that it may stand for there."""
    tasks = (AGENT, TASK)
    match statement:
        case ExpectedEdge():
            yield statement.source, tasks
            yield statement.target, (TOOL,) if statement.calls else tasks
        case Joins():
            yield statement.join, tasks
            yield statement.branch, tasks
        case Before():
            yield statement.earlier, (*tasks, TOOL)
            yield statement.later, (*tasks, TOOL)
        case Count():
            yield statement.term, (*tasks, TOOL)


def _is_known(pattern: NamePattern, kinds: Collection[str], observed: ObservedTopology) -> bool:
    known = observed.known_names
    return (
        pattern.text == "*"
        or any(_fits(pattern, name) for kind in kinds for name in known[kind])
        or (TOOL in kinds and any(map(pattern.fits, observed.defined_tools)))
    )


def _warning(pattern: NamePattern, kinds: Collection[str], observed: ObservedTopology) -> str:
    known = {name for kind in kinds for name in observed.known_names[kind]}
    known |= set(observed.defined_tools) if TOOL in kinds else set()
    return f"no {' or '.join(kinds)} {pattern.text!r} is known in this run{did_you_mean(pattern.text, sorted(known))}"


def _fits(pattern: NamePattern, name: str) -> bool:
    """Whether a pattern fits a name; of a declared node, whose place is not known, the end of a path is enough."""
    return pattern.fits(name) or ("/" not in name and pattern.text.rpartition("/")[2] == name)


__all__ = ["unknown_names"]
