"""Matching of an expected topology against the one of a run."""

from __future__ import annotations

from collections.abc import Iterator

from otel_mas.evaluate.outcome import Outcome
from otel_mas.evaluate.topology.check_edges import check_count, check_edge
from otel_mas.evaluate.topology.check_order import check_before, check_joins
from otel_mas.evaluate.topology.discovery import topology_text
from otel_mas.evaluate.topology.expectation import Before, Count, Expectation, ExpectedEdge, Joins, NothingElse
from otel_mas.evaluate.topology.nothing_else import check_nothing_else
from otel_mas.evaluate.topology.observed import ObservedTopology
from otel_mas.evaluate.topology.result import TopologyResult, Verdict
from otel_mas.evaluate.topology.selection import Selection
from otel_mas.evaluate.topology.unknown_names import unknown_names
from otel_mas.evaluate.topology.variables import check_variables


def match_observed(expected: Expectation, observed: ObservedTopology) -> TopologyResult:
    """Hold an expectation against the topology of a run, each statement by itself; variables together."""
    verdicts = tuple(_Matching(expected, observed).verdicts())
    passed = all(one.outcome is Outcome.PASSED for one in verdicts)
    return TopologyResult(verdicts, "" if passed else topology_text(observed), unknown_names(expected, observed))


class _Matching:
    def __init__(self, expected: Expectation, observed: ObservedTopology) -> None:
        self._expected = expected
        self._observed = observed
        self._selection = Selection(observed)

    def verdicts(self) -> Iterator[Verdict]:
        """In the order of the statements."""
        statements = self._expected.statements
        with_variables = [one for one in statements if isinstance(one, ExpectedEdge) and one.has_variable]
        found = iter(check_variables(with_variables, self._selection)) if with_variables else iter(())
        for one in statements:
            match one:
                case ExpectedEdge() if one.has_variable:
                    yield next(found)
                case ExpectedEdge():
                    yield check_edge(one, self._selection)
                case Count():
                    yield check_count(one, self._selection)
                case Before():
                    yield check_before(one, self._selection)
                case Joins():
                    yield check_joins(one, self._selection)
                case NothingElse():
                    yield check_nothing_else(self._expected, self._selection)


__all__ = ["match_observed"]
