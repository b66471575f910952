"""OTel contexts for code that runs inside a recorded span."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from opentelemetry import context as otel_context
from opentelemetry import trace
from opentelemetry.context import Context

if TYPE_CHECKING:
    from contextvars import Token

    from opentelemetry.trace import Span

SUPPRESSED: Final = "suppress_instrumentation"
"""The API's own key of a context in which nothing is to be recorded: our own requests, and judges."""
RECORDED_SPAN_KEY: Final = otel_context.create_key("otel-mas-recorded-span")
"""A key of the OTel context: the innermost span of ours around the code, whatever span is current."""

# The API's key of the current span: with it a context is made in one step.
(SPAN_KEY,) = trace.set_span_in_context(trace.INVALID_SPAN, Context())


def recording_context(span: Span) -> Context:
    """The context for the app's code inside `span`."""
    return Context({**otel_context.get_current(), SPAN_KEY: span, RECORDED_SPAN_KEY: span})


def restore_context(token: Token[Context] | None) -> None:
    """Restore the context that was current before `token`, where that is possible.

    An abandoned stream or coroutine is closed in another context than it ran in, where there is nothing to restore and
    OpenTelemetry's own `detach` would log an error.
    """
    try:
        if token is not None:
            token.var.reset(token)
    except ValueError:
        pass


__all__ = ["RECORDED_SPAN_KEY", "SPAN_KEY", "recording_context", "restore_context"]
