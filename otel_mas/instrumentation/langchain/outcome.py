"""How something of LangChain's ended, when it ended by an exception."""

from __future__ import annotations

from typing import TYPE_CHECKING

from otel_mas.record import recorder
from otel_mas.semconv import attributes as names

if TYPE_CHECKING:
    from opentelemetry.trace import Span

# LangGraph's exceptions that carry control, not failure: interrupts, handoffs. By name, since importing LangGraph is
# the app's decision.
_CONTROL = frozenset({"GraphBubbleUp", "GraphInterrupt", "NodeInterrupt", "ParentCommand"})


def is_control(error: BaseException) -> bool:
    """Whether the exception is how LangGraph pauses or hands over."""
    return any(kind.__name__ in _CONTROL for kind in type(error).__mro__)


def is_cancelled(error: BaseException) -> bool:
    """Whether the exception is a cancellation, asyncio's or a future's."""
    return any(kind.__name__ == "CancelledError" for kind in type(error).__mro__)


def cancelled(span: Span, error: BaseException) -> bool:
    """Whether the exception is a cancellation. The span then says so in `error.type`; its status stays unset."""
    if not is_cancelled(error):
        return False
    kind = type(error)
    span.set_attribute(names.ERROR_TYPE, f"{kind.__module__}.{kind.__qualname__}")
    return True


def left_by(span: Span, error: BaseException) -> None:
    """Record that `error` left what the span stands for."""
    if isinstance(error, GeneratorExit) or is_control(error) or cancelled(span, error):
        return
    recorder().fail(span, error)


__all__ = ["cancelled", "is_cancelled", "is_control", "left_by"]
