"""Edges between tasks under names that do not depend on who recorded them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from otel_mas import causal
from otel_mas.causal import CausalGraph
from otel_mas.semconv import LinkKind, RecordKind
from otel_mas.semconv import attributes as names

START = "START"
"""Stands for the run of a graph, or for the task that it runs in."""

_CALLS = (RecordKind.LLM_CALL, RecordKind.TOOL_CALL)
_BESIDE = (LinkKind.CALL, LinkKind.ERROR_HANDLER)


class Edge(NamedTuple):
    """Cause and effect as `node@step.occurrence`, behind those of the tasks around it."""

    cause: str
    effect: str


class Said(NamedTuple):
    """How an edge is known."""

    kind: str
    provenance: str
    probability: float | None


def control_edges(graph: CausalGraph, edges: Iterable[causal.Edge] | None = None) -> dict[Edge, Said]:
    """The edges that lead to tasks, messages left aside; each once, however often a task was tried or paused.

    Args:
        graph: of one run.
        edges: others than those of the graph.
    """
    tasks = _tasks(graph)
    found: dict[Edge, Said] = {}
    for edge in graph.edges if edges is None else edges:
        if edge.kind in ("child", LinkKind.MESSAGE) or edge.effect not in tasks:
            continue
        effect = tasks[edge.effect]
        if "@None" in effect:
            continue  # an agent of a dialect without steps, which is no task of ours
        cause = tasks.get(edge.cause)
        owner = effect.rpartition("/")[0]
        if edge.kind in (LinkKind.TRIGGER, LinkKind.SEND) and cause in (None, owner):
            cause = f"{owner}/{START}" if owner else START
        if cause is not None:
            found.setdefault(Edge(cause, effect), Said(edge.kind, edge.provenance, edge.probability))
    return found


def message_edges(graph: CausalGraph, *, places: bool = True) -> dict[Edge, Said]:
    """The edges between calls of models and tools: who read what of whom.

    Args:
        graph: of one run.
        places: whether calls are told apart by the task that they are in. Some dialects have no tasks.
    """
    tasks = _tasks(graph) if places else {}
    spans = {span.span_id: span for span in graph.spans}
    seen: Counter[str] = Counter()
    calls: dict[str, str] = {}
    for span in graph.spans:
        if span.record_kind in _CALLS:
            above = span.parent_span_id
            while above in spans and above not in tasks:
                above = spans[above].parent_span_id
            own = span.get(names.GEN_AI_TOOL_NAME) if span.record_kind == RecordKind.TOOL_CALL else "model"
            call = f"{tasks.get(above or '', '')}/{own}"
            seen[call] += 1
            calls[span.span_id] = f"{call}.{seen[call]}"
    return {
        Edge(calls[edge.cause], calls[edge.effect]): Said(edge.kind, edge.provenance, edge.probability)
        for edge in graph.edges
        if edge.kind == LinkKind.MESSAGE and edge.cause in calls and edge.effect in calls
    }


def _tasks(graph: CausalGraph) -> dict[str, str]:
    """The tasks by span id. The occurrence is the how-manieth of the node in its step, as `labels` numbers them."""
    labels = graph.labels()
    beside = {edge.effect: edge.cause for edge in graph.edges if edge.kind in _BESIDE}
    seen: Counter[str] = Counter()
    found: dict[str, str] = {}
    steps = {span.span_id: span.get(names.MAS_TASK_STEP) for span in graph.spans}
    by_label: dict[str, str] = {}
    for span_id, label in sorted(labels.items(), key=lambda one: [_part(part) for part in one[1].split("/")]):
        if label not in by_label:
            owner, _, own = label.rpartition("/")
            place = f"{by_label[owner]}/" if owner else ""
            if owner and labels.get(beside.get(span_id, "")) == owner:
                place = by_label[owner].rpartition("/")[0]  # who called it is around it, or beside it
                place += "/" if place else ""
            node = f"{place}{own.rpartition('#')[0]}@{steps[span_id]}"
            seen[node] += 1
            by_label[label] = f"{node}.{seen[node]}"
        found[span_id] = by_label[label]
    return found


def _part(part: str) -> tuple[str, int]:
    name, _, number = part.rpartition("#")
    return name, int(number)
