"""What of a run needs somebody's attention: where errors happened, and which tasks wait for a human."""

from __future__ import annotations

from collections.abc import Sequence

from otel_mas.model import Span, StatusCode
from otel_mas.semconv import attributes as names
from otel_mas.semconv.enums import TaskOutcome


def failures(spans: Sequence[Span]) -> list[Span]:
    """The spans in which errors happened, without those that errors only passed through."""
    failed = [span for span in spans if span.status == StatusCode.ERROR]
    above = {(span.trace_id, span.parent_span_id) for span in failed}
    return [
        span
        for span in failed
        if not span.columns.get(names.MAS_ERROR_SPAN) and (span.trace_id, span.span_id) not in above
    ]


def waiting(spans: Sequence[Span]) -> list[Span]:
    """The paused tasks that nothing has resumed: the last span of their task is the one that paused.

    Of tasks around a paused one, which pause with it, only the innermost is told.
    """
    last = {span.task_id: span for span in spans if span.task_id is not None}
    paused = [span for span in last.values() if span.columns.get(names.MAS_TASK_OUTCOME) == TaskOutcome.INTERRUPTED]
    above = {(span.trace_id, span.parent_span_id) for span in paused}
    by_id = {(span.trace_id, span.span_id): span for span in spans}
    around = set()
    for trace_id, parent in above:
        while parent is not None and (trace_id, parent) not in around:
            around.add((trace_id, parent))
            enclosing = by_id.get((trace_id, parent))
            parent = enclosing.parent_span_id if enclosing is not None else None
    return [span for span in paused if (span.trace_id, span.span_id) not in around]
