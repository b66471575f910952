"""Failure of a span: by itself, or by an error that passed through it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from otel_mas.model import AttributeValue, Span, SpanTable, StatusCode
from otel_mas.semconv import RunOutcome, TaskOutcome
from otel_mas.semconv import attributes as names


def failed(span: Span) -> bool:
    """Whether an error happened in a span or passed through it: only where it happened is the status ERROR."""
    return _failed(span.status, span.columns.get)


def failed_in(spans: SpanTable, number: int) -> bool:
    """The same of the span that has this number in a table."""
    return _failed(spans.statuses[number], partial(spans.value, number))


def _failed(status: int, value: Callable[[str], AttributeValue]) -> bool:
    return (
        status == StatusCode.ERROR
        or bool(value(names.MAS_ERROR_SPAN))
        or value(names.MAS_TASK_OUTCOME) == TaskOutcome.ERROR
        or value(names.MAS_RUN_OUTCOME) == RunOutcome.ERROR
    )
