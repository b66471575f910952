"""Health of agents, workflows and resources over a window of time, each with why. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import chain

from otel_mas.analyse.executions import ExecutionKind, executions
from otel_mas.analyse.health.agents import AgentHealth, AgentTask, agent_health
from otel_mas.analyse.health.resources import ResourceHealth, resource_health
from otel_mas.analyse.health.status import HealthStatus, worst
from otel_mas.analyse.health.workflows import WorkflowHealth, WorkflowRun, workflow_health
from otel_mas.causal import CausalGraph


@dataclass(frozen=True)
class Health:
    """Health of all that a source knows of."""

    agents: tuple[AgentHealth, ...]
    workflows: tuple[WorkflowHealth, ...]
    resources: tuple[ResourceHealth, ...]
    since_ns: int
    """Beginning of the window, since the epoch."""
    now_ns: int
    limited: bool = False
    """Older runs may belong to the window that were not read."""
    incomplete: str | None = None
    """The parts that the source may have left out, in words."""

    def of_agents(self) -> Health:
        """The same of the agents alone."""
        return replace(self, workflows=(), resources=())

    @property
    def status(self) -> HealthStatus:
        """The worst of all of them; unknown where nothing is known."""
        found = ([one.status for one in part] for part in (self.agents, self.workflows, self.resources))
        return worst(chain.from_iterable(found))


def agent_tasks(graph: CausalGraph) -> Iterator[AgentTask]:
    """The tasks of agents and other nodes in a run, with what last began or ended in each."""
    last = last_activities(graph)
    for one in executions(graph):
        if one.kind in (ExecutionKind.AGENT, ExecutionKind.TASK):
            yield AgentTask(one, last[one.span_id])


def last_activities(graph: CausalGraph) -> dict[str, int]:
    """When something last began or ended in each span, or below it, by span id; in ns."""
    found: dict[str, int] = {}
    spans, parents = graph.spans, graph.parents
    latest = [max(span.start_ns, span.end_ns or 0) for span in spans]
    for i in range(len(spans)):
        above, seen = parents[i], 0
        while above >= 0 and latest[above] < latest[i] and seen <= len(spans):
            latest[above] = latest[i]
            above, seen = parents[above], seen + 1
    for span, time_ns in zip(spans, latest, strict=True):
        found[span.span_id] = time_ns
    return found


__all__ = [
    "AgentHealth",
    "AgentTask",
    "Health",
    "HealthStatus",
    "ResourceHealth",
    "WorkflowHealth",
    "WorkflowRun",
    "agent_health",
    "agent_tasks",
    "last_activities",
    "resource_health",
    "workflow_health",
    "worst",
]
