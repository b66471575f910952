"""`otel-mas health --json`, and `/api/v1/health`."""

from __future__ import annotations

from typing import Annotated, TypedDict

from otel_mas.analyse.health import AgentHealth, Health, ResourceHealth, WorkflowHealth
from otel_mas.report.forms import form_of
from otel_mas.report.json.fields import TIME

_STATUS = "healthy, degraded, unhealthy or unknown"
_REASONS = "what speaks against it, in words, the worst first"


class AgentHealthForm(TypedDict):
    name: Annotated[str, "the agent"]
    status: Annotated[str, _STATUS]
    reasons: Annotated[list[str], _REASONS]
    last_activity_ns: Annotated[int | None, f"last start or end of something in one of its tasks{TIME}; null: none"]
    done: Annotated[int, "tasks that returned or handed over"]
    errors: Annotated[int, "tasks that failed"]
    error_rate: Annotated[float | None, "errors among these; null without any"]
    p95_ns: Annotated[int | None, "nanoseconds: 95th percentile of the durations; null without any"]
    running: Annotated[int, "tasks that are open now"]
    stuck: Annotated[int, "of these, the ones in which nothing began or ended for too long"]


class WorkflowHealthForm(TypedDict):
    name: Annotated[str, "name of its runs"]
    service: Annotated[str, "`service.name`"]
    status: Annotated[str, _STATUS]
    reasons: Annotated[list[str], _REASONS]
    runs: Annotated[int, "number of runs"]
    completed: Annotated[int, "runs that ended well"]
    failed: Annotated[int, "runs that ended with an error, or whose process stopped"]
    completion: Annotated[float | None, "completed ones among those that completed or failed; null without any"]
    waiting: Annotated[int, "runs that wait for a person"]
    overdue: Annotated[int, "of these, the ones that wait for longer than they were to"]
    running: Annotated[int, "runs that are open now"]
    stalled: Annotated[int, "of these, the ones in which nothing began or ended for too long"]


class ResourceHealthForm(TypedDict):
    kind: Annotated[str, "process or disk"]
    name: Annotated[str, "`service.name` of the process; store"]
    status: Annotated[str, _STATUS]
    reasons: Annotated[list[str], _REASONS]
    figures: Annotated[
        dict[str, float | None],
        "of a process: rss_bytes, cpu (processors), queue_spans, queue_limit, event_loop_lag_s, open_spans, "
        "dropped_spans, seconds_since_heartbeat; of the disk: store_bytes, cap_bytes, free_bytes, total_bytes",
    ]


class HealthDocument(TypedDict):
    status: Annotated[str, f"of all together: {_STATUS}"]
    agents: Annotated[list[AgentHealthForm], "by name"]
    workflows: Annotated[list[WorkflowHealthForm], "by name"]
    resources: Annotated[list[ResourceHealthForm], "recording processes and the disk; of a local store only"]
    since_ns: Annotated[int, f"beginning of the window{TIME}"]
    now_ns: Annotated[int, f"its end{TIME}"]
    limited: Annotated[bool, "older runs may belong to the window that were not read"]
    incomplete: Annotated[str | None, "what the source may have left out, in words; null where nothing"]


def health(found: Health) -> HealthDocument:
    """The document."""
    return form_of(
        HealthDocument,
        found,
        status=found.status.value,
        agents=[_agent(one) for one in found.agents],
        workflows=[_workflow(one) for one in found.workflows],
        resources=[_resource(one) for one in found.resources],
    )


def _agent(one: AgentHealth) -> AgentHealthForm:
    return form_of(AgentHealthForm, one, status=one.status.value, reasons=list(one.reasons))


def _workflow(one: WorkflowHealth) -> WorkflowHealthForm:
    return form_of(WorkflowHealthForm, one, status=one.status.value, reasons=list(one.reasons))


def _resource(one: ResourceHealth) -> ResourceHealthForm:
    return form_of(
        ResourceHealthForm, one, status=one.status.value, reasons=list(one.reasons), figures=dict(one.figures)
    )


__all__ = ["HealthDocument", "health"]
