"""Call chains: for each task and agent of a run the one that called it, how, why, and how far from the start."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from otel_mas.analyse.content import NO_CONTENT, RunContent
from otel_mas.analyse.executions import Execution, ExecutionKind
from otel_mas.causal import CHILD, CausalGraph, Edge
from otel_mas.causal.references import texts
from otel_mas.model import Span
from otel_mas.semconv import LinkKind, RecordKind
from otel_mas.semconv import attributes as names

_KINDS = (
    LinkKind.HANDOFF,
    LinkKind.SEND,
    LinkKind.CALL,
    LinkKind.TRIGGER,
    LinkKind.ERROR_HANDLER,
    LinkKind.RETRY,
    LinkKind.RESUME,
)
"""Kinds of causes by precedence: the first of these is the call, and among several of one kind the last to end."""


@dataclass(frozen=True, slots=True)
class Call:
    """One task or agent, and the call that made it run. Times in ns since the epoch."""

    caller: str | None
    """Label of the caller; None at the start of a run, and where the caller lies in a trace that was not read."""
    caller_id: str | None
    """Span id of the caller."""
    callee: str
    """Label: `writer#1/outline#1`."""
    kind: str | None
    """`child` (it is the first inside its caller), or a `LinkKind`: trigger, send, handoff, ...; None without a
    caller."""
    provenance: str | None
    reason: str | None
    """Reason of the routing decision that chose it, where it is kept."""
    others: tuple[str, ...]
    """Labels of further causes: what a join waited for as well."""
    depth: int
    """Number of callers before it, up to the start of the run."""
    execution: Execution


def call_chains(graph: CausalGraph, found: Sequence[Execution], content: RunContent = NO_CONTENT) -> tuple[Call, ...]:
    """The calls of the tasks and agents among the executions of a run, in start order.

    Args:
        graph: Of one trace, or of the traces of a conversation.
        found: The executions to have calls of; callers are found among all.
        content: For the reasons.
    """
    wanted = {one.span_id: one for one in found if one.kind in (ExecutionKind.TASK, ExecutionKind.AGENT)}
    chains = _Chains(graph, content)
    return tuple(chains.call(wanted[span.span_id]) for span in graph.spans if span.span_id in wanted)


class _Chains:
    def __init__(self, graph: CausalGraph, content: RunContent) -> None:
        self._graph = graph
        self._content = content
        self._labels = graph.labels()
        self._spans = {span.span_id: (i, span) for i, span in enumerate(graph.spans)}
        self._callers: dict[str, tuple[Edge | None, tuple[Edge, ...]]] = {}
        self._depths: dict[str, int] = {}

    def call(self, execution: Execution) -> Call:
        edge, others = self._caller(execution.span_id)
        return Call(
            caller=None if edge is None else self._label(edge.cause),
            caller_id=None if edge is None else edge.cause,
            callee=self._label(execution.span_id) or execution.name,
            kind=None if edge is None else edge.kind,
            provenance=None if edge is None else edge.provenance,
            reason=None if edge is None else self._reason(edge),
            others=tuple(label for one in others if (label := self._label(one.cause)) is not None),
            depth=self._depth(execution.span_id),
            execution=execution,
        )

    def _caller(self, span_id: str) -> tuple[Edge | None, tuple[Edge, ...]]:
        """The edge of the call, and those of further causes."""
        if span_id not in self._callers:
            enclosing = self._enclosing(span_id)
            edges = [edge for edge in self._graph.causes_of(span_id) if self._is_call(edge, enclosing)]
            edges.sort(key=lambda edge: (_KINDS.index(LinkKind(edge.kind)), -self._end(edge.cause), edge.cause))
            self._callers[span_id] = edges[0] if edges else enclosing, tuple(edges[1:])
        return self._callers[span_id]

    def _is_call(self, edge: Edge, enclosing: Edge | None) -> bool:
        """Whether the cause is a task or agent that called, and not the one around the effect, which only started."""
        if edge.kind not in _KINDS or edge.cause not in self._spans:
            return False
        around = enclosing is not None and edge.cause == enclosing.cause
        return not around and self._spans[edge.cause][1].record_kind == RecordKind.AGENT_TASK

    def _enclosing(self, span_id: str) -> Edge | None:
        """The edge from the nearest task or agent around a span."""
        parents, spans = self._graph.parents, self._graph.spans
        above = parents[self._spans[span_id][0]]
        for _ in spans:
            if above < 0:
                return None
            if spans[above].record_kind == RecordKind.AGENT_TASK:
                return Edge(spans[above].span_id, span_id, CHILD, "recorded")
            above = parents[above]
        return None

    def _depth(self, span_id: str) -> int:
        chain: list[str] = []
        seen: set[str] = set()
        at: str | None = span_id
        while at is not None and at not in self._depths and at not in seen:
            seen.add(at)
            chain.append(at)
            edge, _ = self._caller(at)
            at = None if edge is None else edge.cause
        depth = -1 if at is None else self._depths.get(at, -1)  # a cycle begins where it is met
        for one in reversed(chain):
            depth += 1
            self._depths[one] = depth
        return self._depths[span_id]

    def _end(self, span_id: str) -> int:
        return self._graph.ends[self._spans[span_id][0]]

    def _label(self, span_id: str) -> str | None:
        found = self._spans.get(span_id)
        return None if found is None else self._labels.get(span_id) or found[1].agent or found[1].name

    def _reason(self, edge: Edge) -> str | None:
        if edge.kind == CHILD:
            return None
        callee = self._spans[edge.effect][1].task_name
        for route in reversed(list(self._routes(edge.cause))):
            if callee in texts(route.get(names.MAS_ROUTING_CHOICE)) and (reason := self._content.reason(route)):
                return reason
        return None

    def _routes(self, span_id: str) -> Iterator[Span]:
        """The routing decisions of a task."""
        for span in self._graph.children_of(span_id):
            if span.record_kind == RecordKind.ROUTING_DECISION:
                yield span


__all__ = ["Call", "call_chains"]
