"""Start spans of ours at a sixth of the cost of an SDK span.

An SDK span costs ten times what its data do in our case: a sampler's known decision, a lock, three bounded containers,
copies of attributes that we made ourselves. `LazySdkSpan` makes these when somebody other than us reads or writes it;
from then on it is an SDK span in every respect, by the SDK's own code.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from threading import Lock
from time import time_ns
from typing import TYPE_CHECKING, Any

from opentelemetry.attributes import BoundedAttributes
from opentelemetry.context import Context, get_current
from opentelemetry.sdk.trace import Span as SdkSpan
from opentelemetry.sdk.trace import Tracer as SdkTracer
from opentelemetry.sdk.trace import sampling
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.sdk.util import BoundedList
from opentelemetry.trace import (
    INVALID_SPAN_CONTEXT,
    Link,
    Span,
    SpanContext,
    SpanKind,
    Status,
    TraceFlags,
    Tracer,
    TraceState,
)

from otel_mas.record.cause import cause_attributes
from otel_mas.record.functions import encoded
from otel_mas.record.guard import caught
from otel_mas.record.pipeline.queue import ATTRIBUTE_BYTES, LINK_BYTES, SPAN_BYTES
from otel_mas.record.pipeline.span_data import SpanData
from otel_mas.record.recording_context import SPAN_KEY
from otel_mas.record.sdk.lazy_span import MESSAGE_ATTRIBUTES, LazySpan
from otel_mas.record.sdk.own_provider import RecordUnsampled
from otel_mas.record.sdk.random_bits import getrandbits
from otel_mas.semconv import attributes as names

if TYPE_CHECKING:
    from otel_mas.record.cause import Cause
    from otel_mas.record.sdk.processor import RecordingProcessor

_MAX_ATTRIBUTES = 128  # the SDK's limit, if none is configured; we set far fewer on a span
_PLAIN = frozenset((str, int, float, bool))  # what the SDK keeps as it is
_LONG = 1024  # characters: such a text of the app's is weighed
_SAMPLED = (1, 3)  # trace flags: sampled; sampled, and the trace id is random. A child's are the same
_SAMPLING_ALL = (sampling.DEFAULT_ON, sampling.ALWAYS_ON)

_new = object.__new__
_tuple = tuple.__new__
_sdk_logger = logging.getLogger("opentelemetry.sdk.trace")


class _Part:
    """A part of a span that is made, and so materializes the span, when it is first read.

    Not a `__getattr__`, which would make every access to any attribute of such a span three times slower.
    """

    def __init__(self, make: Callable[[LazySdkSpan], Any]) -> None:
        self._make = make

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, span: LazySdkSpan | None, owner: type) -> Any:
        if span is None:
            return self
        span.materialized = True
        # In one step: two threads that read it first get the same lock. Later reads find it on the span itself.
        return span.__dict__.setdefault(self._name, self._make(span))


class LazySdkSpan(LazySpan, SdkSpan):
    """A span made by `LazyTracer`."""

    # Set by `LazyTracer.start`: a constructor would cost as much again.
    _tracer: LazyTracer
    _name: str
    _context: SpanContext
    _parent: SpanContext | None
    _start_time: int
    _end_time: int | None
    _open: bool
    # Of the class, since few spans change them.
    _kind = SpanKind.INTERNAL
    _status = Status()
    _trace_config = None
    _record_exception = False
    _set_status_on_exception = False
    _record_end_metrics = None
    # Made when a method of the SDK needs them.
    _lock: Any = _Part(lambda _: Lock())
    _attributes: Any = _Part(lambda span: _attributes(span))
    _events: Any = _Part(lambda span: _events(span))
    _links: Any = _Part(lambda span: _links(span))

    _resource = property(lambda self: self._tracer.sdk.resource)
    _sampler = property(lambda self: self._tracer.sdk.sampler)
    _limits = property(lambda self: self._tracer.sdk._span_limits)
    _span_processor = property(lambda self: self._tracer.processors)
    _instrumentation_info = property(lambda self: self._tracer.sdk.instrumentation_info)
    _instrumentation_scope = property(lambda self: self._tracer.sdk._instrumentation_scope)

    def key(self) -> tuple[int, int]:
        return self._context[:2]

    def data(self) -> SpanData:
        sdk, attributes = self._tracer.sdk, self.own_attributes.copy()  # the app may still set some of an open span
        return SpanData(
            self._context,
            self._parent,
            self._name,
            self._kind,
            self._start_time,
            self._end_time or 0,
            attributes,
            self.causes,
            self._status,
            sdk.resource,
            sdk._instrumentation_scope,
            self.size,
            messages=[(way, found) for way, name in MESSAGE_ATTRIBUTES if (found := attributes.get(name))],
            changes=self.changes,
        )

    def get_span_context(self) -> SpanContext:
        return self._context

    def set_own_attributes(self, attributes: Mapping[str, Any]) -> None:
        if self._end_time is not None:
            return
        own = self.own_attributes
        if not own.keys().isdisjoint(attributes):
            for name in attributes.keys() & own.keys():
                del own[name]  # one that is set again becomes the newest, as in the SDK
        own.update(attributes)

    def set_attribute(self, key: str, value: Any) -> None:
        own = self.own_attributes
        if (
            self.materialized
            or self._end_time is not None
            or value.__class__ not in _PLAIN
            or (value.__class__ is str and len(value) > _LONG)
            or not key
            or key.__class__ is not str
            or len(own) >= _MAX_ATTRIBUTES // 2
        ):
            super().set_attribute(key, value)
            return
        own.pop(key, None)
        own[key] = value

    def end(self, end_time: int | None = None) -> None:
        try:
            del self._open  # in one step: of two threads that end it one goes on
        except AttributeError:
            _sdk_logger.warning("Calling end() on an ended span.")
            return
        self._end_time = time_ns() if end_time is None else end_time
        if self.functions:
            self._record_functions(self.functions)
        tracer = self._tracer
        mirror = tracer.mirror
        if self.materialized or tracer.processors._span_processors is not tracer.alone:
            self._end_as_sdk_span()
        elif not mirror.forked_ns or (self._start_time or 0) >= mirror.forked_ns or mirror.queue.is_open(self):
            self.size += SPAN_BYTES + ATTRIBUTE_BYTES * len(self.own_attributes) + LINK_BYTES * len(self.causes)
            try:
                mirror.queue.admit(self, self, self.size)
            except Exception as error:
                caught("span: end", error)

    def _record_functions(self, functions: dict[str, list[int]]) -> None:
        found = self.own_attributes[names.MAS_FUNCTIONS] = encoded(functions)
        self.size += sum(map(len, found))

    def _end_as_sdk_span(self) -> None:
        """Hand a copy to every processor, as the SDK does, and to the queue what the copy does not have."""
        attributes = self._attributes
        attributes._immutable = True
        queue, processors, key = self._tracer.mirror.queue, self._tracer.processors, self.key()
        queue.expect_copy(self)
        for direction, name in MESSAGE_ATTRIBUTES:
            if digests := self.own_attributes.get(name):
                queue.add_messages(key, direction, digests)
        if self.changes is not None:
            queue.add_changes(key, *self.changes, 0)
        processors._on_ending(self)
        processors.on_end(self._readable_span())


def _attributes(span: LazySdkSpan) -> BoundedAttributes:
    made = BoundedAttributes(span._limits.max_span_attributes, immutable=False)
    if span.causes:
        for name, value in cause_attributes(span.causes).items():
            span.own_attributes.setdefault(name, value)  # unless the app has set it since
    made._dict = span.own_attributes  # the same one, so that what we set from now on is there as well
    made._immutable = span._end_time is not None
    return made


def _events(span: LazySdkSpan) -> Any:
    return BoundedList(span._limits.max_events)


def _links(span: LazySdkSpan) -> Any:
    return span._new_links([Link(context, {names.MAS_LINK_KIND: str(kind)}) for context, kind in span.causes])


class LazyTracer(Tracer):
    """The tracer of a provider of ours, with `start` for lazy spans.

    These are roots, and children of a sampled span of this process, as long as nobody but us has added a processor: all
    else that a span depends on is then known beforehand.
    """

    def __init__(self, sdk: Any, mirror: RecordingProcessor) -> None:
        self.sdk = sdk
        self.mirror = mirror
        self.processors: Any = sdk.span_processor
        self.alone: tuple[object, ...] = self.processors._span_processors
        # Of spans without a parent: no trace yet, sampled, and the SDK's flag of its random ids.
        is_random = getattr(sdk.id_generator, "is_trace_id_random", None)
        flags = TraceFlags(_SAMPLED[1] if is_random is not None and is_random() else _SAMPLED[0])
        self._root = SpanContext(0, 0, False, flags)

    def start(
        self,
        name: str,
        under: Context | Span | None,
        kind: SpanKind,
        attributes: dict[str, Any],
        causes: tuple[Cause, ...],
        start_time: int | None,
    ) -> LazySdkSpan | None:
        """Start a span that owns `attributes` from now on; None where only the SDK can."""
        above: Any = under
        if under is None or isinstance(under, Context):
            # As `get_current_span` does it, in a fourth of the calls.
            above = (get_current() if under is None else under).get(SPAN_KEY)
        parent: SpanContext | None
        inherited: SpanContext | None
        if above.__class__ is LazySdkSpan:
            parent = inherited = above._context
        else:
            parent, inherited = self._parents(above)
        mirror = self.mirror
        queue = mirror.queue
        if inherited is None or self.processors._span_processors is not self.alone or queue.closed:
            return None
        span: LazySdkSpan = _new(LazySdkSpan)
        span._tracer = self
        span._name = name
        trace_id = inherited[0] or getrandbits(128) or 1
        span._context = _tuple(SpanContext, (trace_id, getrandbits(64) or 1, False, inherited[3], inherited[4], True))
        span._parent = parent
        span.own_attributes = attributes
        span._start_time = time_ns() if start_time is None else start_time
        span._end_time = None
        span._open = True
        span.materialized = False
        span.causes = causes
        span.changes = None
        span.size = 0
        if kind is not SpanKind.INTERNAL:
            span._kind = kind
        queue.track(span, None)
        return span

    def _parents(self, above: object) -> tuple[SpanContext | None, SpanContext | None]:
        """The parent, and the context to inherit trace, flags and state from; None where a sampler has to decide."""
        if not isinstance(above, Span):
            return None, self._root
        parent = above.get_span_context()
        if parent.__class__ is not SpanContext:
            return None, None
        _, _, is_remote, flags, _, is_valid = parent
        if not is_valid:
            return None, self._root
        return parent, parent if not is_remote and flags in _SAMPLED else None

    def start_span(self, *args: Any, **kwargs: Any) -> Span:
        span: Span = self.sdk.start_span(*args, **kwargs)
        return span

    def start_as_current_span(self, *args: Any, **kwargs: Any) -> Any:
        return self.sdk.start_as_current_span(*args, **kwargs)


def lazy_tracer_of(tracer: Tracer, mirror: RecordingProcessor) -> Tracer:
    """A tracer that starts lazy spans, where `tracer` is what we know; else itself."""
    if not isinstance(tracer, SdkTracer) or not _fits(tracer, mirror):
        return tracer
    return LazyTracer(tracer, mirror)


def _fits(tracer: Any, mirror: RecordingProcessor) -> bool:
    """Whether a lazy span does what an SDK span would; false for an SDK that we do not know."""
    try:
        sampler, limits = tracer.sampler, tracer._span_limits
        if isinstance(sampler, RecordUnsampled):
            sampler = sampler.sampler
        standard = (
            sampler in _SAMPLING_ALL
            and isinstance(tracer.id_generator, RandomIdGenerator)
            and tracer._tracer_config.is_enabled
            and type(tracer._tracer_metrics).__name__ == "NoOpTracerMetrics"
            and tracer.span_processor._span_processors == (mirror,)
            and limits.max_span_attribute_length is None
            and (limits.max_span_attributes is None or limits.max_span_attributes >= _MAX_ATTRIBUTES)
        )
        return standard and _known_sdk(tracer)
    except AttributeError:
        return False


def _known_sdk(tracer: Any) -> bool:
    # A subclass, since the SDK lets nobody make one of its own.
    probe = type("_Probe", (SdkSpan,), {})("", INVALID_SPAN_CONTEXT, resource=tracer.resource)
    flags, state = TraceFlags(1), TraceState()
    context = tuple(SpanContext(1, 2, False, flags, state))
    return context == (1, 2, False, flags, state, True) and all(
        name in LazySdkSpan.__annotations__ or hasattr(LazySdkSpan, name) for name in vars(probe)
    )


__all__ = ["LazySdkSpan", "LazyTracer", "lazy_tracer_of"]
