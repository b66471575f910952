"""The mark that code runs inside something recorded: whatever it starts is to run inside of it as well."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from opentelemetry import context as otel_context
from opentelemetry import trace
from opentelemetry.context import Context

if TYPE_CHECKING:
    from opentelemetry.trace import Span

INSIDE: Final = otel_context.create_key("otel-mas-inside")
"""A key of the OTel context, set to the innermost span of ours in which this code runs."""

# Under which the API keeps the current span: a context with all of it is made in one step.
(SPAN,) = trace.set_span_in_context(trace.INVALID_SPAN, Context())


def inside(span: Span) -> Context:
    """The context for the app's code that runs inside `span`."""
    return Context({**otel_context.get_current(), SPAN: span, INSIDE: span})


__all__ = ["INSIDE", "SPAN", "inside"]
