"""Whether a span failed, by itself or because something inside of it did."""

from __future__ import annotations

from otel_mas.model import Span, StatusCode
from otel_mas.semconv import RunOutcome, TaskOutcome
from otel_mas.semconv import attributes as names


def failed(span: Span) -> bool:
    """Whether an error happened in a span or passed through it: only where it happened is the status ERROR."""
    columns = span.columns
    return (
        span.status == StatusCode.ERROR
        or bool(columns.get(names.MAS_ERROR_SPAN))
        or columns.get(names.MAS_TASK_OUTCOME) == TaskOutcome.ERROR
        or columns.get(names.MAS_RUN_OUTCOME) == RunOutcome.ERROR
    )
