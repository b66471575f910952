"""Evaluator of what caused what, against an expected topology."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from otel_mas.errors import BadExpectation, ConfigError, InsufficientEvidence
from otel_mas.evaluate.context import RunContext
from otel_mas.evaluate.evaluator import EvaluationReason
from otel_mas.evaluate.known_names import defined_tools
from otel_mas.evaluate.outcome import Outcome
from otel_mas.evaluate.topology import Expectation, expectation, match
from otel_mas.evaluate.topology.observed import ObservedTopology


@dataclass(frozen=True)
class Topology:
    """Passes where agents and tasks caused each other, and tools were called, as expected.

    Args:
        expected: text in the language of docs/topology.md, or a networkx graph.
    """

    expected: Any

    def __post_init__(self) -> None:
        try:
            assert self._expectation
        except (BadExpectation, TypeError) as error:
            raise ConfigError(f"topology: {error}") from error

    @cached_property
    def _expectation(self) -> Expectation:
        return expectation(self.expected)

    def evaluate(self, context: RunContext) -> EvaluationReason:
        result = match(self._expectation, context.once(_observed))
        for warning in result.warnings:
            context.warn(warning)
        if result.outcome is Outcome.INSUFFICIENT_EVIDENCE:
            raise InsufficientEvidence("; ".join(result.evidence))
        return EvaluationReason(
            result.outcome is Outcome.PASSED, "" if result.outcome is Outcome.PASSED else result.text
        )


def _observed(context: RunContext) -> ObservedTopology:
    return ObservedTopology(context.graph, context.incomplete, lambda: defined_tools(context.facts))


__all__ = ["Topology"]
