"""Agent, task and conversation of each span: what it is, or what it lies in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from otel_mas.causal import CausalGraph
from otel_mas.model import Span


@dataclass(frozen=True, slots=True)
class Place:
    """Agent, task and conversation of a span, as far as it or a span around it says."""

    root: Span
    """The outermost span around it."""
    agent: str | None = None
    """The nearest agent at work; outside of any, the one that it or a span around it names."""
    task: Span | None = None
    label: str | None = None
    """The task's label, as `CausalGraph.labels` has it."""
    conversation: str | None = None


def places(graph: CausalGraph) -> Mapping[str, Place]:
    """The place of every span, by its id. Linear; spans in the same place share one object."""
    labels = graph.labels()
    found: dict[str, Place] = {}
    waiting: list[tuple[Span, Place]] = [(root, Place(root)) for root in graph.roots]
    while waiting:
        span, place = waiting.pop()
        label, conversation = labels.get(span.span_id), span.conversation_id or place.conversation
        agent = (span.agent if span.is_agent else None) or place.agent or span.agent
        if label is not None or (agent, conversation) != (place.agent, place.conversation):
            task = span if label is not None else place.task
            place = Place(place.root, agent, task, label or place.label, conversation)
        found[span.span_id] = place
        waiting += [(child, place) for child in graph.children_of(span.span_id)]
    return found


__all__ = ["Place", "places"]
