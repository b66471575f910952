"""Tasks and agents that spans belong to, with the causes of each span, as the log names them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple, Protocol

from otel_mas.causal import CHILD, CausalGraph
from otel_mas.model import Span
from otel_mas.semconv import Operation
from otel_mas.semconv import attributes as names

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
        self._graph = graph
        self._labels = graph.labels()
        self._spans = {span.span_id: span for span in graph.spans}
        self._around: dict[str, tuple[str, str | None]] = {}
        for root in graph.roots:
            self._walk(root)

    def _walk(self, root: Span) -> None:
        stack: list[tuple[Span, str, str | None]] = [(root, run_name(root), None)]
        while stack:
            span, task, agent = stack.pop()
            task = self._labels.get(span.span_id, task)
            if span.agent is not None and (agent is None or is_agent(span)):
                agent = span.agent
            self._around[span.span_id] = task, agent
            stack += [(child, task, agent) for child in self._graph.children_of(span.span_id)]

    def task(self, span: Span) -> str:
        return self._around[span.span_id][0]

    def agent(self, span: Span) -> str | None:
        return self._around[span.span_id][1]

    def causes(self, span: Span) -> Iterable[Cause]:
        for edge in self._graph.causes_of(span.span_id):
            if edge.kind != CHILD:
                cause = self._spans.get(edge.cause)
                yield Cause(edge.kind, edge.provenance, ANOTHER_TRACE if cause is None else self.task(cause))


def is_agent(span: Span) -> bool:
    """Whether a span is an agent at work, and not only names the agent that it works for."""
    return span.columns.get(names.GEN_AI_OPERATION_NAME) == Operation.INVOKE_AGENT


def run_name(root: Span) -> str:
    """Name of the run that begins with a span."""
    return root.workflow or root.agent or root.name.removeprefix("invoke_workflow ")


__all__ = ["ANOTHER_TRACE", "Cause", "GraphTasks", "Tasks", "is_agent", "run_name"]
