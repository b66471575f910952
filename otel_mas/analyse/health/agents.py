"""Health of agents: what each did in a window of time, and what it has been at for too long."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from otel_mas.analyse.executions import SUCCEEDED, Execution, ExecutionKind
from otel_mas.analyse.health.status import HealthStatus, Reasons, add_failures
from otel_mas.analyse.percentiles import percentile
from otel_mas.config.thresholds import Thresholds
from otel_mas.model.status import RUNNING, STOPPED
from otel_mas.semconv import TaskOutcome

_S = 10**9


@dataclass(frozen=True, slots=True)
class AgentHealth:
    """One agent. Counts are of tasks that ended in the window, times in ns."""

    name: str
    status: HealthStatus
    reasons: tuple[str, ...]
    last_activity_ns: int | None
    """Last start or end of something in one of its tasks, since the epoch; None where there was nothing."""
    done: int
    """Tasks that returned or handed over."""
    errors: int
    error_rate: float | None
    """Errors among those that returned, handed over or failed; None without any."""
    p95_ns: int | None
    """95th percentile of their durations."""
    running: int
    """Tasks that are open now."""
    stuck: int
    """Running ones in which nothing began or ended for `stalled_after_s`."""


@dataclass(frozen=True, slots=True)
class AgentTask:
    """One task of an agent, and when something last began or ended in it."""

    execution: Execution
    last_activity_ns: int


def agent_health(
    tasks: Sequence[AgentTask], asked: Collection[str], since_ns: int, now_ns: int, thresholds: Thresholds
) -> tuple[AgentHealth, ...]:
    """A row for each agent, by name; where an app has none, for each node.

    Args:
        tasks: those that ended before `since_ns` do not count.
        asked: names of agents or nodes that get a row, whether or not they did anything; all where it is empty.
    """
    recent = [one for one in tasks if one.execution.end_ns is None or one.execution.end_ns >= since_ns]
    agents = [one for one in recent if one.execution.kind == ExecutionKind.AGENT]
    groups: dict[str, list[AgentTask]] = {name: [] for name in asked}
    for one in recent if asked else agents or recent:
        if not asked or _name(one) in groups:
            groups.setdefault(_name(one), []).append(one)
    return tuple(_agent(name, found, now_ns, thresholds) for name, found in sorted(groups.items()))


def _name(one: AgentTask) -> str:
    """The agent's, or the node's within its graph."""
    execution = one.execution
    is_agent = execution.kind == ExecutionKind.AGENT
    return (execution.agent if is_agent else None) or (execution.node or execution.name).rpartition("/")[2]


def _agent(name: str, found: Sequence[AgentTask], now_ns: int, thresholds: Thresholds) -> AgentHealth:
    by_status = {status: [one for one in found if one.execution.status == status] for status in _STATUSES}
    done = sum(one.execution.status in SUCCEEDED for one in found)
    errors = len(by_status[TaskOutcome.ERROR])
    running, stopped = by_status[RUNNING], by_status[STOPPED]
    stuck = sum(now_ns - one.last_activity_ns >= thresholds.stalled_after_s * _S for one in running)
    took = sorted(
        one.execution.duration_ns or 0
        for one in found
        if one.execution.end_ns is not None and one.execution.status != TaskOutcome.INTERRUPTED
    )
    p95_ns = round(percentile(took, 0.95)) if took else None
    reasons = Reasons()
    if not found:
        reasons.add(HealthStatus.UNKNOWN, "it did nothing in this time")
    add_failures(
        reasons, errors, done + errors, (thresholds.health_degraded_share, thresholds.health_unhealthy_share), "tasks"
    )
    if stuck:
        status = HealthStatus.UNHEALTHY if stuck == len(running) else HealthStatus.DEGRADED
        reasons.add(
            status,
            f"{stuck:,} of {len(running):,} running tasks: nothing began or ended in them for "
            f"{thresholds.stalled_after_s:g} s or longer",
        )
    if stopped:
        reasons.add(HealthStatus.DEGRADED, f"{len(stopped):,} tasks never ended: their process stopped")
    if p95_ns is not None and 0 < thresholds.health_p95_s * _S <= p95_ns:
        reasons.add(HealthStatus.DEGRADED, f"P95 is {p95_ns / _S:.3g} s, {thresholds.health_p95_s:g} s or longer")
    return AgentHealth(
        name=name,
        status=reasons.status,
        reasons=reasons.texts,
        last_activity_ns=max((one.last_activity_ns for one in found), default=None),
        done=done,
        errors=errors,
        error_rate=errors / (done + errors) if done + errors else None,
        p95_ns=p95_ns,
        running=len(running),
        stuck=stuck,
    )


_STATUSES = (TaskOutcome.ERROR.value, RUNNING, STOPPED)

__all__ = ["AgentHealth", "AgentTask", "agent_health"]
