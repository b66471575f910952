"""Evaluation of recorded runs: cases, evaluators and reports. Passed, failed, or not enough recorded to tell."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from otel_mas.errors import InsufficientEvidence
    from otel_mas.evaluate.case import EvaluationCase
    from otel_mas.evaluate.case import EvaluationCase as TestCase
    from otel_mas.evaluate.context import RunContext
    from otel_mas.evaluate.evaluator import EvaluationReason, Evaluator
    from otel_mas.evaluate.evaluators.budgets import (
        Calls,
        MaxCostUsd,
        MaxCriticalPathMs,
        MaxLatencyMs,
        MaxRetries,
        MaxTokens,
    )
    from otel_mas.evaluate.evaluators.output import Contains, Exact, Regex
    from otel_mas.evaluate.harness import EvaluationHarness
    from otel_mas.evaluate.outcome import Outcome
    from otel_mas.evaluate.report import CaseResult, EvalReport, EvaluationResult, RunResult
    from otel_mas.evaluate.topology import TopologyResult, assert_topology, topology_of

__all__ = [
    "Calls",
    "CaseResult",
    "Contains",
    "EvalReport",
    "EvaluationCase",
    "EvaluationHarness",
    "EvaluationReason",
    "EvaluationResult",
    "Evaluator",
    "Exact",
    "InsufficientEvidence",
    "MaxCostUsd",
    "MaxCriticalPathMs",
    "MaxLatencyMs",
    "MaxRetries",
    "MaxTokens",
    "Outcome",
    "Regex",
    "RunContext",
    "RunResult",
    "TestCase",
    "TopologyResult",
    "assert_topology",
    "topology_of",
]

# Lazy, so that the package loads what an evaluation needs only where one is made.
_HOMES = {
    "Calls": "evaluators.budgets",
    "CaseResult": "report",
    "Contains": "evaluators.output",
    "EvalReport": "report",
    "EvaluationCase": "case",
    "EvaluationHarness": "harness",
    "EvaluationReason": "evaluator",
    "EvaluationResult": "report",
    "Evaluator": "evaluator",
    "Exact": "evaluators.output",
    "InsufficientEvidence": "otel_mas.errors",
    "MaxCostUsd": "evaluators.budgets",
    "MaxCriticalPathMs": "evaluators.budgets",
    "MaxLatencyMs": "evaluators.budgets",
    "MaxRetries": "evaluators.budgets",
    "MaxTokens": "evaluators.budgets",
    "Outcome": "outcome",
    "Regex": "evaluators.output",
    "RunContext": "context",
    "RunResult": "report",
    "TestCase": "case",
    "TopologyResult": "topology",
    "assert_topology": "topology",
    "topology_of": "topology",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    home = _HOMES[name]
    module = import_module(home if home.startswith("otel_mas.") else f"{__name__}.{home}")
    return getattr(module, "EvaluationCase" if name == "TestCase" else name)


def __dir__() -> list[str]:
    return sorted(__all__)
