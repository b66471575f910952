"""Statements about the order of executions, and about joins, held against a run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from functools import cache, reduce
from operator import or_

from otel_mas.evaluate.outcome import Outcome
from otel_mas.evaluate.topology.check_edges import listed
from otel_mas.evaluate.topology.expectation import SOME, UNBOUNDED, Before, ExpectedEdge, Joins, Term
from otel_mas.evaluate.topology.happens_before import HappensBefore
from otel_mas.evaluate.topology.nodes import OUTSIDE
from otel_mas.evaluate.topology.observed import ObservedTopology
from otel_mas.evaluate.topology.result import Verdict
from otel_mas.evaluate.topology.selection import Selection

_LONGEST_WAY = 12


def check_before(statement: Before, selection: Selection) -> Verdict:
    """Hold "earlier before later" against a run: each later one needs an earlier one in its past."""
    observed, order = selection.observed, selection.observed.order
    earlier, later = _activities(statement.earlier, selection), _activities(statement.later, selection)
    if not later:
        return _nothing_later(statement, observed)
    has = order.has_before(earlier)
    without = [one for one in later if not has[one]]
    if not without:
        shown = f"{statement.earlier.text} was before {listed(later, lambda one: _label(one, selection))}"
        if observed.incomplete:
            return Verdict(str(statement), Outcome.INSUFFICIENT_EVIDENCE, f"{shown}; {observed.incomplete}")
        return Verdict(str(statement), Outcome.PASSED, shown)
    unknown = order.may_have_before(earlier)
    certain = [one for one in without if not unknown[one]]
    if observed.incomplete or not certain:
        reason = observed.incomplete or _unknown_order(without, earlier, selection)
        return Verdict(str(statement), Outcome.INSUFFICIENT_EVIDENCE, reason)
    names = [_label(one, selection) for one in certain]
    lacking = f"no {statement.earlier.text} was"
    actual = f"{listed(names)} ran and {lacking} before {'it' if len(names) == 1 else 'them'}"
    way = _way(certain[0], selection)
    return Verdict(str(statement), Outcome.FAILED, f"{actual}{way and f': {way}'}", tuple(names))


def check_joins(statement: Joins, selection: Selection) -> Verdict:
    """Hold a join against a run.

    Each branch directly causes a join. For each pair of a branch and a join, either the branch causes it, or the join
    happened before the branch, or after another join that the branch causes: then they are of different rounds.
    """
    observed, order = selection.observed, selection.observed.order
    joins, branches = selection.executions(statement.join), selection.executions(statement.branch)
    edges = [edge for edge in selection.edges(ExpectedEdge(statement.branch, statement.join)) if edge.certain]
    bounds = statement.branch.cardinality or SOME
    pairs = {(edge.source, edge.target) for edge in edges}
    problems = _Rounds(joins, branches, pairs, order).problems(selection)
    joined = Counter(target for _, target in pairs)
    counts = {join: joined[join] for join in joins}
    wrong = [join for join, count in counts.items() if bounds.outcome(count, count) is Outcome.FAILED]
    shown = listed(wrong or joins, lambda join: f"{observed.label(join)} joins {counts[join]}")
    if not joins:
        problems = [f"{statement.join.text} never ran"]
    elif wrong:
        problems.append(shown)
    reason = observed.incomplete or _unknown_causes(statement, selection)
    if not problems:
        certain = not observed.incomplete
        outcome = Outcome.PASSED if certain else Outcome.INSUFFICIENT_EVIDENCE
        return Verdict(str(statement), outcome, shown if certain else f"{shown}; {reason}")
    if reason:
        return Verdict(str(statement), Outcome.INSUFFICIENT_EVIDENCE, reason)
    return Verdict(str(statement), Outcome.FAILED, listed(problems))


class _Rounds:
    """Branches and joins of one statement, in the rounds that happens-before makes of them."""

    def __init__(
        self, joins: Sequence[int], branches: Sequence[int], edges: set[tuple[int, int]], order: HappensBefore
    ) -> None:
        self._joins, self._branches = joins, branches
        bit = {join: 1 << place for place, join in enumerate(joins)}
        self._all = (1 << len(joins)) - 1
        self._joined = dict.fromkeys(branches, 0)
        for branch, join in edges:
            self._joined[branch] |= bit[join]
        self._past = order.joins_before(joins)
        self._after = order.joins_after(joins, self._past)

    def problems(self, selection: Selection) -> list[str]:
        """Branches that a join of their round did not wait for, in words."""
        label = selection.observed.label
        later_than = cache(lambda joined: reduce(or_, (self._after[bit] for bit in _bits(joined))))
        found = []
        for branch in self._branches if self._joins else ():
            joined = self._joined[branch]
            if not joined:
                found.append(f"no edge leads from {label(branch)} to a join")
                continue
            apart = self._all & ~joined & ~self._past[branch] & ~later_than(joined)
            if apart:
                join = self._joins[apart.bit_length() - 1]
                found.append(f"{label(join)} did not wait for {label(branch)}")
        return found


def _bits(mask: int) -> Iterator[int]:
    """The places of the bits that are set."""
    while mask:
        yield (mask & -mask).bit_length() - 1
        mask &= mask - 1


def _activities(term: Term, selection: Selection) -> list[int]:
    return [*selection.executions(term), *map(selection.observed.order.call, selection.calls(term))]


def _nothing_later(statement: Before, observed: ObservedTopology) -> Verdict:
    bounds = statement.later.bounds
    outcome = Outcome.PASSED if statement.never else bounds.outcome(0, UNBOUNDED if observed.incomplete else 0)
    if observed.incomplete:
        return Verdict(str(statement), Outcome.INSUFFICIENT_EVIDENCE, observed.incomplete)
    return Verdict(str(statement), outcome, f"{statement.later.text} never ran")


def _label(activity: int, selection: Selection) -> str:
    observed = selection.observed
    if activity < len(observed.executions):
        return observed.label(activity)
    call = observed.tool_calls[activity - len(observed.executions)]
    return f"{call.name} of {observed.label(call.callers[0])}" if call.callers else call.name


def _unknown_order(without: Sequence[int], earlier: Sequence[int], selection: Selection) -> str:
    """The reason why the past of these activities is not known."""
    observed = selection.observed
    if observed.unknown:
        return listed(observed.unknown, observed.reason)
    first, last = (_label(one, selection) for one in (earlier[0], without[0]))
    return f"{first} ended before {last} began by the clock alone: code called both, and no cause tells of the order"


def _unknown_causes(statement: Joins, selection: Selection) -> str | None:
    """The reason why joins may have waited for branches without an edge that tells."""
    observed = selection.observed
    joins, branches = selection.executions(statement.join), selection.executions(statement.branch)
    unknown = [join for join in joins if observed.executions[join].unknown is not None]
    if unknown:
        return listed(unknown, observed.reason)
    called = [join for join in joins if observed.executions[join].caller is not None]
    if not called or not branches:
        return None
    has, may_have = observed.order.has_before(branches), observed.order.may_have_before(branches)
    if all(may_have[join] or has[join] for join in called):
        return f"code called {observed.label(called[0])} and what it joins, and no cause tells of the order"
    return None


def _way(activity: int, selection: Selection) -> str:
    """One way of causes that led to an activity, from the start of the run."""
    observed = selection.observed
    causes = {edge.target: edge.source for edge in reversed(observed.edges)}
    labels = [_label(activity, selection)]
    if activity >= len(observed.executions):
        callers = observed.tool_calls[activity - len(observed.executions)].callers
        activity = callers[0] if callers else OUTSIDE
        labels = [f"{observed.label(activity)} => {labels[0].partition(' of ')[0]}"]
    seen = {activity}
    while activity in causes and len(labels) < _LONGEST_WAY:
        activity = causes[activity]
        if activity in seen:
            break
        seen.add(activity)
        labels.append(observed.label(activity))
    return " -> ".join(reversed(labels))


__all__ = ["check_before", "check_joins"]
