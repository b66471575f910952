"""Causal order of the starts and ends of spans.

A moment is the start or the end of a span. It comes after the moments that it depends on:

- a span's start after the start of the span around it, and its end after its own start;
- a grade that a model gave, after the end of the call;
- the start of an effect after the end of its cause. It comes only after the start of the cause where that went on: a
  caller, a span around the effect, one that is open, or one of the same process that ended later.

Among moments that depend on nothing that is still to come, the earliest is next (Kahn's algorithm with a heap); ties
are broken by the start order of the spans, which is the same from every source.
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Iterator
from typing import NamedTuple

from otel_mas.causal import CHILD, CausalGraph
from otel_mas.model import Span
from otel_mas.semconv import LinkKind, RecordKind
from otel_mas.semconv import attributes as names


class Moment(NamedTuple):
    """The start of a span, or its end."""

    span: Span
    is_end: bool


def causal_order(graph: CausalGraph) -> Iterator[Moment]:
    """Starts and ends of the graph's spans in causal order; spans that are open have no end. O(n log n)."""
    spans = graph.spans
    later, waiting = _dependencies(graph)
    by_time = _by_time(spans)
    places = [0] * (2 * len(spans))
    for place, moment in enumerate(by_time):
        places[moment] = place
    heap = [place for place, moment in enumerate(by_time) if not waiting[moment]]  # sorted, so it is a heap
    earliest = iter(by_time)
    done = bytearray(2 * len(spans))
    while True:
        if not heap:
            # Links in a circle: the earliest moment that is left goes first.
            first = next((moment for moment in earliest if not done[moment]), None)
            if first is None:
                return
            heap.append(places[first])
        moment = by_time[heapq.heappop(heap)]
        if done[moment]:
            continue
        done[moment] = True
        yield Moment(spans[moment >> 1], bool(moment & 1))
        for following in later.get(moment, ()):
            waiting[following] -= 1
            if not waiting[following] and not done[following]:
                heapq.heappush(heap, places[following])


def _dependencies(graph: CausalGraph) -> tuple[dict[int, list[int]], list[int]]:
    """By moment those that come after it, and for every moment the number of those that it waits for.

    Moments are numbers: twice that of the span in start order, and one more for its end.
    """
    spans = graph.spans
    numbers = {span.span_id: number for number, span in enumerate(spans)}
    later: dict[int, list[int]] = defaultdict(list)
    waiting = [0] * (2 * len(spans))
    for number, span in enumerate(spans):
        if span.end_ns is not None:
            later[2 * number].append(2 * number + 1)
            waiting[2 * number + 1] += 1
    for edge in graph.edges:
        cause, effect = numbers.get(edge.cause), numbers[edge.effect]
        if cause is None or cause == effect:
            continue
        if edge.kind == CHILD:
            ended = is_judged_by(spans[effect], spans[cause]) and spans[cause].end_ns is not None
        else:
            ended = edge.kind != LinkKind.CALL and _had_ended(spans[cause], spans[effect])
            ended = ended and not _encloses(graph, cause, effect)
        later[2 * cause + ended].append(2 * effect)
        waiting[2 * effect] += 1
    return later, waiting


def is_judged_by(judgement: Span, call: Span) -> bool:
    """Whether a span is a grade that the model call around it gave: in its answer, which comes first."""
    return judgement.record_kind == RecordKind.EVALUATION and call.record_kind == RecordKind.LLM_CALL


def _had_ended(cause: Span, effect: Span) -> bool:
    """Whether a cause had ended when its effect began, as far as the clocks of their processes can tell."""
    if cause.end_ns is None:
        return False
    return cause.end_ns <= effect.start_ns or _process(cause) != _process(effect)


def _process(span: Span) -> object:
    return span.resource.attributes.get(names.MAS_INSTANCE_ID)


def _encloses(graph: CausalGraph, outer: int, inner: int) -> bool:
    """Whether one span encloses another, both by number."""
    parents = graph.parents
    while inner >= 0 and inner != outer:
        inner = parents[inner]
    return inner == outer


def time_of(span: Span, is_end: bool) -> int:
    """Time of a moment; an end is not before its start, whatever the span says."""
    return max(span.start_ns, span.end_ns) if is_end and span.end_ns is not None else span.start_ns


def _by_time(spans: tuple[Span, ...]) -> list[int]:
    """Moments by time; at the same time ends come first, those of inner spans before those of the spans around them."""
    ends = [2 * number + 1 for number in reversed(range(len(spans))) if spans[number].end_ns is not None]
    moments = [*ends, *range(0, 2 * len(spans), 2)]
    moments.sort(key=lambda moment: time_of(spans[moment >> 1], bool(moment & 1)))  # keeps the order within a time
    return moments


__all__ = ["Moment", "causal_order", "is_judged_by", "time_of"]
