"""The way of a fault: the tasks through which what a span did came to the end of the run."""

from __future__ import annotations

from collections import deque

from otel_mas.causal import CHILD, CausalGraph
from otel_mas.model import Span
from otel_mas.semconv import RecordKind


def hops_to_end(graph: CausalGraph, span_id: str) -> tuple[Span, ...]:
    """The shortest way along causes from the task of a span to the last task that it led to, both included.

    A task in a subgraph leads on to the task around it. Empty for a span outside of any task.
    """
    start = _task(graph, graph.span(span_id))
    if start is None:
        return ()
    came_from: dict[str, str | None] = {start.span_id: None}
    waiting = deque([start])
    last = start
    while waiting:
        task = waiting.popleft()
        if task.last_ns > last.last_ns:
            last = task
        for following in _following(graph, task):
            if following.span_id not in came_from:
                came_from[following.span_id] = task.span_id
                waiting.append(following)
    way = []
    at: str | None = last.span_id
    while at is not None:
        way.append(graph.span(at))
        at = came_from[at]
    return tuple(reversed(way))


def _following(graph: CausalGraph, task: Span) -> list[Span]:
    effects = {edge.effect for edge in graph.effects_of(task.span_id) if edge.kind != CHILD}
    found = [graph.span(effect) for effect in sorted(effects)]
    tasks = [one for span in found if (one := _task(graph, span)) is not None]
    outer = None if task.parent_span_id is None else _parent_task(graph, task)
    return sorted(tasks, key=lambda one: one.start_ns) + ([outer] if outer is not None else [])


def _task(graph: CausalGraph, span: Span) -> Span | None:
    return span if span.record_kind == RecordKind.AGENT_TASK else _parent_task(graph, span)


def _parent_task(graph: CausalGraph, span: Span) -> Span | None:
    above = span
    for _ in range(len(graph.spans)):
        try:
            above = graph.span(above.parent_span_id or "")
        except KeyError:
            return None
        if above.record_kind == RecordKind.AGENT_TASK:
            return above
    return None


__all__ = ["hops_to_end"]
