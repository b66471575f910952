"""Two runs, or two sets of runs, step by step as JSON: `otel-mas diff --json`, and the page's comparison."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, TypedDict

from otel_mas.analyse.diff import Limits, RunDiff, RunSteps, SetDiff, StepOfRun, StepOfSets, StepPair
from otel_mas.model import Finding
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
    steps: Annotated[int, "tasks, calls and other spans; all spans of one task are one"]
    model_calls: Annotated[int, "calls of models"]
    tokens: Annotated[int, "read and written"]
    cost_usd: Annotated[float | None, "USD; null where no price is known"]


class StepOfRunForm(TypedDict):
    label: Annotated[str, "its name in this run: `researcher#1/model#2`"]
    name: Annotated[str, "of the task, model, tool, retriever or span"]
    trace_id: Annotated[str, "32 hex digits"]
    span_id: Annotated[str, "16 hex digits; of a task that paused the span in which it ended"]
    start_ns: Annotated[int, f"when that started{TIME}"]
    spans: Annotated[int, "spans that it is: attempts, and those before and after a pause"]
    duration_ns: Annotated[int | None, "nanoseconds of all of them; null where it has not ended"]
    status: Annotated[str, "ok, handoff, error, interrupted, cancelled, running or stopped"]
    input_tokens: Annotated[int, "of the model calls inside it, or itself"]
    output_tokens: Annotated[int, "of the model calls inside it, or itself"]
    cost_usd: Annotated[float | None, "USD of those that have a price; null where none has"]
    output: Annotated[str | None, "what it wrote or answered, as text; null where that is the same in both runs"]


class AlignedStepForm(TypedDict):
    label: Annotated[str, "its name in the second run, or in the first where only that has it"]
    kind: Annotated[str, "task, model, tool, retrieval, run, span, or another record kind in lower case"]
    depth: Annotated[int, "number of steps around it"]
    changes: Annotated[
        list[str],
        "added, removed, reordered, renamed, asked differently, answered differently, ended differently, slower, "
        "faster, dearer, cheaper; empty where it is the same",
    ]
    follows_from: Annotated[
        int | None, "place in `steps` of the divergence that it follows from, its own where it is one; null: the same"
    ]
    a: Annotated[StepOfRunForm | None, "in the first run"]
    b: Annotated[StepOfRunForm | None, "in the second run"]


class DiffRowForm(TypedDict):
    label: Annotated[str, "its name in the second run, or in the first where only that has it"]
    kind: Annotated[str, "task, model, tool, retrieval, run, span, or another record kind in lower case"]
    depth: Annotated[int, "number of steps around it"]
    changes: Annotated[list[str], "added, removed, answered differently, slower, ...; empty where it is the same"]
    follows_from: Annotated[str | None, "label of the divergence that it follows from; null: the same"]
    span_id_a: Annotated[str | None, "16 hex digits, in the first run; null where only the second has it"]
    span_id_b: Annotated[str | None, "the same in the second run"]
    duration_a_ns: Annotated[int | None, "nanoseconds in the first run; null where it has not ended"]
    duration_b_ns: Annotated[int | None, "nanoseconds in the second run"]
    cost_a_usd: Annotated[float | None, "USD in the first run; null where none is known"]
    cost_b_usd: Annotated[float | None, "USD in the second run"]
    output_a: Annotated[str | None, "what it answered in the first run; null where that is the same in both"]
    output_b: Annotated[str | None, "the same in the second run"]


class LimitsForm(TypedDict):
    ratio: Annotated[float, "a step is slower or dearer from so many times as much on"]
    least_ns: Annotated[int, "and from so many nanoseconds more on"]
    least_usd: Annotated[float, "and from so many USD more on"]


class DiffDocument(TypedDict):
    summary: Annotated[str, "all of it on a line"]
    same: Annotated[bool, "both did and answered the same, however long it took and whatever it cost"]
    content_compared: Annotated[
        bool, "both runs have questions and answers; false: these count as the same, but for names of errors"
    ]
    first_divergence: Annotated[
        int | None, "place in `steps` of the first that differs although none of its causes does; null: the same"
    ]
    divergences: Annotated[list[int], "that and all others that do not follow from another one"]
    a: Annotated[RunTotalsForm, "the first run"]
    b: Annotated[RunTotalsForm, "the second run"]
    steps: Annotated[list[AlignedStepForm], "all steps of both, each after what is around it"]
    limits: Annotated[LimitsForm, "from where on something is slower, faster, dearer or cheaper"]
    causes_gone: Annotated[list[list[str]], "labels of cause and effect that only the first run has"]
    causes_new: Annotated[list[list[str]], "those that only the second run has"]


class ComparedRunsDocument(DiffDocument):
    findings_gone: Annotated[list[FindingForm], "findings about the first run that the second does not have"]
    findings_new: Annotated[list[FindingForm], "findings that only the second run has"]


def run_diff(found: RunDiff, outputs: Sequence[str | None]) -> DiffDocument:
    """Both runs side by side; `outputs` are the texts that the caller of each got."""
    outcomes = found.outcomes
    places = {id(step): place for place, step in enumerate(found.steps)}
    return {
        "summary": found.summary,
        "same": found.same,
        "content_compared": found.content_compared,
        "first_divergence": None if found.first_divergence is None else places[id(found.first_divergence)],
        "divergences": [places[id(step)] for step in found.divergences],
        "a": _totals(found.a, outputs[0], outcomes[0]),
        "b": _totals(found.b, outputs[1], outcomes[1]),
        "steps": [aligned_step(found, step, places) for step in found.steps],
        "limits": _limits(found.limits),
        "causes_gone": [list(edge) for edge in found.causes_gone],
        "causes_new": [list(edge) for edge in found.causes_new],
    }


def compared_runs(
    found: RunDiff, outputs: Sequence[str | None], findings: Sequence[Sequence[Finding]]
) -> ComparedRunsDocument:
    """The same with the findings about each run that the other one does not have."""
    known = [{(one.code, one.subject) for one in side} for side in findings]
    return {
        **run_diff(found, outputs),
        "findings_gone": [finding(one) for one in findings[0] if (one.code, one.subject) not in known[1]],
        "findings_new": [finding(one) for one in findings[1] if (one.code, one.subject) not in known[0]],
    }


def aligned_step(found: RunDiff, step: StepPair, places: dict[int, int]) -> AlignedStepForm:
    """One step of both."""
    origin = found.follows_from(step)
    return {
        "label": step.label,
        "kind": step.either.kind,
        "depth": step.depth,
        "changes": [change.value for change in step.changes],
        "follows_from": None if origin is None else places[id(origin)],
        "a": _step(step.a, step.before),
        "b": _step(step.b, step.after),
    }


class StepOfSetsForm(TypedDict):
    label: Annotated[str, "the same in each run of an app: `researcher#1/model#2`"]
    kind: Annotated[str, "task, model, tool, retrieval, run, span, or another record kind in lower case"]
    changes: Annotated[
        list[str],
        "added (no run before has it), removed (no run after), more often, rarer, answered differently, ended "
        "differently, slower, faster, dearer, cheaper; empty where no difference was found",
    ]
    runs_before: Annotated[int, "runs before that have it"]
    runs_after: Annotated[int, "runs after that have it"]
    share_before: Annotated[float, "of all runs before, 0 to 1"]
    share_after: Annotated[float, "of all runs after, 0 to 1"]
    duration_before_ns: Annotated[float | None, "nanoseconds, the median; null where none has ended"]
    duration_after_ns: Annotated[float | None, "nanoseconds, the same after"]
    cost_before_usd: Annotated[float | None, "USD, the median; null where none is known"]
    cost_after_usd: Annotated[float | None, "USD, the same after"]
    new_answers: Annotated[
        float | None, "share of the runs after whose answer no run before gave, 0 to 1; null where none was kept"
    ]


class SetDiffDocument(TypedDict):
    summary: Annotated[str, "all of it on a line"]
    same: Annotated[bool, "no difference was found"]
    runs_before: Annotated[int, "runs that were read of the first set"]
    runs_after: Annotated[int, "runs that were read of the second set"]
    steps: Annotated[list[StepOfSetsForm], "in the order in which they usually come"]
    limits: Annotated[LimitsForm, "from where on something is slower, faster, dearer or cheaper, if it is significant"]
    limited: Annotated[bool, "older runs may match that were not read"]
    incomplete: Annotated[str | None, "losses of the source in words; null: none known"]


def set_diff(found: SetDiff, *, limited: bool, incomplete: str | None) -> SetDiffDocument:
    """Two sets of runs step by step."""
    return {
        "summary": found.summary,
        "same": found.same,
        "runs_before": found.runs_before,
        "runs_after": found.runs_after,
        "steps": [step_of_sets(step) for step in found.steps],
        "limits": _limits(found.limits),
        "limited": limited,
        "incomplete": incomplete,
    }


def step_of_sets(step: StepOfSets) -> StepOfSetsForm:
    """One step of two sets."""
    return {
        "label": step.label,
        "kind": step.kind,
        "changes": [change.value for change in step.changes],
        "runs_before": step.n_before,
        "runs_after": step.n_after,
        "share_before": step.share_before,
        "share_after": step.share_after,
        "duration_before_ns": step.duration_before_ns,
        "duration_after_ns": step.duration_after_ns,
        "cost_before_usd": step.usd_before,
        "cost_after_usd": step.usd_after,
        "new_answers": step.new_answers,
    }


def _limits(limits: Limits) -> LimitsForm:
    return {"ratio": limits.ratio, "least_ns": limits.least_ns, "least_usd": limits.least_usd}


def rows(found: RunDiff) -> list[DiffRowForm]:
    """A row for each step, as for a data frame."""
    return [_row(found, step) for step in found.steps]


def _row(found: RunDiff, step: StepPair) -> DiffRowForm:
    origin, a, b = found.follows_from(step), step.a, step.b
    return {
        "label": step.label,
        "kind": step.either.kind,
        "depth": step.depth,
        "changes": [change.value for change in step.changes],
        "follows_from": None if origin is None else origin.label,
        "span_id_a": None if a is None else a.span.span_id,
        "span_id_b": None if b is None else b.span.span_id,
        "duration_a_ns": None if a is None else a.duration_ns,
        "duration_b_ns": None if b is None else b.duration_ns,
        "cost_a_usd": None if a is None else a.usd,
        "cost_b_usd": None if b is None else b.usd,
        "output_a": step.before,
        "output_b": step.after,
    }


def _totals(run: RunSteps, output: str | None, outcome: str | None) -> RunTotalsForm:
    table = run.tree.graph.table
    return {
        "trace_ids": list(dict.fromkeys(table.trace_ids)),
        "start_ns": min(table.starts, default=0),
        "duration_ns": run.duration_ns,
        "output": output,
        "outcome": outcome,
        "steps": len(run.tree),
        "model_calls": run.calls,
        "tokens": run.tokens,
        "cost_usd": run.usd,
    }


def _step(step: StepOfRun | None, output: str | None) -> StepOfRunForm | None:
    if step is None:
        return None
    return {
        "label": step.label,
        "name": step.name,
        "trace_id": step.span.trace_id,
        "span_id": step.span.span_id,
        "start_ns": step.span.start_ns,
        "spans": step.spans,
        "duration_ns": step.duration_ns,
        "status": step.status,
        "input_tokens": step.input_tokens,
        "output_tokens": step.output_tokens,
        "cost_usd": step.usd,
        "output": output,
    }


__all__ = [
    "ComparedRunsDocument",
    "DiffDocument",
    "DiffRowForm",
    "SetDiffDocument",
    "StepOfSetsForm",
    "aligned_step",
    "compared_runs",
    "rows",
    "run_diff",
    "set_diff",
    "step_of_sets",
]
