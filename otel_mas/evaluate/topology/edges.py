"""Causal edges between executions, from the links of their spans."""

from __future__ import annotations

from collections import Counter
from collections.abc import Set

from otel_mas.causal import CHILD, CausalGraph
from otel_mas.causal.links import INFERRED, RECORDED
from otel_mas.causal.references import texts
from otel_mas.evaluate.topology.executions import Executions
from otel_mas.evaluate.topology.nodes import OUTSIDE, CausalEdge, Unknown
from otel_mas.semconv import LinkKind
from otel_mas.semconv import attributes as names


def find_edges(graph: CausalGraph, executions: Executions) -> list[CausalEdge]:
    """All edges between executions but those of messages.

    Each execution is told who called it, and why its causes may not all be known.
    """
    of, ran = executions.of, executions.is_execution
    found: dict[tuple[int, int, str], bool] = {}
    linked = set()
    by_key = set()
    for cause, effect, kind, provenance in graph.links:
        if kind == LinkKind.MESSAGE or not ran[effect]:
            continue
        number = of[effect]
        linked.add(number)
        if provenance != RECORDED:
            by_key.add(effect)
        if cause < 0:
            executions.found[number].unknown = Unknown.ELSEWHERE
        elif of[cause] != number:  # else it was tried again, or resumed
            key = of[cause], number, kind
            found[key] = found.get(key, False) or provenance != INFERRED
            if kind == LinkKind.CALL:
                executions.found[number].caller = of[cause]
    for i, keys in executions.table.having(names.MAS_CAUSE_REFS):
        # Of an open span, keys only repeat its links.
        if ran[i] and i not in by_key and texts(keys) and executions.table[i].end_ns is not None:
            executions.found[of[i]].unknown = Unknown.KEY_ALONE
    edges = [CausalEdge._make((*key, certain)) for key, certain in found.items()]
    return edges + _parent_edges(executions, linked)


def _parent_edges(executions: Executions, linked: Set[int]) -> list[CausalEdge]:
    """Edges to executions without links, from those around them up to the nearest agent.

    A function that is marked was called by the code around it. Of a task, and of an agent that other instrumentation
    recorded beside others, the true cause was not recorded.
    """
    siblings = Counter(one.around for one in executions.found)
    edges: list[CausalEdge] = []
    for number, one in enumerate(executions.found):
        if number in linked or one.unknown is not None:
            continue
        span = executions.table[one.spans[0]]
        callers = executions.callers(one.around) or [OUTSIDE]
        if span.get(names.MAS_TASK_UPDATED):
            callers = [OUTSIDE]
        elif span.task_id is not None:
            one.unknown = Unknown.UNRECORDED
            continue
        elif span.is_foreign and siblings[one.around] > 1:
            one.unknown = Unknown.PARENT_ALONE
            if one.around == OUTSIDE:
                continue
        else:
            one.caller = one.around
        edges += (CausalEdge(caller, number, CHILD, True) for caller in callers)
    return edges


def message_edges(graph: CausalGraph, executions: Executions) -> list[CausalEdge]:
    """Edges from the execution that wrote a message to the one that read it."""
    found: dict[tuple[int, int], bool] = {}
    for cause, effect, kind, provenance in graph.links:
        if kind == LinkKind.MESSAGE and cause >= 0:
            pair = executions.of[cause], executions.of[effect]
            if pair[0] != pair[1] and OUTSIDE not in pair:
                found[pair] = found.get(pair, False) or provenance != INFERRED
    return [CausalEdge(*pair, LinkKind.MESSAGE.value, certain) for pair, certain in found.items()]


__all__ = ["find_edges", "message_edges"]
