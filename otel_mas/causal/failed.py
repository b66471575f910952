"""Whether a span failed, by itself or because something inside of it did."""

from __future__ import annotations

from collections.abc import Callable

from otel_mas.model import AttributeValue, Span, SpanTable, StatusCode
from otel_mas.semconv import RunOutcome, TaskOutcome
from otel_mas.semconv import attributes as names

_SAID = (names.MAS_ERROR_SPAN, names.MAS_TASK_OUTCOME, names.MAS_RUN_OUTCOME)


def failed(span: Span) -> bool:
    """Whether an error happened in a span or passed through it: only where it happened is the status ERROR."""
    return _failed(span.status, span.columns.get)


def failed_in(spans: SpanTable) -> Callable[[int], bool]:
    """The same of the spans of a table by their numbers."""
    columns = {
        name: spans.column(name) for name in (names.MAS_ERROR_SPAN, names.MAS_TASK_OUTCOME, names.MAS_RUN_OUTCOME)
    }
    return lambda number: _failed(spans.statuses[number], lambda name: columns[name][number])


def _failed(status: int, value: Callable[[str], AttributeValue]) -> bool:
    return (
        status == StatusCode.ERROR
        or bool(value(names.MAS_ERROR_SPAN))
        or value(names.MAS_TASK_OUTCOME) == TaskOutcome.ERROR
        or value(names.MAS_RUN_OUTCOME) == RunOutcome.ERROR
    )
