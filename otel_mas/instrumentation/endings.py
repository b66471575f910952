"""How something ended that was left by an exception: by failure, by control, or by being cancelled."""

from __future__ import annotations

from typing import TYPE_CHECKING

from otel_mas.record import error_type, is_a, recorder
from otel_mas.semconv import attributes as names

if TYPE_CHECKING:
    from opentelemetry.trace import Span


def is_control(error: BaseException) -> bool:
    """Whether the exception is how LangGraph pauses or hands over: control, not failure."""
    return is_a(error, "GraphBubbleUp")


def is_cancelled(error: BaseException) -> bool:
    """Whether the exception is a cancellation, asyncio's or a future's."""
    return is_a(error, "CancelledError")


def cancelled(span: Span, error: BaseException) -> bool:
    """Whether the exception is a cancellation. The span then says so in `error.type`; its status stays unset."""
    if not is_cancelled(error):
        return False
    span.set_attribute(names.ERROR_TYPE, error_type(error))
    return True


def left_by(span: Span, error: BaseException) -> None:
    """Record that `error` left what the span stands for."""
    if is_a(error, "GeneratorExit") or is_control(error) or cancelled(span, error):
        return
    recorder().record_exception(span, error)


__all__ = ["cancelled", "is_cancelled", "is_control", "left_by"]
