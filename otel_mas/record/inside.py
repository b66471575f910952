"""The mark that code runs inside something recorded: whatever it starts is to run inside of it as well."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from opentelemetry import context as otel_context
from opentelemetry import trace
from opentelemetry.context import Context

if TYPE_CHECKING:
    from contextvars import Token

    from opentelemetry.trace import Span

INSIDE: Final = otel_context.create_key("otel-mas-inside")
"""A key of the OTel context, set to the innermost span of ours in which this code runs."""

# Under which the API keeps the current span: a context with all of it is made in one step.
(SPAN,) = trace.set_span_in_context(trace.INVALID_SPAN, Context())


def inside(span: Span) -> Context:
    """The context for the app's code that runs inside `span`."""
    return Context({**otel_context.get_current(), SPAN: span, INSIDE: span})


def restore(token: Token[Context] | None) -> None:
    """Restore the context that was current before `token`, where that is possible.

    A stream that is abandoned, or a coroutine that is thrown away, is closed by whoever comes: in another context than
    it ran in, where there is nothing to restore. OpenTelemetry's own `detach` logs an error there.
    """
    try:
        if token is not None:
            token.var.reset(token)
    except ValueError:
        pass


__all__ = ["INSIDE", "SPAN", "inside", "restore"]
