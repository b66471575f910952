"""`otel-mas what-if --json`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, TypedDict

from otel_mas.analyse.what_if import WhatIf
from otel_mas.causal import CausalGraph
from otel_mas.causal.schedule import Assumption, ideal
from otel_mas.report import json
from otel_mas.report.json.fields import PROBLEMS, TIME
from otel_mas.report.task_labels import TaskLabels


class RescheduledSpanForm(TypedDict):
    span_id: Annotated[str, "16 hex digits"]
    label: Annotated[str, "the task with its number, or the span's name"]
    recorded_duration_ns: Annotated[int, "nanoseconds that it took"]
    removed: Annotated[bool, "it takes no part any more"]
    start_ns: Annotated[int, f"when it would have started{TIME}"]
    duration_ns: Annotated[int, "nanoseconds that it would have taken"]
    slack_ns: Annotated[
        int | None,
        "nanoseconds by which it alone may last longer before the run ends later; null: nothing waits for it",
    ]
    drag_ns: Annotated[int | None, "nanoseconds by which the run ends sooner if it takes no time; null if removed"]
    exclusive_drag_ns: Annotated[int | None, "the same of its own time alone, without that of its children"]


class AssumptionForm(TypedDict):
    cause: Annotated[str, "span id"]
    effect: Annotated[str, "span id"]
    cause_label: Annotated[str, "its name"]
    effect_label: Annotated[str, "its name"]
    kind: Annotated[
        str,
        "a `mas.link.kind`; or order (one began after the other), step (LangGraph's), limit (of how many run at once)",
    ]
    provenance: Annotated[str, "recorded, metadata (joined by stable keys), inferred, or order"]
    held: Annotated[bool, "whether the effect still waits for the cause; false: taken to need it not"]


class RepricedForm(TypedDict):
    span_id: Annotated[str, "16 hex digits"]
    model: Annotated[str | None, "the model that is called instead"]
    reason: Annotated[str, "why there is no price"]


class WhatIfDocument(TypedDict):
    changes: Annotated[list[str], "what is changed, in words"]
    recorded_ns: Annotated[int, "nanoseconds from the first start to the last end, as recorded"]
    total_ns: Annotated[int, "the same under the changes"]
    saves_ns: Annotated[int, "the difference; below 0 if it would have taken longer"]
    ideal_ns: Annotated[int, "nanoseconds of the recorded run if each task had waited for its causes alone"]
    recorded_usd: Annotated[float | None, "USD of the model calls that have a price; null where none has"]
    usd: Annotated[float | None, "the same under the changes"]
    saves_usd: Annotated[float | None, "the difference; null where it cannot be told"]
    simulated: Annotated[bool, "a stand-in answered some of the calls: nobody was charged for them"]
    unpriced: Annotated[list[RepricedForm], "calls whose new price is not known"]
    steps: Annotated[list[json.StepForm], "the new critical path, in time order, without gaps or overlaps"]
    assumptions: Annotated[
        list[AssumptionForm], "edges between spans set side by side, then those that decide the end, in order of time"
    ]
    spans: Annotated[list[RescheduledSpanForm], "each span, in its recorded order"]
    problems: Annotated[list[str], PROBLEMS]


def what_if(answer: WhatIf, causal: CausalGraph, problems: Sequence[str]) -> WhatIfDocument:
    """The answer about a graph."""
    labels, path, graph = TaskLabels(causal), answer.schedule.critical_path(), answer.schedule.graph
    return {
        "changes": [str(change) for change in answer.changes],
        "recorded_ns": answer.recorded_ns,
        "total_ns": answer.total_ns,
        "saves_ns": answer.saves_ns,
        "ideal_ns": ideal(causal).total_ns,
        "recorded_usd": answer.recorded_cost.usd,
        "usd": answer.cost.usd,
        "saves_usd": answer.saves_usd,
        "simulated": answer.recorded_cost.simulated,
        "unpriced": [{"span_id": one.span_id, "model": one.model, "reason": one.reason} for one in answer.unpriced],
        "steps": json.critical_path(graph, path, ())["steps"],
        "assumptions": [assumption(one, labels) for one in answer.schedule.assumptions],
        "spans": spans(answer, causal),
        "problems": list(problems),
    }


def spans(answer: WhatIf, causal: CausalGraph) -> list[RescheduledSpanForm]:
    """Each span, then and now."""
    labels, schedule, slack = TaskLabels(causal), answer.schedule, answer.schedule.slack_ns
    drag, exclusive = schedule.drag_ns, schedule.exclusive_drag_ns
    found: list[RescheduledSpanForm] = []
    for span, ended in zip(causal.spans, causal.ends, strict=True):
        start, end = schedule.times(span.span_id)
        found.append(
            {
                "span_id": span.span_id,
                "label": labels.label(span),
                "recorded_duration_ns": ended - span.start_ns,
                "removed": span.span_id in schedule.removed,
                "start_ns": start,
                "duration_ns": end - start,
                "slack_ns": slack.get(span.span_id),
                "drag_ns": drag.get(span.span_id),
                "exclusive_drag_ns": exclusive.get(span.span_id),
            }
        )
    return found


def assumption(one: Assumption, labels: TaskLabels) -> AssumptionForm:
    """An edge that the answer rests on."""
    return {
        "cause": one.cause.span_id,
        "effect": one.effect.span_id,
        "cause_label": labels.label(one.cause),
        "effect_label": labels.label(one.effect),
        "kind": one.kind,
        "provenance": one.provenance,
        "held": one.held,
    }


__all__ = ["AssumptionForm", "RescheduledSpanForm", "WhatIfDocument", "assumption", "spans", "what_if"]
