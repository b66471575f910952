"""Tasks and agents that spans belong to, with the causes of each span, as the log names them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple, Protocol

from otel_mas.analyse.places import places
from otel_mas.causal import CHILD, CausalGraph, Edge
from otel_mas.model import Span

ANOTHER_TRACE = "another trace"


class Cause(NamedTuple):
    """A cause of a span, by its name."""

    kind: str
    """A `LinkKind`."""
    provenance: str
    label: str


class Tasks(Protocol):
    """Names of the tasks of a run."""

    def task(self, span: Span) -> str:
        """Label of the task that a span is or lies in: `researcher#1/model#2`. Outside of any the name of its run."""
        ...

    def agent(self, span: Span) -> str | None:
        """The agent that a span is, or that it works for."""
        ...

    def causes(self, span: Span) -> Iterable[Cause]:
        """Causes of a span, but for the span around it."""
        ...


class GraphTasks:
    """Names of the tasks of a causal graph."""

    def __init__(self, graph: CausalGraph) -> None:
        self._places = places(graph)
        self._spans = {span.span_id: span for span in graph.spans}
        self._causes: dict[str, list[Edge]] = {}
        for edge in graph.edges:
            if edge.kind != CHILD:
                self._causes.setdefault(edge.effect, []).append(edge)

    def task(self, span: Span) -> str:
        place = self._places[span.span_id]
        return run_name(place.root) if place.label is None else place.label

    def agent(self, span: Span) -> str | None:
        return self._places[span.span_id].agent

    def causes(self, span: Span) -> Iterable[Cause]:
        for edge in self._causes.get(span.span_id, ()):
            cause = self._spans.get(edge.cause)
            yield Cause(edge.kind, edge.provenance, ANOTHER_TRACE if cause is None else self.task(cause))


def run_name(root: Span) -> str:
    """Name of the run that begins with a span."""
    return root.workflow or root.agent or root.name.removeprefix("invoke_workflow ")


__all__ = ["ANOTHER_TRACE", "Cause", "GraphTasks", "Tasks", "run_name"]
