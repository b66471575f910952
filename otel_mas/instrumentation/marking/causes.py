"""What the app names as the cause of something: a mark, a span, or the carrier of a message."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Union

from opentelemetry.trace import Span, SpanContext, TraceFlags, get_current_span, set_span_in_context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from otel_mas.record import Cause
from otel_mas.semconv.enums import LinkKind

if TYPE_CHECKING:
    from opentelemetry.context import Context

    from otel_mas.instrumentation.marking.mark import Mark

Carrier = Mapping[str, str]
One = Union["Mark", Span, SpanContext, Carrier]
CausedBy = One | Iterable[One] | None
"""A mark (the handle of a `with`), an OpenTelemetry span, what `send` returned, or several of these."""

# In a carrier, beside `traceparent`: names that can be HTTP headers.
SENDER = "mas-message-sender"
IDENTITY = "mas-message-id"
DIGEST = "mas-message-digest"

_W3C = TraceContextTextMapPropagator()


def causes_of(caused_by: CausedBy) -> list[Cause]:
    """The causes to link to. What was never recorded is no cause.

    A mark or a span is a `trigger`. A message that was sent is a `send`, from the task that sent it.
    """
    return [] if caused_by is None else [cause for one in _each(caused_by) for cause in _cause(one)]


def _each(caused_by: CausedBy) -> Iterator[One]:
    # A span context is a tuple.
    if isinstance(caused_by, Mapping | SpanContext | Span) or not isinstance(caused_by, Iterable):
        yield caused_by  # type: ignore[misc]
    else:
        yield from caused_by


def _cause(one: One) -> Iterator[Cause]:
    kind = LinkKind.TRIGGER
    if isinstance(one, SpanContext):
        context: SpanContext | None = one
    elif isinstance(one, Span):
        context = one.get_span_context()
    elif isinstance(one, Mapping):
        context, kind = sender(one) or sending(one), LinkKind.SEND
    else:
        context = one.span.get_span_context()
    if context is not None and context.is_valid:
        yield Cause(context, kind)


def sending(carrier: Carrier) -> SpanContext | None:
    """The SEND span that a carrier comes from."""
    context = get_current_span(_W3C.extract(carrier)).get_span_context()
    return context if carrier.get("traceparent") and context.is_valid else None


def sender(carrier: Carrier) -> SpanContext | None:
    """The task that sent what a carrier comes with."""
    trace_id, _, span_id = carrier.get(SENDER, "").partition("-")
    try:
        return SpanContext(int(trace_id, 16), int(span_id, 16), is_remote=True, trace_flags=TraceFlags(1))
    except ValueError:
        return None


def carry(span: Span, carrier: dict[str, str]) -> None:
    """Write a span's W3C context into a carrier."""
    _W3C.inject(carrier, set_span_in_context(span))


def continued(caused_by: CausedBy) -> Context | None:
    """Where to start what nothing encloses here: in the trace of the message that caused it."""
    if caused_by is None or get_current_span().get_span_context().is_valid:
        return None
    carriers = (one for one in _each(caused_by) if isinstance(one, Mapping) and sending(one) is not None)
    found = next(carriers, None)
    return None if found is None else _W3C.extract(found)


__all__ = ["DIGEST", "IDENTITY", "SENDER", "Carrier", "CausedBy", "carry", "causes_of", "continued", "sending"]
