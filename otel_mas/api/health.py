"""Health of what a source knows of: its runs of a window of time, the processes that record into it, its disk."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from otel_mas.analyse.health import (
    AgentTask,
    Health,
    ResourceHealth,
    WorkflowRun,
    agent_health,
    agent_tasks,
    last_activities,
    resource_health,
    workflow_health,
)
from otel_mas.analyse.questions import QuestionState
from otel_mas.api.queries import list_traces
from otel_mas.api.trace import Trace
from otel_mas.config.thresholds import Thresholds
from otel_mas.model import PartialList, Query, TraceSummary
from otel_mas.model.status import TraceStatus
from otel_mas.sources import KnowsProcesses
from otel_mas.sources import Source as Port
from otel_mas.sources.server import download_once


class HealthReader:
    """Reads what the health of a source is told by.

    Args:
        since_ns, now_ns: the window, since the epoch.
        limit: how many traces to read at most, the newest.
        cap_bytes: size that the store may have; 0 for any.
    """

    def __init__(
        self, port: Port, *, since_ns: int, now_ns: int, limit: int, thresholds: Thresholds, cap_bytes: int
    ) -> None:
        self._port = port
        self._since_ns = since_ns
        self._now_ns = now_ns
        self._limit = limit
        self._thresholds = thresholds
        self._cap_bytes = cap_bytes

    def health(self, agents: Collection[str]) -> Health:
        """The health now; of these agents only, where some are named."""
        tasks: list[AgentTask] = []
        runs: list[WorkflowRun] = []
        with download_once(listed=True):
            found = self._summaries()
            for summary in found:
                trace = Trace(self._port.trace(summary.trace_id), self._port)
                causal = trace.graph().causal
                tasks += agent_tasks(causal)
                runs += self._run(summary, trace, max(last_activities(causal).values(), default=summary.start_ns))
        return Health(
            agents=agent_health(tasks, agents, self._since_ns, self._now_ns, self._thresholds),
            workflows=workflow_health(runs, self._now_ns, self._thresholds),
            resources=self._resources(),
            since_ns=self._since_ns,
            now_ns=self._now_ns,
            limited=len(found) >= self._limit,
            incomplete=found.incomplete,
        )

    def _summaries(self) -> PartialList[TraceSummary]:
        """Traces that ended in the window or run now, and those that wait for a person, for however long."""
        filters = self._port.capabilities.filters
        ended_since = Query(ended_since_ns=self._since_ns, limit=self._limit)
        began_since = Query(since_ns=self._since_ns, limit=self._limit)
        found = list_traces(self._port, ended_since if "ended_since_ns" in filters else began_since)
        if "status" not in filters:
            return found
        known = {one.trace_id for one in found}
        waiting = list_traces(self._port, Query(status=TraceStatus.INTERRUPTED, limit=self._limit))
        return PartialList([*found, *(one for one in waiting if one.trace_id not in known)], found.incomplete)

    def _run(self, summary: TraceSummary, trace: Trace, last_activity_ns: int) -> Iterator[WorkflowRun]:
        """The run; none for a pause that is over: another trace went on with it."""
        overdue = False
        if summary.status == TraceStatus.INTERRUPTED:
            waiting = [one for one in trace.questions() if one.state is QuestionState.WAITING]
            if not waiting:
                return
            overdue = any(one.overdue for one in waiting)
        yield WorkflowRun(summary, last_activity_ns, overdue)

    def _resources(self) -> tuple[ResourceHealth, ...]:
        if not isinstance(self._port, KnowsProcesses):
            return ()
        processes, disk = self._port.processes(self._since_ns), self._port.disk(self._cap_bytes)
        return resource_health(processes, disk, self._now_ns, self._thresholds)


__all__ = ["HealthReader"]
