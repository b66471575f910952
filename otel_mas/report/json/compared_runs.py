"""Two runs side by side as JSON, aligned by causal place."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, TypedDict

from otel_mas.analyse.cost import CostRow
from otel_mas.analyse.executions import Execution, executions
from otel_mas.analyse.final_output import run_outcome
from otel_mas.causal import CausalGraph
from otel_mas.model import Span
from otel_mas.replay.comparison import ReplayComparison
from otel_mas.report.json.fields import TIME
from otel_mas.report.json.findings import FindingForm, finding


class RunTotalsForm(TypedDict):
    trace_ids: Annotated[list[str], "32 hex digits each"]
    start_ns: Annotated[int, f"when it started{TIME}"]
    duration_ns: Annotated[int, "nanoseconds from the first start to the last end"]
    output: Annotated[str | None, "text of what its caller got; null where that is nothing, or was not kept"]
    outcome: Annotated[
        str | None, "ok, interrupted (it waits for a person), error, cancelled or abandoned; null: not known"
    ]
    model_calls: Annotated[int, "calls of models"]
    tokens: Annotated[int, "read and written"]
    cost_usd: Annotated[float | None, "USD; null where no price is known"]


class StepOfRunForm(TypedDict):
    trace_id: Annotated[str, "32 hex digits"]
    span_id: Annotated[str, "16 hex digits; of a task that paused the span in which it ended"]
    start_ns: Annotated[int, f"when it started{TIME}"]
    duration_ns: Annotated[int | None, "nanoseconds; null where it has not ended"]
    status: Annotated[str | None, "ok, handoff, error, interrupted, cancelled, running or stopped; null: not known"]
    input_tokens: Annotated[int, "of the model calls inside it, or itself"]
    output_tokens: Annotated[int, "of the model calls inside it, or itself"]
    cost_usd: Annotated[float | None, "USD of those that have a price; null where none has"]
    output: Annotated[str | None, "what it wrote or answered, as text"]


class AlignedStepForm(TypedDict):
    label: Annotated[str, "of the call or task: `researcher#1/model#2`"]
    sameness: Annotated[str, "same, changed (other outputs), gone (only the first run has it) or new"]
    a: Annotated[StepOfRunForm | None, "in the first run"]
    b: Annotated[StepOfRunForm | None, "in the second run"]


class ComparedRunsDocument(TypedDict):
    a: Annotated[RunTotalsForm, "the first run"]
    b: Annotated[RunTotalsForm, "the second run"]
    first_difference: Annotated[str | None, "label of the first call or task that is not the same; null where all are"]
    steps: Annotated[list[AlignedStepForm], "all calls and tasks of both, in order of their start"]
    causes_gone: Annotated[list[list[str]], "labels of cause and effect that only the first run has"]
    causes_new: Annotated[list[list[str]], "those that only the second run has"]
    findings_gone: Annotated[list[FindingForm], "findings about the first run that the second does not have"]
    findings_new: Annotated[list[FindingForm], "findings that only the second run has"]


def compared_runs(found: ReplayComparison, a: CausalGraph, b: CausalGraph) -> ComparedRunsDocument:
    """Both runs; the comparison is that of a recording (the first) with a replay (the second)."""
    ran_a, ran_b = _by_span(a), _by_span(b)
    first = found.first_difference
    return {
        "a": _totals(a, found.output_before, found.cost_before),
        "b": _totals(b, found.output_after, found.cost_after),
        "first_difference": None if first is None else first.label,
        "steps": [
            {
                "label": step.label,
                "sameness": step.sameness.value,
                "a": _step(step.span_before, step.before, ran_a),
                "b": _step(step.span_after, step.after, ran_b),
            }
            for step in found.steps
        ],
        "causes_gone": [list(edge) for edge in found.causes_gone],
        "causes_new": [list(edge) for edge in found.causes_new],
        "findings_gone": [finding(one) for one in found.findings_gone],
        "findings_new": [finding(one) for one in found.findings_new],
    }


def _by_span(graph: CausalGraph) -> Mapping[str, Execution]:
    return {one.span_id: one for one in executions(graph)}


def _totals(graph: CausalGraph, output: str | None, cost: CostRow) -> RunTotalsForm:
    start_ns = min(graph.table.starts, default=0)
    return {
        "trace_ids": list(dict.fromkeys(graph.table.trace_ids)),
        "start_ns": start_ns,
        "duration_ns": max(graph.ends, default=start_ns) - start_ns,
        "output": output,
        "outcome": run_outcome(graph),
        "model_calls": cost.calls,
        "tokens": cost.input_tokens + cost.output_tokens,
        "cost_usd": cost.usd,
    }


def _step(span: Span | None, output: str | None, ran: Mapping[str, Execution]) -> StepOfRunForm | None:
    if span is None:
        return None
    execution = ran.get(span.span_id)
    return {
        "trace_id": span.trace_id,
        "span_id": span.span_id,
        "start_ns": span.start_ns,
        "duration_ns": None if span.end_ns is None else span.duration_ns,
        "status": None if execution is None else execution.status,
        "input_tokens": 0 if execution is None else execution.input_tokens,
        "output_tokens": 0 if execution is None else execution.output_tokens,
        "cost_usd": None if execution is None else execution.cost_usd,
        "output": output,
    }


__all__ = ["ComparedRunsDocument", "compared_runs"]
