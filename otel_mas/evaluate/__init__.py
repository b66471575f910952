"""Evaluation of recorded runs: cases, evaluators and reports. Passed, failed, or not enough recorded to tell."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from otel_mas.errors import InsufficientEvidence
    from otel_mas.evaluate.baseline import (
        BaselineChange,
        BaselineChangeKind,
        BaselineComparison,
        compare_with_baseline,
        read_baseline,
    )
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
    from otel_mas.evaluate.evaluators.findings import NoFindings, no, no_findings
    from otel_mas.evaluate.evaluators.json_schema import JsonSchema
    from otel_mas.evaluate.evaluators.numeric import Numeric
    from otel_mas.evaluate.evaluators.output import Contains, Exact, Regex
    from otel_mas.evaluate.evaluators.similarity import Similar
    from otel_mas.evaluate.evaluators.topology import Topology
    from otel_mas.evaluate.evaluators.trajectory import ToolSequence
    from otel_mas.evaluate.harness import EvaluationHarness
    from otel_mas.evaluate.judge import Breakdown, GeminiJudge, Judge, JudgeCost, JudgeScore
    from otel_mas.evaluate.judge.bias import Bias, order_bias, verbosity_bias
    from otel_mas.evaluate.outcome import Outcome
    from otel_mas.evaluate.reliability import Reliability
    from otel_mas.evaluate.report import CaseResult, EvalReport, EvaluationResult, RunResult
    from otel_mas.evaluate.suite import Suite
    from otel_mas.evaluate.topology import TopologyResult, assert_topology, topology_of

__all__ = [
    "BaselineChange",
    "BaselineChangeKind",
    "BaselineComparison",
    "Bias",
    "Breakdown",
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
    "GeminiJudge",
    "InsufficientEvidence",
    "JsonSchema",
    "Judge",
    "JudgeCost",
    "JudgeScore",
    "MaxCostUsd",
    "MaxCriticalPathMs",
    "MaxLatencyMs",
    "MaxRetries",
    "MaxTokens",
    "NoFindings",
    "Numeric",
    "Outcome",
    "Regex",
    "Reliability",
    "RunContext",
    "RunResult",
    "Similar",
    "Suite",
    "TestCase",
    "ToolSequence",
    "Topology",
    "TopologyResult",
    "assert_topology",
    "compare_with_baseline",
    "no",
    "no_findings",
    "order_bias",
    "read_baseline",
    "topology_of",
    "verbosity_bias",
]

# Lazy, so that the package loads what an evaluation needs only where one is made.
_HOMES = {
    "BaselineComparison": "baseline",
    "Bias": "judge.bias",
    "Breakdown": "judge",
    "Calls": "evaluators.budgets",
    "CaseResult": "report",
    "BaselineChange": "baseline",
    "BaselineChangeKind": "baseline",
    "Contains": "evaluators.output",
    "EvalReport": "report",
    "EvaluationCase": "case",
    "EvaluationHarness": "harness",
    "EvaluationReason": "evaluator",
    "EvaluationResult": "report",
    "Evaluator": "evaluator",
    "Exact": "evaluators.output",
    "GeminiJudge": "judge",
    "InsufficientEvidence": "otel_mas.errors",
    "JsonSchema": "evaluators.json_schema",
    "Judge": "judge",
    "JudgeCost": "judge",
    "JudgeScore": "judge",
    "MaxCostUsd": "evaluators.budgets",
    "MaxCriticalPathMs": "evaluators.budgets",
    "MaxLatencyMs": "evaluators.budgets",
    "MaxRetries": "evaluators.budgets",
    "MaxTokens": "evaluators.budgets",
    "NoFindings": "evaluators.findings",
    "Numeric": "evaluators.numeric",
    "Outcome": "outcome",
    "Regex": "evaluators.output",
    "Reliability": "reliability",
    "RunContext": "context",
    "RunResult": "report",
    "Similar": "evaluators.similarity",
    "Suite": "suite",
    "TestCase": "case",
    "Topology": "evaluators.topology",
    "TopologyResult": "topology",
    "assert_topology": "topology",
    "topology_of": "topology",
    "ToolSequence": "evaluators.trajectory",
    "compare_with_baseline": "baseline",
    "no": "evaluators.findings",
    "no_findings": "evaluators.findings",
    "order_bias": "judge.bias",
    "read_baseline": "baseline",
    "verbosity_bias": "judge.bias",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    home = _HOMES[name]
    module = import_module(home if home.startswith("otel_mas.") else f"{__name__}.{home}")
    return getattr(module, "EvaluationCase" if name == "TestCase" else name)


def __dir__() -> list[str]:
    return sorted(__all__)
