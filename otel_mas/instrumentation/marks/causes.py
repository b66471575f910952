"""Causes that the app names: a mark, a span, or the carrier of a message."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Protocol

from opentelemetry.trace import NonRecordingSpan, Span, SpanContext, TraceFlags, get_current_span, set_span_in_context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from otel_mas.record import Cause
from otel_mas.semconv.enums import LinkKind

if TYPE_CHECKING:
    from opentelemetry.context import Context


class HasSpan(Protocol):
    """The part of a mark that a cause needs."""

    span: Span


Carrier = Mapping[str, str]
CauseLike = HasSpan | Span | SpanContext | Carrier
CausedBy = CauseLike | Iterable[CauseLike] | None
"""A mark (the handle of a `with`), an OpenTelemetry span, the result of `send`, or several of these."""

# Keys of a carrier in addition to `traceparent`: names that can be HTTP headers.
SENDER = "mas-message-sender"
PARENT = "mas-message-around"
IDENTITY = "mas-message-id"
DIGEST = "mas-message-digest"

_W3C = TraceContextTextMapPropagator()


def causes_of(caused_by: CausedBy) -> list[Cause]:
    """The causes to link to. Things that were never recorded are no causes.

    A mark or a span is a `trigger`. A message that was sent is a `send`, from the task that sent it.
    """
    return [] if caused_by is None else [cause for one in _each(caused_by) for cause in _cause(one)]


def _each(caused_by: CausedBy) -> Iterator[CauseLike]:
    # A span context is a tuple.
    if isinstance(caused_by, Mapping | SpanContext | Span) or not isinstance(caused_by, Iterable):
        yield caused_by  # type: ignore[misc]
    else:
        yield from caused_by


def _cause(one: CauseLike) -> Iterator[Cause]:
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
    """Write the origin into a carrier: the SEND span, the task that sent it, and the span around that."""
    _W3C.inject(carrier, set_span_in_context(span))
    parent: SpanContext | None = getattr(span if task is None else task, "parent", None)
    for key, context in ((SENDER, None if task is None else task.get_span_context()), (PARENT, parent)):
        if context is not None and context.is_valid:
            carrier[key] = f"{context.trace_id:032x}-{context.span_id:016x}"


def sender_context(caused_by: CausedBy) -> Context | None:
    """Parent context for a span without one here: that of the task that sent the message which caused it."""
    if caused_by is None or get_current_span().get_span_context().is_valid:
        return None
    carriers = (one for one in _each(caused_by) if isinstance(one, Mapping))
    parent = next((context for one in carriers if (context := _named(one, PARENT)) is not None), None)
    return None if parent is None else set_span_in_context(NonRecordingSpan(parent))


__all__ = ["DIGEST", "IDENTITY", "Carrier", "CausedBy", "HasSpan", "carry", "causes_of", "sender_context", "sending"]
