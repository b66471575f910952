"""Health of workflows: how many of their runs completed, wait for people, or stand still."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from otel_mas.analyse.health.status import HealthStatus, Reasons, add_failures
from otel_mas.config.thresholds import Thresholds
from otel_mas.model import TraceSummary
from otel_mas.model.status import TraceStatus

_S = 10**9


@dataclass(frozen=True, slots=True)
class WorkflowHealth:
    """The runs of one name of one service. All but the last three are of runs that ended in the window."""

    name: str
    service: str
    status: HealthStatus
    reasons: tuple[str, ...]
    runs: int
    completed: int
    failed: int
    """Ended with an error, or their process stopped before they did."""
    completion: float | None
    """Completed ones among those that completed or failed; None without any."""
    waiting: int
    """Wait for a person."""
    overdue: int
    """Waiting ones that wait for longer than they were to."""
    running: int
    stalled: int
    """Running ones in which nothing began or ended for `stalled_after_s`."""


@dataclass(frozen=True, slots=True)
class WorkflowRun:
    """One run, when something last began or ended in it, and whether a question of it is overdue."""

    summary: TraceSummary
    last_activity_ns: int
    overdue: bool = False


_FAILED = (TraceStatus.ERROR, TraceStatus.STOPPED)


def workflow_health(runs: Sequence[WorkflowRun], now_ns: int, thresholds: Thresholds) -> tuple[WorkflowHealth, ...]:
    """A row for each workflow, by name and service."""
    groups: dict[tuple[str, str], list[WorkflowRun]] = {}
    for one in runs:
        groups.setdefault((one.summary.name, one.summary.service), []).append(one)
    return tuple(_workflow(*key, found, now_ns, thresholds) for key, found in sorted(groups.items()))


def _workflow(
    name: str, service: str, found: Sequence[WorkflowRun], now_ns: int, thresholds: Thresholds
) -> WorkflowHealth:
    completed = sum(one.summary.status == TraceStatus.OK for one in found)
    failed = sum(one.summary.status in _FAILED for one in found)
    waiting = sum(one.summary.status == TraceStatus.INTERRUPTED for one in found)
    overdue = sum(one.overdue for one in found)
    running = [one for one in found if one.summary.status == TraceStatus.RUNNING]
    stalled = sum(now_ns - one.last_activity_ns >= thresholds.stalled_after_s * _S for one in running)
    reasons = Reasons()
    shares = (thresholds.health_degraded_share, thresholds.health_unhealthy_share)
    add_failures(reasons, failed, completed + failed, shares, "runs")
    if stalled:
        status = HealthStatus.UNHEALTHY if stalled == len(running) else HealthStatus.DEGRADED
        waited = f"{thresholds.stalled_after_s:g} s or longer"
        reasons.add(status, f"{stalled:,} of {len(running):,} running runs are stalled: nothing happened for {waited}")
    if overdue:
        reasons.add(HealthStatus.DEGRADED, f"{overdue:,} runs wait for a person for longer than they were to")
    if not (completed or failed or waiting or running):
        reasons.add(HealthStatus.UNKNOWN, "no run completed or failed: all were cancelled or abandoned")
    return WorkflowHealth(
        name=name,
        service=service,
        status=reasons.status,
        reasons=reasons.texts,
        runs=len(found),
        completed=completed,
        failed=failed,
        completion=completed / (completed + failed) if completed + failed else None,
        waiting=waiting,
        overdue=overdue,
        running=len(running),
        stalled=stalled,
    )


__all__ = ["WorkflowHealth", "WorkflowRun", "workflow_health"]
