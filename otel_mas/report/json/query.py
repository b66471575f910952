"""Answers over many runs as JSON: executions, statistics, call chains, stages, events, metrics, comparisons."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, TypedDict

from otel_mas.analyse.call_chains import Call
from otel_mas.analyse.comparison import ComparedMeasure, Comparison
from otel_mas.analyse.events import RunEvent
from otel_mas.analyse.execution_statistics import ExecutionStatistics, ModelUse
from otel_mas.analyse.executions import Execution
from otel_mas.analyse.metrics import Metric, Window
from otel_mas.analyse.outcome_costs import OutcomeCost
from otel_mas.analyse.stages import Stage
from otel_mas.report.forms import form_of
from otel_mas.report.json import mining
from otel_mas.report.json.fields import OMITTED, TIME

_INCOMPLETE = "what the source may have left out, in words; null where nothing"
_LIMITED = "older traces may match that were not read; `--limit` reads more"


class ExecutionForm(TypedDict):
    kind: Annotated[str, "agent, task (a node that is no agent), tool, retrieval or model"]
    name: Annotated[str, "of the agent, node, tool, retriever or model"]
    agent: Annotated[str | None, "the agent that it is or works for; null outside of any"]
    node: Annotated[str | None, "path of the node that it is or belongs to: `researcher/model`"]
    task: Annotated[str | None, "label of that task, with its number: `researcher#1/model#2`"]
    status: Annotated[str, "ok, handoff, error, interrupted (waits for input), cancelled, running or stopped"]
    error_type: Annotated[str | None, "`error.type`, where it failed"]
    start_ns: Annotated[int, f"when it started{TIME}"]
    end_ns: Annotated[int | None, f"when it ended{TIME}; null where it has not"]
    duration_ns: Annotated[int | None, "nanoseconds; null where it has not ended"]
    model_ns: Annotated[int, "nanoseconds in which a model call inside it, or itself, ran"]
    tool_ns: Annotated[int, "nanoseconds in tools and retrievers, without models and agents inside of these"]
    overhead_ns: Annotated[int, "nanoseconds in neither: own code, framework, waiting between tasks inside it"]
    model_calls: Annotated[int, "model calls inside it, or itself"]
    tool_calls: Annotated[int, "tool calls inside it, or itself"]
    input_tokens: Annotated[int, "of these model calls"]
    output_tokens: Annotated[int, "of these model calls"]
    cost_usd: Annotated[float | None, "USD of those that have a price; null where none has"]
    service: Annotated[str, "`service.name`"]
    conversation: Annotated[str | None, "thread of its trace"]
    trace_id: Annotated[str, "32 hex digits"]
    span_id: Annotated[str, "16 hex digits"]


class ExecutionsDocument(TypedDict):
    executions: Annotated[list[ExecutionForm], "newest first; with `--slowest` the longest first"]
    limited: Annotated[bool, _LIMITED]
    incomplete: Annotated[str | None, _INCOMPLETE]


class ModelUseForm(TypedDict):
    name: Annotated[str, "the model that answered, or else the one asked"]
    calls: Annotated[int, "number of calls"]
    errors: Annotated[int, "calls that failed"]
    input_tokens: Annotated[int, "sum"]
    output_tokens: Annotated[int, "sum"]
    cost_usd: Annotated[float | None, "USD of those that have a price; null where none has"]
    p50_ns: Annotated[int, "nanoseconds: median of the durations"]
    p90_ns: Annotated[int, "nanoseconds: 90th percentile"]
    p99_ns: Annotated[int, "nanoseconds: 99th percentile"]


class StatisticsForm(TypedDict):
    by: Annotated[str, "agent, node, tool or model"]
    name: Annotated[str, "which one"]
    executions: Annotated[int, "how often it ran"]
    errors: Annotated[int, "how often it failed"]
    success_rate: Annotated[
        float | None, "part that did not fail of those that returned, handed over or failed; null without any"
    ]
    p50_ns: Annotated[int, "nanoseconds: median of the durations, without those that paused or have not ended"]
    p90_ns: Annotated[int, "nanoseconds: 90th percentile; says little of fewer than 10"]
    p99_ns: Annotated[int, "nanoseconds: 99th percentile; says little of fewer than 100"]
    max_ns: Annotated[int, "nanoseconds of the longest one"]
    total_ns: Annotated[int, "nanoseconds: sum of the durations"]
    model_ns: Annotated[int, "nanoseconds of them in which a model ran"]
    tool_ns: Annotated[int, "nanoseconds in tools and retrievers"]
    overhead_ns: Annotated[int, "nanoseconds in neither"]
    error_types: Annotated[dict[str, int], "types of errors and how often, the most common first", OMITTED]
    models: Annotated[list[ModelUseForm], "models that were called inside it, the most used first", OMITTED]


class StatisticsDocument(TypedDict):
    statistics: Annotated[list[StatisticsForm], "the one with the most time first"]
    limited: Annotated[bool, _LIMITED]
    incomplete: Annotated[str | None, _INCOMPLETE]


class CallForm(TypedDict):
    caller: Annotated[str | None, "label of the caller; null at the start of a run, or where it lies in another trace"]
    callee: Annotated[str, "label of the task or agent: `writer#1/outline#1`"]
    kind: Annotated[str | None, "child (the first inside its caller), trigger, send, handoff, call, retry, resume, ..."]
    provenance: Annotated[str | None, "recorded, metadata (joined by stable keys, exact) or inferred"]
    reason: Annotated[str | None, "of the routing decision that chose it, where a local store keeps it"]
    others: Annotated[list[str], "labels of further causes: what a join waited for, too"]
    depth: Annotated[int, "callers before it, up to the start of the run"]
    status: Annotated[str, "of the callee, as in executions"]
    start_ns: Annotated[int, f"when the callee started{TIME}"]
    duration_ns: Annotated[int | None, "nanoseconds; null where it has not ended"]
    trace_id: Annotated[str, "32 hex digits"]
    span_id: Annotated[str, "span of the callee"]


class ChainsDocument(TypedDict):
    chains: Annotated[list[CallForm], "newest run first, in each in the order of their starts"]
    limited: Annotated[bool, _LIMITED]
    incomplete: Annotated[str | None, _INCOMPLETE]


class OutcomeForm(TypedDict):
    outcome: Annotated[str, "all, a status, or accepted or rejected: by feedback, or an evaluation of the answer"]
    runs: Annotated[int, "number of them"]
    usd: Annotated[float | None, "US dollars that these runs cost; null where no price is known"]
    usd_each: Annotated[float | None, "US dollars of one of them, the mean"]
    usd_per_outcome: Annotated[float | None, "US dollars of all runs for each of these: what it costs to get one"]
    unpriced_calls: Annotated[int, "model calls among them that are in no sum: no price is known"]


class OutcomesDocument(TypedDict):
    outcomes: Annotated[
        list[OutcomeForm], "all runs, each status, the most frequent first, then those that were judged"
    ]
    limited: Annotated[bool, _LIMITED]
    incomplete: Annotated[str | None, _INCOMPLETE]


class StageForm(TypedDict):
    source: Annotated[str, "step (tasks of one step of the outermost graph) or mark (`otel_mas.stage`)"]
    name: Annotated[str, "tasks of the step, or the name that was marked"]
    step: Annotated[int | None, "LangGraph's number of the step"]
    start_ns: Annotated[int, f"when it began{TIME}"]
    end_ns: Annotated[int, f"when it ended{TIME}"]
    duration_ns: Annotated[int, "nanoseconds"]
    status: Annotated[str | None, "of a step: ok, interrupted or error; of a mark what the app said last"]
    tasks: Annotated[int, "tasks of the step"]
    trace_id: Annotated[str, "32 hex digits"]
    span_id: Annotated[str, "first task of the step, or the span that is marked"]


class StagesDocument(TypedDict):
    stages: Annotated[list[StageForm], "newest run first, in each in the order of their starts"]
    limited: Annotated[bool, _LIMITED]
    incomplete: Annotated[str | None, _INCOMPLETE]


class RunEventForm(TypedDict):
    type: Annotated[str, "a record kind (AGENT_TASK, LLM_CALL, TOOL_CALL, ...) or ERROR"]
    time_ns: Annotated[int, f"start of the span, of an error the end of the span in which it happened{TIME}"]
    name: Annotated[str, "the span's name"]
    agent: Annotated[str | None, "the agent that it belongs to"]
    node: Annotated[str | None, "path of the node that it belongs to"]
    detail: Annotated[str | None, "model, tool, choice, verdict, grade or peer; of an error its type and message"]
    duration_ns: Annotated[int | None, "nanoseconds of the span; null of errors, and where it has not ended"]
    failed: Annotated[bool, "an error happened in the span, or passed through it"]
    trace_id: Annotated[str, "32 hex digits"]
    span_id: Annotated[str, "16 hex digits"]


class RunEventsDocument(TypedDict):
    events: Annotated[list[RunEventForm], "newest first"]
    limited: Annotated[bool, _LIMITED]
    incomplete: Annotated[str | None, _INCOMPLETE]


class TrendForm(TypedDict):
    direction: Annotated[str, "rising or falling, where the bounds of the slope are on one side of 0; else none"]
    slope_per_hour: Annotated[float, "Theil-Sen slope, in units per hour"]
    low: Annotated[float, "lower bound of the slope, 95 % confidence"]
    high: Annotated[float, "upper bound of the slope"]
    n: Annotated[int, "points that it was made of, 1,000 at most"]


class WindowForm(TypedDict):
    start_ns: Annotated[int, f"its start, or that of the first value{TIME}"]
    end_ns: Annotated[int, f"its end, or that of the last value{TIME}"]
    n: Annotated[int, "number of values"]
    sum: Annotated[float, "sum of the values"]
    mean: Annotated[float, "mean; of errors the share of executions or runs that failed"]
    p50: Annotated[float | None, "median; null of errors"]
    p90: Annotated[float | None, "90th percentile; null of errors"]
    p99: Annotated[float | None, "99th percentile; null of errors"]
    max: Annotated[float, "the greatest value"]


class _Measured(TypedDict):
    measure: Annotated[str, "duration, model_time, tool_time, overhead, input_tokens, output_tokens, cost or errors"]
    unit: Annotated[str, "s, tokens, USD or share"]
    by: Annotated[str, "run, service, agent, node, tool or model"]
    name: Annotated[str, "which one; empty for all runs"]


class MetricForm(_Measured):
    whole: Annotated[WindowForm, "all values"]
    windows: Annotated[list[WindowForm], "those of each `--window`; windows without a value are left out"]
    trend: Annotated[TrendForm | None, "null where there are fewer than 10 values, or scipy is not installed"]


class MetricsDocument(TypedDict):
    metrics: Annotated[list[MetricForm], "the one with the most values first"]
    limited: Annotated[bool, _LIMITED]
    incomplete: Annotated[str | None, _INCOMPLETE]


class MetricRowForm(_Measured, WindowForm):
    """A row of a data frame: one window, or all values where none was asked for."""


class ComparedForm(TypedDict):
    of: Annotated[str, "run, agent, node or edge"]
    name: Annotated[str, "which one; of an edge `caller → callee`; empty for the run"]
    measure: Annotated[str, "duration, wait, input_tokens, output_tokens, cost, errors or steps"]
    unit: Annotated[str, "s, tokens, USD, share (of runs) or count"]
    n_before: Annotated[int, "runs that have a value"]
    n_after: Annotated[int, "runs that have a value"]
    before: Annotated[float | None, "median; of errors the share of runs; null without a value"]
    after: Annotated[float | None, "the same"]
    change: Annotated[float | None, "after / before - 1; of errors after - before; null where before is 0 or unknown"]
    effect: Annotated[float | None, "Cliff's delta, -1 to 1; of errors the difference of the shares"]
    p: Annotated[float | None, "two-sided; Mann-Whitney U, of errors Fisher's exact test; null without values"]
    p_adjusted: Annotated[float | None, "by Holm's method; null where so few values cannot tell"]
    verdict: Annotated[str, "higher, lower, no difference found, or cannot tell (too few runs)"]


class ComparisonDocument(TypedDict):
    runs_before: Annotated[int, "number of traces"]
    runs_after: Annotated[int, "number of traces"]
    measures: Annotated[list[ComparedForm], "those that changed first; then the run, agents, nodes and edges"]
    limited: Annotated[bool, _LIMITED]
    incomplete: Annotated[str | None, _INCOMPLETE]


def execution(one: Execution) -> ExecutionForm:
    """One execution."""
    return form_of(ExecutionForm, one)


def statistics(one: ExecutionStatistics) -> StatisticsForm:
    """Statistics of one agent, node, tool or model."""
    took = one.durations
    return form_of(
        StatisticsForm,
        one,
        p50_ns=took.p50,
        p90_ns=took.p90,
        p99_ns=took.p99,
        max_ns=took.longest,
        error_types=dict(one.error_types),
        models=[_model(use) for use in one.models],
    )


def _model(use: ModelUse) -> ModelUseForm:
    took = use.durations
    return form_of(ModelUseForm, use, p50_ns=took.p50, p90_ns=took.p90, p99_ns=took.p99)


def call(one: Call) -> CallForm:
    """One call of a chain."""
    ran = one.execution
    computed = {name: getattr(ran, name) for name in ("status", "start_ns", "duration_ns", "trace_id", "span_id")}
    return form_of(CallForm, one, others=list(one.others), **computed)


def stage(one: Stage) -> StageForm:
    """One stage."""
    return form_of(StageForm, one)


def outcome(one: OutcomeCost) -> OutcomeForm:
    """The cost of one outcome."""
    return form_of(OutcomeForm, one)


def event(one: RunEvent) -> RunEventForm:
    """One event."""
    return form_of(RunEventForm, one)


def metric(one: Metric) -> MetricForm:
    """One metric."""
    found = one.trend
    trend = None if found is None else form_of(TrendForm, found, slope_per_hour=found.slope)
    return form_of(MetricForm, one, whole=_window(one.whole), windows=list(map(_window, one.windows)), trend=trend)


def metric_rows(found: Sequence[Metric]) -> list[MetricRowForm]:
    """A row for each window of each metric, or one where it has none."""
    return [
        form_of(MetricRowForm, window, measure=one.measure, unit=one.unit, by=one.by, name=one.name)
        for one in found
        for window in one.windows or (one.whole,)
    ]


def _window(one: Window) -> WindowForm:
    return form_of(WindowForm, one)


def compared(one: ComparedMeasure) -> ComparedForm:
    """One measure of a comparison."""
    return form_of(ComparedForm, one, verdict=one.verdict.value)


ROWS: Mapping[str, Callable[[Any], object]] = {
    "executions": execution,
    "statistics": statistics,
    "chains": call,
    "stages": stage,
    "events": event,
    "metrics": metric,
    "outcomes": outcome,
    **mining.ROWS,
}
"""The function that makes one row, by the name of the answer, under which the rows are in its document."""


def comparison(found: Comparison, *, limited: bool = False, incomplete: str | None = None) -> ComparisonDocument:
    """`otel-mas compare --json`."""
    return {
        "runs_before": found.runs_before,
        "runs_after": found.runs_after,
        "measures": [compared(one) for one in found.measures],
        "limited": limited,
        "incomplete": incomplete,
    }


__all__ = [
    "ROWS",
    "CallForm",
    "ChainsDocument",
    "ComparedForm",
    "ComparisonDocument",
    "ExecutionForm",
    "ExecutionsDocument",
    "MetricForm",
    "MetricRowForm",
    "MetricsDocument",
    "OutcomeForm",
    "OutcomesDocument",
    "RunEventForm",
    "RunEventsDocument",
    "StageForm",
    "StagesDocument",
    "StatisticsDocument",
    "StatisticsForm",
    "call",
    "compared",
    "comparison",
    "event",
    "execution",
    "metric",
    "metric_rows",
    "outcome",
    "stage",
    "statistics",
]
