"""Waiting between tasks: for siblings at a join or the end of a step, for a person, for a rate limit."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass

from otel_mas.analyse.profile.timing import Timing
from otel_mas.causal import Edge
from otel_mas.model import Span
from otel_mas.semconv import LinkKind
from otel_mas.semconv import attributes as names

_RATE_LIMIT = re.compile(r"rate.?limit|too.?many.?requests|throttl|resource.?exhausted|\b429\b", re.IGNORECASE)
"""Types of errors by which clients of models say that a rate limit refused a call."""


@dataclass(slots=True)
class Waits:
    """How long the result of a task waited after its end, in ns."""

    sibling: int = 0
    input: int = 0
    rate_limit: int = 0


def waits(timing: Timing) -> dict[str, Waits]:
    """Waits by span id of the task that had ended, or paused, or been refused; none where nothing waited.

    For a sibling: from its end to that of the last cause of the same effect, or of the task that kept LangGraph's step
    from ending; of several effects that of the earliest. For a person: to the start of the task that resumes it. For
    a rate limit: to the next attempt, where the error of the one before says that a limit refused it.
    """
    found: dict[str, Waits] = defaultdict(Waits)
    ends = dict(zip((span.span_id for span in timing.spans), timing.graph.ends, strict=True))
    spans = {span.span_id: span for span in timing.spans}
    causes: dict[str, list[Edge]] = defaultdict(list)
    for edge in timing.graph.control_edges():
        kind, after = edge.kind, spans[edge.effect].start_ns - ends[edge.cause]
        if kind == LinkKind.RESUME:
            found[edge.cause].input += max(0, after)
        elif kind == LinkKind.RETRY:
            if _refused(spans[edge.cause], spans):
                found[edge.cause].rate_limit += max(0, after)
        else:
            causes[edge.effect].append(edge)
    for cause, until in _released(timing, causes, spans, ends).items():
        found[cause].sibling += max(0, until - ends[cause])
    return dict(found)


def _released(
    timing: Timing, causes: dict[str, list[Edge]], spans: dict[str, Span], ends: dict[str, int]
) -> dict[str, int]:
    """For each cause, when the last of the siblings had ended that its first effect needed as well."""
    first: dict[str, tuple[int, int]] = {}
    for effect, edges in causes.items():
        start = spans[effect].start_ns
        until = max(ends[edge.cause] for edge in edges)
        holder = timing.graph.held_by(effect) if until < start else None
        if holder is not None:
            until = max(until, ends[holder.span_id])
        for edge in edges:
            first[edge.cause] = min(first.get(edge.cause, (start, until)), (start, min(start, until)))
    return {cause: until for cause, (_, until) in first.items()}


def _refused(attempt: Span, spans: dict[str, Span]) -> bool:
    """Whether the error of an attempt, or of the span inside of it where it happened, tells of a rate limit."""
    _, _, origin = str(attempt.get(names.MAS_ERROR_SPAN) or "").partition("-")
    for span in (attempt, spans.get(origin)):
        if span is not None and _RATE_LIMIT.search(str(span.get(names.ERROR_TYPE) or "")):
            return True
    return False


__all__ = ["Waits", "waits"]
