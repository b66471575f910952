"""Span processor that queues the spans of any tracer provider."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from threading import get_ident
from typing import TYPE_CHECKING, Any, Protocol

from opentelemetry.context import get_current

from otel_mas.record.correlation import correlation_of
from otel_mas.record.functions import encoded
from otel_mas.record.guard import caught
from otel_mas.record.pipeline.queue import SpanQueue
from otel_mas.record.sdk import message_spans
from otel_mas.record.sdk.lazy_span import LazySpan
from otel_mas.semconv import attributes as names

if TYPE_CHECKING:
    from types import FrameType

    from opentelemetry.context import Context
    from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor

    from otel_mas.record.pipeline.span_data import SpanData
else:
    # Registered before the app has imported the SDK, which we do not load for it. A test compares this class with the
    # SDK's, method by method.
    SpanProcessor = object

SCOPE = "otel_mas"
"""The instrumentation scope of our own spans."""

_ITEM_BYTES = 64
_NUMBERS = frozenset({int, bool, float})


class ForeignSpans(Protocol):
    """Selects and completes some of the spans of other instrumentation."""

    def started(self, span: Any) -> None:
        """Note a span that starts, on the thread and in the context in which it does."""

    def enrich(self, span: SpanData) -> None:
        """Complete an ended span; an `Enricher`."""

    def finished(self) -> None:
        """End: recording stops in this process."""


class RecordingProcessor(SpanProcessor):
    """Queues spans as they start and end. One serves any number of providers, and outlives their shutdown.

    Args:
        queue: takes the spans.
        flush: writes all that waits, within so many seconds; returns whether it did.
        foreign_spans: is called with every span that starts.
    """

    def __init__(
        self, queue: SpanQueue, flush: Callable[[float], bool], foreign_spans: ForeignSpans | None = None
    ) -> None:
        self.queue = queue
        self._foreign_spans = foreign_spans
        self._flush = flush
        self.writer_thread = 0  # traces of the writer's own SQLite calls must not feed the writer
        self.forked_ns = 0  # spans that started before belong to the parent process, which records them

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        queue = self.queue
        if queue.closed or (get_ident() == self.writer_thread and _is_of_store(span)):
            return
        try:
            queue.start(span.context, span)
            found = (parent_context and correlation_of(parent_context)) or correlation_of(get_current())
            if found:
                _correlate(span, found)
            if span.kind in message_spans.KINDS and not _is_ours(span):
                message_spans.describe(span, queue)
            if self._foreign_spans is not None:
                self._foreign_spans.started(span)
        except Exception as error:
            caught("processor: on_start", error)

    def _on_ending(self, span: Span) -> None:
        """Called by the SDK when a span has ended, before any processor gets it: adds the counters of its functions."""
        functions = getattr(span, "functions", None)
        if not functions or isinstance(span, LazySpan):
            return
        try:
            # Not by `set_attribute`, which an ended span refuses.
            span._attributes._dict[names.MAS_FUNCTIONS] = encoded(functions)  # type: ignore[union-attr]
        except Exception as error:
            caught("processor: functions", error)

    def on_end(self, span: ReadableSpan) -> None:
        queue = self.queue
        if queue.closed and queue.drop_reason is None:
            return
        try:
            context = span.context
            if get_ident() == self.writer_thread and not queue.is_open(context):
                return
            if self.forked_ns and (span.start_time or 0) < self.forked_ns and not queue.is_open(context):
                return
            queue.end(context, span, _weight(span))
        except Exception as error:
            caught("processor: on_end", error)

    def shutdown(self) -> None:
        """Write what waits: one provider of possibly several is done."""
        self.force_flush()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        try:
            return self._flush(timeout_millis / 1000)
        except Exception as error:
            caught("processor: force_flush", error)
            return False


def _correlate(span: Span, found: Mapping[str, str]) -> None:
    known = span.attributes or {}
    span.set_attributes({name: value for name, value in found.items() if name not in known})


def _is_of_store(span: ReadableSpan) -> bool:
    """Whether a span that starts on the writer's thread is one of the store's own calls, not of an app's finalizer."""
    if _is_ours(span) or isinstance(sys.exception(), GeneratorExit):
        return False
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and frame.f_code.co_name != "__del__" and frame.f_globals.get("__name__") != "weakref":
        frame = frame.f_back
    return frame is None


def _is_ours(span: ReadableSpan) -> bool:
    scope = span.instrumentation_scope
    return scope is not None and scope.name == SCOPE


def _weight(span: Any) -> int:
    """About how many bytes a span's texts keep alive. Most of on_end's time: so it reads the SDK's own containers."""
    total = 0
    try:
        for value in span._attributes._dict.values():
            kind = type(value)
            if kind is str:
                total += len(value)
            elif kind is tuple:
                total += len("".join(value)) + _ITEM_BYTES * len(value)
            elif kind not in _NUMBERS:
                total += _value_weight(value)
        if not span._events._dq:
            return total
    except (AttributeError, TypeError):  # other containers, or an array of something else than text
        total = _attributes_weight(span.attributes)
    return total + sum(_attributes_weight(event.attributes) for event in span.events)


def _attributes_weight(attributes: Any) -> int:
    return _ITEM_BYTES + sum(map(_value_weight, attributes.values())) if attributes else _ITEM_BYTES


def _value_weight(value: Any) -> int:
    if isinstance(value, str | bytes):
        return len(value) + _ITEM_BYTES
    if isinstance(value, tuple | list):
        return sum(map(_value_weight, value)) + _ITEM_BYTES
    if isinstance(value, dict):
        return sum(map(_value_weight, value.values())) + _ITEM_BYTES * len(value)
    return _ITEM_BYTES


__all__ = ["SCOPE", "ForeignSpans", "RecordingProcessor"]
