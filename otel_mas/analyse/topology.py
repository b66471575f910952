"""The graphs in a trace, each with the topology that it recorded and the tasks that ran in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from otel_mas.causal import CausalGraph
from otel_mas.causal.topology import Topology, topologies
from otel_mas.model import Span
from otel_mas.semconv import attributes as names
from otel_mas.semconv.enums import Operation

_RUNS = (Operation.INVOKE_WORKFLOW, Operation.INVOKE_AGENT)


@dataclass(slots=True)
class GraphScope:
    """One graph at work: the spans of its run (several where it paused and went on) and the tasks in it."""

    runs: list[Span]
    topology: Topology | None
    described_by: Span | None
    """The span that has the topology of it."""
    place: str
    """In that description: "" for the graph itself, `node:inner` for one inside it."""
    tasks: list[Span] = field(default_factory=list)
    """In start order."""

    def of_node(self, node: str) -> list[Span]:
        """The tasks that ran a node."""
        return [task for task in self.tasks if task.task_name == node]


class GraphScopes:
    """The graphs of a causal graph, each with its tasks and its topology."""

    def __init__(self, causal: CausalGraph) -> None:
        self._causal = causal
        self._topologies: dict[str, Mapping[str, Topology]] = {}
        self._around: dict[str, Span | None] = {}

    @cached_property
    def spans(self) -> Mapping[str, Span]:
        """The spans by their id."""
        return {span.span_id: span for span in self._causal.spans}

    @cached_property
    def all(self) -> tuple[GraphScope, ...]:
        """In the order of their first spans."""
        found: dict[object, GraphScope] = {}
        updates = []
        for span in self._causal.spans:
            if _is_run(span) and self._own_topology(span):
                self._scope(found, span)
            if span.task_id is not None:
                around = self.around(span)
                if around is not None:
                    self._scope(found, around).tasks.append(span)
                elif span.get(names.MAS_TASK_UPDATED) and not span.columns.get(names.MAS_TASK_NAMESPACE):
                    updates.append(span)
        for span in updates:
            self._add_update(span, found)
        return tuple(found.values())

    def topologies(self) -> Iterator[Topology]:
        """All that is described, also of graphs that never ran."""
        table = self._causal.table
        for number, operation in enumerate(table.column(names.GEN_AI_OPERATION_NAME)):
            if operation in _RUNS:
                yield from self._own_topology(table[number]).values()

    def not_entered(self, agent: str) -> Iterator[tuple[GraphScope, str]]:
        """For each graph that never ran and has this agent: the graph around it that did, and the node there."""
        for outer in self.all:
            if outer.place or outer.described_by is None:
                continue
            ran = {scope.place: scope for scope in self.all if scope.described_by in outer.runs}
            for place, topology in self._own_topology(outer.described_by).items():
                if topology.node(agent) is not None and place not in ran:
                    parts = place.split(":")
                    depth = max(n for n in range(len(parts)) if ":".join(parts[:n]) in ran)
                    yield ran[":".join(parts[:depth])], parts[depth]

    def scope_of(self, task: Span) -> GraphScope | None:
        """The graph that a task ran in."""
        return self._by_task.get(task.span_id)

    def around(self, span: Span) -> Span | None:
        """The run, or the task that is one, around a span."""
        if span.span_id not in self._around:
            self._around[span.span_id] = self._find_around(span)
        return self._around[span.span_id]

    def _find_around(self, span: Span) -> Span | None:
        above, seen = self.parent(span), {span.span_id}
        while above is not None and above.span_id not in seen:
            seen.add(above.span_id)
            if _is_run(above) or (above.task_id is not None and above.task_id != span.task_id):
                return above
            above = self.parent(above)
        return None

    def parent(self, span: Span) -> Span | None:
        """The span around a span."""
        return self.spans.get(span.parent_span_id or "")

    @cached_property
    def _by_task(self) -> Mapping[str, GraphScope]:
        return {task.span_id: scope for scope in self.all for task in scope.tasks}

    def _scope(self, found: dict[object, GraphScope], run: Span) -> GraphScope:
        key = _key(run, self.around(run))
        scope = found.get(key)
        if scope is None:
            described, place = self._place(run)
            known = self._own_topology(described) if described is not None else {}
            scope = found[key] = GraphScope([], known.get(place), described, place)
        if run not in scope.runs:
            scope.runs.append(run)
        return scope

    def _add_update(self, update: Span, found: Mapping[object, GraphScope]) -> None:
        """Add an update of a thread's state, which lies in no run, to the tasks of the thread's graph."""
        for key, scope in found.items():
            if isinstance(key, tuple) and key[:2] == (update.conversation_id, update.service):
                scope.tasks = sorted([*scope.tasks, update], key=lambda task: task.start_ns)

    def _place(self, run: Span) -> tuple[Span | None, str]:
        """The span that describes the graph of a run, and the graph's place in that description."""
        path: list[str] = []
        span: Span | None = run
        while span is not None and len(path) < 100:
            if self._own_topology(span):
                return span, ":".join(reversed(path))
            path.append(span.task_name or "")
            span = self.around(span)
        return None, ""

    def _own_topology(self, span: Span) -> Mapping[str, Topology]:
        if not _is_run(span):
            return {}
        known = self._topologies.get(span.span_id)
        if known is None:
            known = self._topologies[span.span_id] = topologies(span)
        return known


def _is_run(span: Span) -> bool:
    return span.columns.get(names.GEN_AI_OPERATION_NAME) in _RUNS


def _key(run: Span, around: Span | None) -> object:
    """The same for the runs of one graph that continue each other."""
    if run.task_id is not None:
        return run.task_id
    if around is None and run.conversation_id is not None:
        return run.conversation_id, run.service, run.name
    return run.span_id


__all__ = ["GraphScope", "GraphScopes"]
