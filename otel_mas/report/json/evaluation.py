"""`otel-mas evaluate --json`, which is also the baseline of a later evaluation."""

from __future__ import annotations

from typing import Annotated, TypedDict

from otel_mas.evaluate import (
    BaselineChange,
    BaselineComparison,
    CaseResult,
    EvalReport,
    EvaluationResult,
    JudgeCost,
    Outcome,
    Reliability,
    RunResult,
)
from otel_mas.report.forms import form_of

OUTCOME = "passed, failed or insufficient_evidence"


class JudgeCostForm(TypedDict):
    asked: Annotated[int, "calls of judges, those without a usable answer among them"]
    kept: Annotated[int, "questions that were answered from the cache, for nothing"]
    tokens: Annotated[int, "tokens of these calls, input and output, as far as the model said"]
    usd: Annotated[float, "US dollars of these calls, as far as prices are known"]
    unpriced: Annotated[int, "calls without a known price"]


class EvaluationResultForm(TypedDict):
    evaluator: Annotated[str, "name of the evaluator; a second one of a kind in a case ends with #2"]
    outcome: Annotated[str, OUTCOME]
    value: Annotated[bool | float | str | None, "of an assertion a bool, else a score or a label; null: no evidence"]
    reason: Annotated[str, "why; without evidence what the trace would have to have"]
    error_type: Annotated[str | None, "class of the exception that the evaluator raised; null of others"]
    warnings: Annotated[list[str], "doubts about the expectation, such as a tool that the run does not know"]
    judge_cost: Annotated[JudgeCostForm | None, "of the judge that was asked; null of other evaluators"]


class RunResultForm(TypedDict):
    trace_ids: Annotated[list[str], "traces of the run, of a paused one also those that resumed it"]
    span_id: Annotated[str, "id of the span that stands for the run"]
    outcome: Annotated[str, OUTCOME]
    results: Annotated[list[EvaluationResultForm], "of each evaluator of the case"]
    tokens: Annotated[int, "of all model calls, input and output"]
    usd: Annotated[float | None, "US dollars; null where no model call has a price"]
    wall_ms: Annotated[float, "milliseconds from the first start to the last end, summed over its traces"]
    critical_path_ms: Annotated[float, "milliseconds of work on the critical path, without waits for input"]


class CaseResultForm(TypedDict):
    name: Annotated[str, "name of the case"]
    outcome: Annotated[str, OUTCOME]
    reason: Annotated[str, "why it was held against no run; else empty"]
    pass_rate: Annotated[float, "part of the runs that has to pass, 0 to 1"]
    passed: Annotated[int, "number of runs that passed"]
    known: Annotated[int, "number of runs that passed or failed"]
    pass_hat: Annotated[list[float], "estimate that k runs in a row all pass, for k from 1 to `known`, 8 at most"]
    interval: Annotated[list[float], "interval of the part that passes, low and high, at 95 %"]
    warnings: Annotated[list[str], "of its evaluators, as far as they are the same for all runs"]
    runs: Annotated[list[RunResultForm], "runs that it was held against"]


class ChangeForm(TypedDict):
    kind: Annotated[str, "regressed, improved, lost (evidence), amount, new or missing (case)"]
    case: Annotated[str, "name of the case"]
    subject: Annotated[str, "an evaluator or an amount; empty for the case as a whole"]
    summary: Annotated[str, "before, and now"]


class EvaluationDocument(TypedDict):
    outcome: Annotated[str, OUTCOME]
    cases: Annotated[list[CaseResultForm], "in the order of the suite"]
    judge_cost: Annotated[JudgeCostForm, "of all judges"]
    changes: Annotated[list[ChangeForm], "since the baseline; empty without one"]


_MOST_IN_A_ROW = 8


def evaluation(report: EvalReport, compared: BaselineComparison | None) -> EvaluationDocument:
    """`otel-mas evaluate --json`."""
    return {
        "outcome": report.outcome.value,
        "cases": [_case(case) for case in report.cases],
        "judge_cost": _judge_cost(report.judge_cost),
        "changes": [_change(one) for one in (compared.changes if compared is not None else ())],
    }


def _case(case: CaseResult) -> CaseResultForm:
    reliability = case.reliability
    return form_of(
        CaseResultForm,
        case,
        outcome=case.outcome.value,
        passed=case.count(Outcome.PASSED),
        known=reliability.runs,
        pass_hat=pass_hats(reliability),
        interval=list(reliability.interval()),
        warnings=list(case.warnings),
        runs=[_run(run) for run in case.runs],
    )


def pass_hats(reliability: Reliability) -> list[float]:
    """The estimates that k runs in a row all pass, from k = 1 on, as far as there are runs, 8 at most."""
    ks = range(1, min(reliability.runs, _MOST_IN_A_ROW) + 1)
    return [found for k in ks if (found := reliability.pass_hat(k)) is not None]


def _run(run: RunResult) -> RunResultForm:
    return form_of(
        RunResultForm,
        run,
        trace_ids=list(run.trace_ids),
        outcome=run.outcome.value,
        results=[_result(one) for one in run.results],
    )


def _result(one: EvaluationResult) -> EvaluationResultForm:
    cost = None if one.judge_cost is None else _judge_cost(one.judge_cost)
    return form_of(EvaluationResultForm, one, outcome=one.outcome.value, warnings=list(one.warnings), judge_cost=cost)


def _judge_cost(cost: JudgeCost) -> JudgeCostForm:
    return form_of(JudgeCostForm, cost)


def _change(one: BaselineChange) -> ChangeForm:
    return form_of(ChangeForm, one, kind=one.kind.value)


__all__ = ["EvaluationDocument", "evaluation", "pass_hats"]
