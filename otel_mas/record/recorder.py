"""The recorder: what instrumentation calls to record spans, causes, messages and content."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from opentelemetry.attributes import BoundedAttributes
from opentelemetry.context import Context
from opentelemetry.trace import INVALID_SPAN, Link, Span, SpanKind, StatusCode, set_span_in_context

from otel_mas.config import Settings
from otel_mas.record.cause import Cause, cause_attributes
from otel_mas.record.content.messages import MAX_MESSAGES
from otel_mas.record.content.snapshot import json_snapshot, snapshot
from otel_mas.record.content.state import AT_ONCE, MessageList, bounded_copy
from otel_mas.record.correlation import correlate
from otel_mas.record.event_loop import watch_loop
from otel_mas.record.failure import describe, error_fields, error_type, mark_origin, origin
from otel_mas.record.guard import caught
from otel_mas.record.pipeline.queue import CHANGE_BYTES
from otel_mas.record.sdk.lazy_span import MESSAGE_REF_BYTES, LazySpan, interned
from otel_mas.record.source_lines import source_lines
from otel_mas.semconv import attributes as names

if TYPE_CHECKING:
    from opentelemetry.trace import SpanContext, Tracer

    from otel_mas.record.content.messages import MessageAdapter, MessageDigests
    from otel_mas.record.event_loop import LoopWatch
    from otel_mas.record.pipeline.queue import SpanQueue

_OMITTED = {"input": names.MAS_INPUT_OMITTED_MESSAGES, "output": names.MAS_OUTPUT_OMITTED_MESSAGES}
_DIRECTIONS = {"input": (0, names.MAS_INPUT_MESSAGES), "output": (1, names.MAS_OUTPUT_MESSAGES)}


class Recorder:
    """Writes into the process's recording. Never raises; does nothing while recording is off."""

    __slots__ = ("_digests", "_queue", "_tracer", "active", "settings")

    def __init__(self) -> None:
        self.active = False
        self.settings = Settings()
        self._queue: SpanQueue | None = None
        self._digests: MessageDigests | None = None
        self._tracer: Callable[[], Tracer] | None = None

    def connect(
        self, settings: Settings, queue: SpanQueue, digests: MessageDigests, tracer: Callable[[], Tracer]
    ) -> None:
        """Turn on: spans are started with whatever tracer `tracer` returns at the time."""
        self.settings, self._queue, self._digests, self._tracer = settings, queue, digests, tracer
        self.active = True

    def disconnect(self) -> None:
        """Turn off; spans that are open end without their content."""
        self.active = False
        self._queue = self._digests = self._tracer = None

    def start_span(
        self,
        name: str,
        attributes: Mapping[str, Any],
        *,
        causes: Sequence[Cause] = (),
        parent: Context | Span | None = None,
        kind: SpanKind = SpanKind.INTERNAL,
        start_time: int | None = None,
    ) -> Span:
        """Start a span, because of `causes`.

        Args:
            name: the span's name.
            attributes: owned by the recorder from now on. Arrays are tuples.
            causes: each becomes a link with its kind. All of them are stored, however many.
            parent: the OTel context to start in, or the span to start under; the current one by default.
            kind: the OTel span kind.
            start_time: nanoseconds since the Unix epoch; now by default.
        """
        tracer = self._tracer
        if tracer is None:
            return INVALID_SPAN
        try:
            correlate(attributes, parent if isinstance(parent, Context) else None)
            source = tracer()
            given = tuple(causes) if causes else ()
            start_lazy = getattr(source, "start", None)
            if start_lazy is not None:
                span: Span | None = start_lazy(name, parent, kind, attributes, given, start_time)
                if span is not None:
                    return span
            if isinstance(parent, Span):
                parent = set_span_in_context(parent)
            return self._start_span(source, name, attributes, given, parent, kind, start_time)
        except Exception as error:
            caught("recorder: start_span", error)
            return INVALID_SPAN

    def _start_span(
        self,
        tracer: Tracer,
        name: str,
        attributes: Mapping[str, Any],
        causes: tuple[Cause, ...],
        parent: Context | None,
        kind: SpanKind,
        start_time: int | None,
    ) -> Span:
        """Start a span by the app's provider."""
        if not causes:
            return tracer.start_span(name, parent, kind, attributes, None, start_time, False, False)
        attributes = {**attributes, **cause_attributes(causes)}
        links = [Link(context, {names.MAS_LINK_KIND: link_kind}) for context, link_kind in causes]
        span = tracer.start_span(name, parent, kind, attributes, links, start_time, False, False)
        if self._queue is not None:
            self._queue.keep_causes(span.get_span_context(), causes)
        return span

    def watch_loop(self) -> LoopWatch | None:
        """Watch the event loop that runs this code, until `end_watch`; None where none does, or that is off."""
        try:
            return watch_loop() if self.settings.event_loop_lag else None
        except Exception as error:
            caught("recorder: watch_loop", error)
            return None

    def end_watch(self, watch: LoopWatch | None, span: Span) -> None:
        """Record on a span for how long its event loop was blocked, where it was."""
        if watch is None:
            return
        try:
            lag = watch.end()
            if lag:
                self.set_attributes(span, lag)
        except Exception as error:
            caught("recorder: end_watch", error)

    def add_causes(self, span: Span, causes: Sequence[Cause]) -> None:
        """Add causes that became known while the span was open."""
        try:
            queue = self._queue
            if not causes or queue is None or not span.is_recording():
                return
            if isinstance(span, LazySpan) and not span.materialized:
                span.causes = (*span.causes, *causes)
                return
            context = span.get_span_context()
            known = (*(span.causes if isinstance(span, LazySpan) else queue.causes(context)), *causes)
            for cause, kind in causes:
                span.add_link(cause, {names.MAS_LINK_KIND: kind})
            self.set_attributes(span, cause_attributes(known))
            if isinstance(span, LazySpan):
                span.causes = known
            queue.keep_causes(context, known)
        except Exception as error:
            caught("recorder: add_causes", error)

    def set_attributes(self, span: Span, attributes: Mapping[str, Any]) -> None:
        """Add attributes to a span. Arrays are tuples."""
        try:
            if isinstance(span, LazySpan):
                span.set_own_attributes(attributes)
            else:
                span.set_attributes(attributes)
        except Exception as error:
            caught("recorder: set_attributes", error)

    def record_exception(self, span: Span, exc: BaseException) -> None:
        """Record that `exc` left what the span stands for.

        If a descendant has recorded it already, the span only names that one (`mas.error.span`): an error
        is an error once. Message and stack go to the store as content, and onto the span only if
        OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT asks for content on spans.
        """
        try:
            if span.is_recording():
                self._record_exception(span, exc)
        except Exception as error:
            caught("recorder: record_exception", error)

    def _record_exception(self, span: Span, exc: BaseException) -> None:
        descendant = origin(exc, span)
        if descendant is not None:
            span.set_attribute(names.MAS_ERROR_SPAN, descendant)
            return
        kind = error_type(exc)
        span.set_attribute(names.ERROR_TYPE, kind)
        span.set_status(StatusCode.ERROR)
        mark_origin(exc, span)
        event: dict[str, str] = {names.EXCEPTION_TYPE: kind}
        on_span = self.settings.content_may_leave
        if on_span or self.settings.content != "none":
            message, stack = describe(exc)
            self.content(span, names.EXCEPTION_MESSAGE, message)
            self.content(span, names.EXCEPTION_STACKTRACE, stack)
            self.json_content(span, names.MAS_ERROR_FIELDS, error_fields(exc))
            lines = source_lines(exc)
            if lines:
                self.content(span, names.MAS_ERROR_SOURCE, lines)
            if on_span:
                event |= {names.EXCEPTION_MESSAGE: message, names.EXCEPTION_STACKTRACE: stack}
        span.add_event("exception", event)

    def mark_error_origin(self, exc: BaseException, span: Span) -> None:
        """Mark `span` as where `exc` comes from, though it was recorded as failed before `exc` was at hand."""
        mark_origin(exc, span)

    def content(self, span: Span, name: str, value: Any, tool: str = "") -> None:
        """Store content with the span but not on it: copied now, redacted and written by the writer's thread.

        Args:
            span: the span.
            name: of the content.
            value: any object.
            tool: the tool whose arguments it is, for rules by path.
        """
        queue = self._queue
        if queue is None or self.settings.content == "none":
            return
        try:
            if span.is_recording():
                queue.add_content(span.get_span_context(), name, *snapshot(value), tool)
        except Exception as error:
            caught("recorder: content", error)

    def json_content(self, span: Span, name: str, value: Any) -> None:
        """Store content as `content`, of a value that mostly is plain already: its copy, as JSON, takes little."""
        queue = self._queue
        if queue is None or not value or self.settings.content == "none":
            return
        try:
            if span.is_recording():
                queue.add_content(span.get_span_context(), name, *json_snapshot(value))
        except Exception as error:
            caught("recorder: content", error)

    def messages(
        self,
        span: Span,
        direction: Literal["input", "output"],
        messages: Sequence[Any],
        adapter: MessageAdapter,
        *,
        again: bool = True,
    ) -> tuple[str, ...]:
        """Record the messages that the span consumed or produced, by digest; each one's content is stored once.

        Args:
            span: the span.
            direction: "input" for consumed messages.
            messages: the framework's objects; of more than `MAX_MESSAGES` only the newest are read.
            adapter: reads them.
            again: whether the same objects are likely to come again.

        Returns:
            The digests of the newest messages, as on the span; empty where nothing is recorded.
        """
        digests = self._digests
        if digests is None or not messages:
            return ()
        try:
            if not span.is_recording():
                return ()
            number, attribute = _DIRECTIONS[direction]
            context = span.get_span_context()
            omitted = len(messages) - MAX_MESSAGES
            if omitted > 0:
                messages = messages[omitted:]
                self.set_attributes(span, {_OMITTED[direction]: omitted})
            found = digests.digests(context, messages, adapter, remember=again)
            if isinstance(span, LazySpan):  # the writer finds them there
                span.own_attributes[attribute] = found
                span.size += MESSAGE_REF_BYTES * len(found)
            elif (queue := self._queue) is not None:
                _set_texts(span, attribute, found)
                queue.add_messages(context[:2], number, found)
            return found
        except Exception as error:
            caught("recorder: messages", error)
            return ()

    def state(
        self, span: Span, changed: Mapping[str, Any], adapter: MessageAdapter | None = None, *, ends: bool = False
    ) -> None:
        """Record what an open span changed in a state: names and digests as attributes, each value stored once.

        Costs a microsecond or two for a few small values: large ones are not read here, and digests are made on the
        writer's thread, so that only the store and what is shipped from it have them.

        Args:
            span: the span.
            changed: name → value as written. Names (of channels or fields) are structure; values are content.
            adapter: reads the messages among the values, which are recorded by their own digests.
            ends: whether the span is about to end, without further changes.
        """
        queue, digests = self._queue, self._digests
        if queue is None or digests is None or not changed:
            return
        try:
            if not span.is_recording():
                return
            context = span.get_span_context()
            values, size = tuple(changed.values()), 0
            if not AT_ONCE.issuperset(map(type, values)):
                values, size = _copied(values, digests, context, adapter)
            written = interned(*changed)
            if ends and isinstance(span, LazySpan):  # the writer finds them there
                span.own_attributes[names.MAS_STATE_CHANGED] = written
                span.changes = written, values
                span.size += size + CHANGE_BYTES * len(written)
                return
            self.set_attributes(span, {names.MAS_STATE_CHANGED: written})
            queue.add_changes(context[:2], written, values, size)
        except Exception as error:
            caught("recorder: state", error)


