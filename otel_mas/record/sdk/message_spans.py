"""Spans of other instrumentation for messages in queues, recorded as SEND and RECEIVE.

OpenTelemetry's instrumentation of a queue's client starts a producer span for a message, puts its ids into the headers,
and starts a consumer span where the message arrives, under the producer span or linked to it. From the kinds and the
ids alone follows who received from whom: the library does not matter.
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Final

from opentelemetry.trace import SpanKind, get_current_span

from otel_mas.record.cause import Cause, cause_attributes
from otel_mas.semconv import attributes as names
from otel_mas.semconv.enums import LinkKind, RecordKind

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import Span
    from opentelemetry.trace import SpanContext

    from otel_mas.record.pipeline.queue import SpanQueue

KINDS = frozenset({SpanKind.PRODUCER, SpanKind.CONSUMER})
"""The span kinds of messages."""

_PULLING: Final = frozenset({"opentelemetry.instrumentation.kafka", "opentelemetry.instrumentation.aiokafka"})
"""Instrumentation whose consumer spans end before the app has the message."""

_MOST_PULLED: Final = 128

_pulled: ContextVar[tuple[SpanContext, ...]] = ContextVar("otel-mas-pulled", default=())
"""RECEIVEs of the messages that this thread or asyncio task has pulled last."""


def pulled() -> tuple[SpanContext, ...]:
    """The RECEIVEs of what this thread or asyncio task pulled last out of a queue; none inside of any span.

    The app has several messages only if it asked for a batch.
    """
    found = _pulled.get()
    return () if found and get_current_span().get_span_context().is_valid else found


def describe(span: Span, queue: SpanQueue) -> None:
    """Say of a producer or consumer span that starts, and that is in the queue, which message it is about.

    The id of a message is that of its producer span. A consumer span without a producer is left alone.
    """
    if span.kind is SpanKind.PRODUCER:
        _set(span, RecordKind.SEND, {names.MAS_MESSAGE_ID: f"{span.context.span_id:016x}"})
        return
    causes = tuple(_causes(span))
    if span.instrumentation_scope is not None and span.instrumentation_scope.name in _PULLING:
        _note_pulled(span, bool(causes))
    if causes:
        found: dict[str, Any] = dict(cause_attributes(causes))
        if len(causes) == 1:
            found[names.MAS_MESSAGE_ID] = f"{causes[0].context.span_id:016x}"
        _set(span, RecordKind.RECEIVE, found)
        queue.keep_causes(span.context, causes)


def _note_pulled(span: Span, is_receipt: bool) -> None:
    """Remember what the app will have when the poll has ended; the spans of a batch are inside the span of the poll."""
    around = get_current_span()
    if getattr(around, "kind", None) is SpanKind.CONSUMER:
        if is_receipt and len(_pulled.get()) < _MOST_PULLED:
            _pulled.set((*_pulled.get(), span.context))
    else:
        _pulled.set((span.context,) if is_receipt else ())


def _causes(span: Span) -> list[Cause]:
    """The producer spans: those linked, as of a batch, else the parent of another process."""
    linked = [link.context for link in span.links or () if link.context.is_valid]
    parent = span.parent
    if not linked and parent is not None and parent.is_remote:
        linked = [parent]
    return [Cause(context, LinkKind.MESSAGE) for context in {context[:2]: context for context in linked}.values()]


def _set(span: Span, kind: RecordKind, attributes: dict[str, Any]) -> None:
    span.set_attributes({names.MAS_RECORD_KIND: kind.value, **attributes})


__all__ = ["KINDS", "describe", "pulled"]
