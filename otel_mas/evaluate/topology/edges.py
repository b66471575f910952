"""Causal edges between executions, from the links of their spans."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from otel_mas.causal import CHILD, CausalGraph, Edge
from otel_mas.causal.causes import INFERRED, RECORDED
from otel_mas.causal.references import texts
from otel_mas.evaluate.topology.executions import Executions
from otel_mas.evaluate.topology.nodes import OUTSIDE, CausalEdge, Execution
from otel_mas.model import Span
from otel_mas.semconv import LinkKind
from otel_mas.semconv import attributes as names


def find_edges(graph: CausalGraph, executions: Executions) -> list[CausalEdge]:
    """All edges between executions but those of messages, by their effects.

    Each execution is told who called it, and why its causes may not all be known.
    """
    numbers = {span.span_id: i for i, span in enumerate(executions.spans)}
    siblings = Counter(one.around for one in executions.found)
    edges: list[CausalEdge] = []
    for number, one in enumerate(executions.found):
        found: dict[tuple[int, str], bool] = {}
        for i in one.spans:
            span = executions.spans[i]
            links = [edge for edge in graph.causes_of(span.span_id) if edge.kind not in (CHILD, LinkKind.MESSAGE)]
            for edge in links:
                _add(one, number, edge, executions.of[numbers[edge.cause]] if edge.cause in numbers else None, found)
            if _refers_elsewhere(span, links):
                one.unknown = f"a cause of {one.label} is known only by a key that leads to no span here"
                one.cause_elsewhere = True
        if not found and one.unknown is None:
            _add_parent(
                one, executions.spans[one.spans[0]], siblings[one.around], executions.callers(one.around), found
            )
        edges += (CausalEdge(source, number, kind, certain) for (source, kind), certain in found.items())
    return edges


def message_edges(graph: CausalGraph, executions: Executions) -> list[CausalEdge]:
    """Edges from the execution that wrote a message to the one that read it."""
    numbers = {span.span_id: i for i, span in enumerate(executions.spans)}
    found: dict[tuple[int, int], bool] = {}
    for edge in graph.edges:
        if edge.kind == LinkKind.MESSAGE and edge.cause in numbers:
            writer, reader = executions.of[numbers[edge.cause]], executions.of[numbers[edge.effect]]
            if writer != reader and OUTSIDE not in (writer, reader):
                found[writer, reader] = found.get((writer, reader), False) or edge.provenance != INFERRED
    return [CausalEdge(*pair, LinkKind.MESSAGE.value, certain) for pair, certain in found.items()]


def _add(one: Execution, number: int, edge: Edge, cause: int | None, found: dict[tuple[int, str], bool]) -> None:
    """Add an edge by a link; one from the execution itself, where it was tried again or resumed, is none."""
    if cause is None:
        one.unknown = f"a cause of {one.label} lies in a trace that is not here"
        one.cause_elsewhere = True
    elif cause != number:
        key = cause, edge.kind
        found[key] = found.get(key, False) or edge.provenance != INFERRED
        if edge.kind == LinkKind.CALL:
            one.caller = cause


def _refers_elsewhere(span: Span, links: list[Edge]) -> bool:
    """Whether stable keys of its causes were joined to nothing. Of an open span they only repeat its links."""
    keys = texts(span.columns.get(names.MAS_CAUSE_REFS))
    return bool(keys) and span.end_ns is not None and all(edge.provenance == RECORDED for edge in links)


def _add_parent(
    one: Execution, span: Span, siblings: int, callers: Sequence[int], found: dict[tuple[int, str], bool]
) -> None:
    """Add the edges of an execution without links: from the executions around it, up to the nearest agent.

    A function that is marked was called by the code around it. Of a task, and of an agent that other instrumentation
    recorded beside others, the true cause was not recorded.
    """
    if span.get(names.MAS_TASK_UPDATED):
        found[OUTSIDE, CHILD] = True
        return
    if span.task_id is not None:
        one.unknown = f"no cause of {one.label} is recorded"
        return
    if span.record_kind is None and siblings > 1:
        one.unknown = f"no cause of {one.label} is recorded, only what it lies in"
    else:
        one.caller = one.around
        found.update({(OUTSIDE, CHILD): True} if not callers else {})
    found.update({(caller, CHILD): True for caller in callers})


__all__ = ["find_edges", "message_edges"]
