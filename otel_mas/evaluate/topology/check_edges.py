"""Statements about numbers of executions, edges and calls of tools, held against a run."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from typing import TypeVar

from otel_mas.evaluate.outcome import Outcome
from otel_mas.evaluate.topology.expectation import (
    END,
    NONE,
    SOME,
    UNBOUNDED,
    Cardinality,
    Count,
    ExpectedEdge,
    Term,
)
from otel_mas.evaluate.topology.nodes import OUTSIDE, CausalEdge, ToolCall
from otel_mas.evaluate.topology.result import Verdict
from otel_mas.evaluate.topology.selection import Selection

T = TypeVar("T")
_EXAMPLES = 3
_ANY_NUMBER = Cardinality(0, None)


def check_count(statement: Count, selection: Selection) -> Verdict:
    """Hold a number of executions, or of calls of tools, against a run."""
    term, observed = statement.term, selection.observed
    found: list[int | ToolCall] = [*selection.executions(term), *map(selection.call, selection.calls(term))]

    def text(one: int | ToolCall) -> str:
        return observed.label(one) if isinstance(one, int) else f"a call of {one.name}"

    possible = UNBOUNDED if observed.incomplete else len(found)
    bounds = NONE if statement.never else term.bounds
    outcome = bounds.outcome(len(found), possible)
    if outcome is Outcome.INSUFFICIENT_EVIDENCE:
        return Verdict(str(statement), outcome, f"{_number(found, 'found')}; {observed.incomplete}")
    unexpected = tuple(map(text, found)) if outcome is Outcome.FAILED else ()
    return Verdict(str(statement), outcome, f"ran: {listed(found, text)}" if found else "never ran", unexpected)


def check_edge(statement: ExpectedEdge, selection: Selection) -> Verdict:
    """Hold an expected edge, or an expected call, against a run."""
    edges = _Calls(statement, selection) if statement.calls else _Edges(statement, selection)
    if statement.each:
        return _each(statement, edges, selection)
    outcome = edges.outcome()
    if outcome is Outcome.PASSED:
        return Verdict(str(statement), outcome, listed(edges.pairs, edges.text) or "never, as may be")
    if outcome is Outcome.INSUFFICIENT_EVIDENCE:
        return Verdict(str(statement), outcome, f"{_number(edges.pairs, 'known')}; {edges.reason()}")
    unexpected = tuple(map(edges.text, edges.pairs)) if edges.too_many() else ()
    return Verdict(str(statement), outcome, edges.instead(), unexpected)


class _Edges:
    """Edges between the executions of two terms: the certain ones, and how many more there may be."""

    noun = "edge"

    def __init__(self, statement: ExpectedEdge, selection: Selection) -> None:
        self.statement = statement
        self.selection = selection
        self.observed = selection.observed
        self.sources = selection.executions(statement.source)
        self.targets = [] if statement.target.is_boundary else selection.executions(statement.target)
        self.edges = self._found()
        # The edges of a run are in order already, or nearly so.
        self.pairs = sorted(dict.fromkeys((edge.source, edge.target) for edge in self.edges if edge.certain))
        self.possible = {(edge.source, edge.target) for edge in self.edges if not edge.certain}.union(self.pairs)
        self.unknown = self._unknown()
        self._unknown_set = frozenset(self.unknown)

    def _found(self) -> list[CausalEdge]:
        if not self.statement.target.is_boundary:
            return self.selection.edges(self.statement)
        sources = set(self.sources)
        certain = self.observed.last_is_certain
        return [CausalEdge(one, OUTSIDE, "end", certain) for one in self.observed.last if one in sources]

    def _unknown(self) -> list[int]:
        """Effects that may have a cause among the sources that was not recorded."""
        if not self.observed.unknown:
            return []
        targets = set(self.targets).difference(target for _, target in self.pairs)
        return [
            one for one in self.observed.unknown if one in targets and (self.sources or self.observed.is_elsewhere(one))
        ]

    def outcome(self) -> Outcome:
        statement, most_targets, most_sources = self.statement, *self._most()
        targets, sources = _distinct(self.pairs, 1), _distinct(self.pairs, 0)
        if statement.never:
            return NONE.outcome(targets, most_targets)
        return Outcome.of(
            (
                _bounds(statement.target, statement.source).outcome(targets, most_targets),
                _bounds(statement.source, statement.target).outcome(sources, most_sources),
            )
        )

    def _most(self) -> tuple[float, float]:
        """The greatest numbers of effects and of sources that may be."""
        if self.observed.incomplete:
            return UNBOUNDED, UNBOUNDED
        targets = {target for _, target in self.possible}.union(self.unknown)
        if any(map(self.observed.is_elsewhere, self.unknown)):
            return len(targets), UNBOUNDED
        return len(targets), len(self.sources) if self.unknown else _distinct(self.possible, 0)

    def too_many(self) -> bool:
        statement = self.statement
        if statement.never:
            return True
        ends = ((statement.target, 1), (statement.source, 0))
        return any(term.cardinality and _above(term.cardinality, _distinct(self.pairs, end)) for term, end in ends)

    def most_of(self, source: int, certain: int) -> float:
        """The greatest number of effects that one source may have."""
        if self.observed.incomplete:
            return UNBOUNDED
        return max(certain, len(self._possible_of.get(source, ())) + len(self.unknown))

    @cached_property
    def _possible_of(self) -> Mapping[int, set[int]]:
        found: dict[int, set[int]] = defaultdict(set)
        for source, target in self.possible:
            if target not in self._unknown_set:
                found[source].add(target)
        return found

    def text(self, pair: tuple[int, int]) -> str:
        """An edge with the labels of its ends."""
        target = END if pair[1] == OUTSIDE else self.observed.label(pair[1])
        return f"{self.observed.label(pair[0])} -> {target}"

    def reason(self) -> str:
        """The reason why more edges may have been than are known."""
        if self.observed.incomplete:
            return self.observed.incomplete
        if self.unknown:
            return listed(self.unknown, self.observed.reason)
        if self.statement.target.is_boundary:
            return listed(self.observed.unknown, self.observed.reason)
        return "others were inferred, not recorded"

    def instead(self) -> str:
        """The edges that the run has in its place."""
        statement = self.statement
        if self.pairs:
            return f"{_number(self.pairs, self.noun)}: {listed(self.pairs, self.text)}"
        if not self.sources:
            return f"{statement.source.text} never ran"
        if not self.targets and not statement.target.is_boundary:
            return f"{statement.target.text} never ran; {self._led_to()}"
        targets = set(self.targets)
        into = [(edge.source, edge.target) for edge in self.observed.edges if edge.target in targets]
        return "; ".join(filter(None, (self._led_to(), f"instead {listed(into, self.text)}" if into else "")))

    def _led_to(self) -> str:
        sources = set(self.sources)
        found = list(dict.fromkeys(edge.target for edge in self.observed.edges if edge.source in sources))
        return f"{self.statement.source.text} led to {listed(found, self.observed.label) or 'nothing'}"


class _Calls(_Edges):
    """Calls of tools by the executions of a term. Parentage is always recorded, so none are unknown."""

    noun = "call"

    def _found(self) -> list[CausalEdge]:
        self.targets = self.selection.calls(self.statement.target)
        return [CausalEdge(caller, place, "child", True) for caller, place in self.selection.calls_of(self.statement)]

    def _unknown(self) -> list[int]:
        return []

    def text(self, pair: tuple[int, int]) -> str:
        return f"{self.observed.label(pair[0])} => {self.selection.call(pair[1]).name}"

    def instead(self) -> str:
        if self.pairs:
            return super().instead()
        if not self.sources:
            return f"{self.statement.source.text} never ran"
        sources = set(self.sources)
        called = [call.name for call in self.observed.tool_calls if sources.intersection(call.callers)]
        instead = f"{self.statement.source.text} called {listed(list(dict.fromkeys(called))) or 'no tool'}"
        others = [
            f"{self.observed.label(call.callers[0]) if call.callers else 'START'} => {call.name}"
            for call in map(self.selection.call, self.targets)
        ]
        return "; ".join(filter(None, (instead, f"instead {listed(others)}" if others else "")))


def _each(statement: ExpectedEdge, edges: _Edges, selection: Selection) -> Verdict:
    observed = selection.observed
    by_source: dict[int, set[int]] = defaultdict(set)
    for source, target in edges.pairs:
        by_source[source].add(target)
    outcomes = {}
    for source in edges.sources:
        certain = len(by_source[source])
        outcomes[source] = statement.target.bounds.outcome(certain, edges.most_of(source, certain))
    ran = statement.source.bounds.outcome(len(edges.sources), UNBOUNDED if observed.incomplete else len(edges.sources))
    outcome = Outcome.of((*outcomes.values(), ran))
    others = [source for source, one in outcomes.items() if one is outcome]
    if outcome is Outcome.PASSED:
        return Verdict(str(statement), outcome, listed(edges.pairs, edges.text) or f"{statement.source.text} never ran")
    if ran is outcome and not others:
        return Verdict(str(statement), outcome, f"{_number(edges.sources, 'execution')} of {statement.source.text}")
    counts = listed(others, lambda one: f"{observed.label(one)} has {len(by_source[one])}")
    if outcome is Outcome.INSUFFICIENT_EVIDENCE:
        return Verdict(str(statement), outcome, f"{counts}; {edges.reason()}")
    return Verdict(str(statement), outcome, f"{counts}: {listed(edges.pairs, edges.text) or edges.instead()}")


def _bounds(term: Term, other: Term) -> Cardinality:
    """The bounds of one end: at least one where nothing is written, unless the other end may have none."""
    if term.cardinality is not None:
        return term.cardinality
    return _ANY_NUMBER if other.cardinality is not None and other.cardinality.least == 0 else SOME


def _above(cardinality: Cardinality, number: int) -> bool:
    return cardinality.most is not None and number > cardinality.most


def _distinct(pairs: Iterable[tuple[int, int]], end: int) -> int:
    return len({pair[end] for pair in pairs})


def _number(found: Sequence[object], noun: str) -> str:
    plural = "" if len(found) == 1 or noun in ("known", "found") else "s"
    return f"{len(found) or 'none'} {noun}{plural}"


def listed(found: Sequence[T], text: Callable[[T], str] = str) -> str:
    """The first few of these as text, and the number of the others."""
    more = f" and {len(found) - _EXAMPLES} more" if len(found) > _EXAMPLES else ""
    return ", ".join(map(text, found[:_EXAMPLES])) + more


__all__ = ["check_count", "check_edge", "listed"]