def _copied(
    values: Iterable[Any], digests: MessageDigests, context: SpanContext, adapter: MessageAdapter | None
) -> tuple[tuple[Any, ...], int]:
    """Copies of the values, which later changes do not reach, and their size in bytes."""

    def known(value: Any) -> MessageList | None:
        messages = value if type(value) is list and value else (value,)
        if adapter is None or len(messages) > MAX_MESSAGES or not all(map(adapter.knows, messages)):
            return None
        return MessageList(digests.digests(context, messages, adapter))

    copies = [bounded_copy(value, known) for value in values]
    return tuple([copied for copied, _ in copies]), sum(size for _, size in copies)


def _set_texts(span: Any, name: str, value: tuple[str, ...]) -> None:
    """`set_attribute` for a tuple of texts without the SDK's check of each: 10 µs for a history of 50."""
    attributes = getattr(span, "_attributes", None)
    if isinstance(attributes, BoundedAttributes) and attributes.max_value_len is None and attributes.maxlen != 0:
        with span._lock:
            if span._end_time is None:
                with attributes._lock:
                    attributes._setitem_locked(name, value)
                return
    span.set_attribute(name, value)


_RECORDER = Recorder()


def recorder() -> Recorder:
    """The process's recorder; always the same object."""
    return _RECORDER


__all__ = ["Recorder", "recorder"]
