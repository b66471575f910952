"""The plan and the comparison of a replay with changes, as JSON."""

from __future__ import annotations

from typing import Annotated, TypedDict

from otel_mas.analyse.cost import CostRow
from otel_mas.model import Finding
from otel_mas.replay.comparison import ReplayComparison
from otel_mas.replay.plan import Plan
from otel_mas.replay.verification import VerifiedCause


class PlannedCallForm(TypedDict):
    label: Annotated[str, "as `researcher#1/model#2`"]
    kind: Annotated[str, "model, tool or retriever"]
    name: Annotated[str, "of the model, tool or retriever"]
    tokens: Annotated[int | None, "read and written when it was recorded; null where its usage is not known"]
    usd: Annotated[float | None, "their cost then; null where no price is known"]


class PlanDocument(TypedDict):
    changes: Annotated[list[str], "in words"]
    calls: Annotated[list[PlannedCallForm], "recorded calls that depend on the changes, in order of start"]
    recorded: Annotated[int, "calls in the recording"]
    tokens: Annotated[int, "sum over the calls whose usage is known"]
    unmeasured: Annotated[int, "calls of models whose usage is not known"]
    usd: Annotated[float, "sum over those with a price"]
    unpriced: Annotated[int, "calls of models without one"]


class ComparedStepForm(TypedDict):
    label: Annotated[str, "of a call or task"]
    sameness: Annotated[str, "same, changed, gone or new"]
    before: Annotated[str | None, "its output in the recording, as text"]
    after: Annotated[str | None, "the same in the replay"]
    how: Annotated[str | None, "`mas.replay.outcome` in the replay"]


class RunTotalsForm(TypedDict):
    output: Annotated[str | None, "text of what its caller got"]
    outcome: Annotated[str | None, "error, cancelled or abandoned; null of a run that ended well"]
    calls: Annotated[int, "of models"]
    tokens: Annotated[int, "read and written"]
    usd: Annotated[float | None, "cost, as if each call had been made; null where no price is known"]


class ChangedFindingForm(TypedDict):
    code: Annotated[str, "the kind of finding"]
    subject: Annotated[str, "an agent, a node, a tool, an edge"]
    summary: Annotated[str, "the fault, in one sentence"]
    severity: Annotated[str, "error, warning or info"]


class ComparisonDocument(TypedDict):
    changes: Annotated[list[str], "in words"]
    recorded: RunTotalsForm
    replayed: RunTotalsForm
    paid_tokens: Annotated[int, "of calls of models that were really made in the replay"]
    paid_usd: Annotated[float | None, "their cost"]
    first_difference: Annotated[str | None, "label of the first call or task that is not the same"]
    steps: Annotated[list[ComparedStepForm], "all calls and tasks of both"]
    causes_gone: Annotated[list[list[str]], "labels of cause and effect that only the recording has"]
    causes_new: Annotated[list[list[str]], "those that only the replay has"]
    findings_gone: list[ChangedFindingForm]
    findings_new: list[ChangedFindingForm]


class VerifiedCauseForm(TypedDict):
    span: Annotated[str, "id of the span that may be the root cause"]
    agent: Annotated[str | None, "the agent at work in it, or the task"]
    label: Annotated[str, "of the call or task"]
    score: Annotated[float, "0 to 1; the scores of a run add up to 1"]
    reasons: Annotated[list[str], "the evidence against it"]
    verdict: Annotated[str, "confirmed, not confirmed or not tried"]
    reason: Annotated[str, "why"]
    output: Annotated[str | None, "output of the mended run"]


def verified(one: VerifiedCause) -> VerifiedCauseForm:
    """A candidate for the root cause, and the verdict on it."""
    return {
        "span": one.cause.span,
        "agent": one.cause.agent,
        "label": one.label,
        "score": one.cause.score,
        "reasons": list(one.cause.reasons),
        "verdict": one.verdict.value,
        "reason": one.reason,
        "output": one.output,
    }


def plan(found: Plan) -> PlanDocument:
    """The calls that depend on changes."""
    return {
        "changes": [str(change) for change in found.changes],
        "calls": [
            {"label": call.label, "kind": call.kind, "name": call.name, "tokens": call.tokens, "usd": call.usd}
            for call in found.calls
        ],
        "recorded": found.recorded,
        "tokens": found.tokens,
        "unmeasured": found.unmeasured,
        "usd": found.usd,
        "unpriced": found.unpriced,
    }


def comparison(found: ReplayComparison) -> ComparisonDocument:
    """Both runs side by side."""
    first = found.first_difference
    return {
        "changes": [str(change) for change in found.changes],
        "recorded": _totals(found.output_before, found.outcome_before, found.cost_before),
        "replayed": _totals(found.output_after, found.outcome_after, found.cost_after),
        "paid_tokens": found.paid.input_tokens + found.paid.output_tokens,
        "paid_usd": found.paid.usd,
        "first_difference": None if first is None else first.label,
        "steps": [
            {
                "label": step.label,
                "sameness": step.sameness.value,
                "before": step.before,
                "after": step.after,
                "how": step.how,
            }
            for step in found.steps
        ],
        "causes_gone": [list(edge) for edge in found.causes_gone],
        "causes_new": [list(edge) for edge in found.causes_new],
        "findings_gone": [_finding(one) for one in found.findings_gone],
        "findings_new": [_finding(one) for one in found.findings_new],
    }


def _totals(output: str | None, outcome: str | None, cost: CostRow) -> RunTotalsForm:
    tokens = cost.input_tokens + cost.output_tokens
    return {"output": output, "outcome": outcome, "calls": cost.calls, "tokens": tokens, "usd": cost.usd}


def _finding(one: Finding) -> ChangedFindingForm:
    return {"code": one.code, "subject": one.subject, "summary": one.summary, "severity": one.severity.value}


__all__ = ["comparison", "plan", "verified"]
