"""What the app names as the cause of something: a mark, a span, or the carrier of a message."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Union

from opentelemetry.trace import NonRecordingSpan, Span, SpanContext, TraceFlags, get_current_span, set_span_in_context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from otel_mas.record import Cause
from otel_mas.semconv.enums import LinkKind

if TYPE_CHECKING:
    from opentelemetry.context import Context

    from otel_mas.instrumentation.marks.mark import Mark

Carrier = Mapping[str, str]
One = Union["Mark", Span, SpanContext, Carrier]
CausedBy = One | Iterable[One] | None
"""A mark (the handle of a `with`), an OpenTelemetry span, what `send` returned, or several of these."""

# In a carrier, beside `traceparent`: names that can be HTTP headers.
SENDER = "mas-message-sender"
AROUND = "mas-message-around"
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
        context, kind = _named(one, SENDER) or sending(one), LinkKind.SEND
    else:
        context = one.span.get_span_context()
    if context is not None and context.is_valid:
        yield Cause(context, kind)


def sending(carrier: Carrier) -> SpanContext | None:
    """The SEND span that a carrier comes from."""
    context = get_current_span(_W3C.extract(carrier)).get_span_context()
    return context if carrier.get("traceparent") and context.is_valid else None


def _named(carrier: Carrier, key: str) -> SpanContext | None:
    trace_id, _, span_id = carrier.get(key, "").partition("-")
    try:
        return SpanContext(int(trace_id, 16), int(span_id, 16), is_remote=True, trace_flags=TraceFlags(1))
    except ValueError:
        return None


def carry(span: Span, task: Span | None, carrier: dict[str, str]) -> None:
    """Write into a carrier where it comes from: the SEND span, the task that sent it, and what is around that."""
    _W3C.inject(carrier, set_span_in_context(span))
    around: SpanContext | None = getattr(span if task is None else task, "parent", None)
    for key, context in ((SENDER, None if task is None else task.get_span_context()), (AROUND, around)):
        if context is not None and context.is_valid:
            carrier[key] = f"{context.trace_id:032x}-{context.span_id:016x}"


def continued(caused_by: CausedBy) -> Context | None:
    """Where to start what nothing encloses here: beside the task that sent the message which caused it."""
    if caused_by is None or get_current_span().get_span_context().is_valid:
        return None
    carriers = (one for one in _each(caused_by) if isinstance(one, Mapping))
    around = next((context for one in carriers if (context := _named(one, AROUND)) is not None), None)
    return None if around is None else set_span_in_context(NonRecordingSpan(around))


__all__ = ["DIGEST", "IDENTITY", "Carrier", "CausedBy", "carry", "causes_of", "continued", "sending"]
