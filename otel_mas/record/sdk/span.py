"""Our own spans where nobody else listens: the SDK's, whose lock and containers are made when somebody asks for them.

An SDK span costs ten times what it says in our case: a sampler's decision that is known, a lock, three bounded
containers, copies of attributes that we made ourselves. `LightSpan` leaves them out until somebody other than us reads
or writes it; from then on it is an SDK span in every respect, by the SDK's own code.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from random import getrandbits
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
from otel_mas.record.guard import caught
from otel_mas.record.pipeline.queue import LINK_BYTES, SAID_BYTES, SPAN_BYTES
from otel_mas.record.recording_context import SPAN_KEY
from otel_mas.record.sdk.own_provider import RecordUnsampled
from otel_mas.record.sdk.trusted import Trusted
from otel_mas.semconv import attributes as names

if TYPE_CHECKING:
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.util.instrumentation import InstrumentationScope

    from otel_mas.record.cause import Cause
    from otel_mas.record.sdk.processor import MirrorProcessor

_MAX_ATTRIBUTES = 128  # the SDK's limit, if none is configured; we say far fewer on a span
_PLAIN = frozenset((str, int, float, bool))  # what the SDK keeps as it is
_LONG = 1024  # characters: a text of the app's that weighs something
_SAMPLED = (1, 3)  # trace flags: sampled; sampled, and the trace id is random. A child's are the same
_SAMPLING_ALL = (sampling.DEFAULT_ON, sampling.ALWAYS_ON)

_new = object.__new__
_tuple = tuple.__new__
_sdk_logger = logging.getLogger("opentelemetry.sdk.trace")


class _Part:
    """A part of a span that is made, and so touches the span, when somebody first asks for it.

    What is set on the span itself goes before it, so it is asked once. Not a `__getattr__`, which would make every
    access to any attribute of such a span three times slower.
    """

    def __init__(self, make: Callable[[LightSpan], Any]) -> None:
        self._make = make

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, span: LightSpan | None, owner: type) -> Any:
        if span is None:
            return self
        span.touched = True
        # In one step: two threads that ask get the same lock.
        return span.__dict__.setdefault(self._name, self._make(span))


class LightSpan(Trusted, SdkSpan):
    """A span of ours, made by `LightTracer`.

    `said` are its attributes, `causes` its causes; both are in the SDK's containers as well once it is `touched`.
    """

    # Set by `LightTracer.start`, without a constructor, which would cost as much again; also what few spans ever change
    # but all are asked for: an attribute of the class takes five times as long to read.
    _tracer: LightTracer
    _name: str
    _context: SpanContext
    _parent: SpanContext | None
    _start_time: int
    _end_time: int | None
    _open: bool
    # What few spans ever change.
    _kind = SpanKind.INTERNAL
    _status = Status()
    _trace_config = None
    _record_exception = False
    _set_status_on_exception = False
    _record_end_metrics = None
    # What the SDK's methods expect of a span, made when they first do.
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

    @property
    def origin(self) -> tuple[Resource, InstrumentationScope]:
        sdk = self._tracer.sdk
        return sdk.resource, sdk._instrumentation_scope

    def get_span_context(self) -> SpanContext:
        return self._context

    def say(self, attributes: Mapping[str, Any]) -> None:
        if self._end_time is not None:
            return
        said = self.said
        if not said.keys().isdisjoint(attributes):
            for name in attributes.keys() & said.keys():
                del said[name]  # what is set again is the newest, as in the SDK
        said.update(attributes)

    def set_attribute(self, key: str, value: Any) -> None:
        said = self.said
        if (
            self.touched
            or self._end_time is not None
            or value.__class__ not in _PLAIN
            or (value.__class__ is str and len(value) > _LONG)
            or not key
            or key.__class__ is not str
            or len(said) >= _MAX_ATTRIBUTES // 2
        ):
            super().set_attribute(key, value)
            return
        said.pop(key, None)
        said[key] = value

    def end(self, end_time: int | None = None) -> None:
        try:
            del self._open  # in one step: of two threads that end it one goes on
        except AttributeError:
            _sdk_logger.warning("Calling end() on an ended span.")
            return
        self._end_time = time_ns() if end_time is None else end_time
        tracer = self._tracer
        mirror = tracer.mirror
        if self.touched or tracer.processors._span_processors is not tracer.alone:
            self._end_as_any()
        elif not mirror.forked_ns or (self._start_time or 0) >= mirror.forked_ns or mirror.queue.known(self):
            size = self.size = self.size + SPAN_BYTES + SAID_BYTES * len(self.said) + LINK_BYTES * len(self.causes)
            try:
                mirror.queue.admit(self, self, size)
            except Exception as error:
                caught("span: end", error)

    def _end_as_any(self) -> None:
        """As the SDK would: a copy goes to every processor."""
        attributes = self._attributes
        attributes._immutable = True
        tracer = self._tracer
        tracer.mirror.queue.copied(self)
        tracer.processors._on_ending(self)
        tracer.processors.on_end(self._readable_span())


def _attributes(span: LightSpan) -> BoundedAttributes:
    made = BoundedAttributes(span._limits.max_span_attributes, immutable=False)
    if span.causes:
        for name, value in cause_attributes(span.causes).items():
            span.said.setdefault(name, value)  # unless the app has set it since
    made._dict = span.said  # the same one, so that what we go on saying is there as well
    made._immutable = span._end_time is not None
    return made


def _events(span: LightSpan) -> Any:
    return BoundedList(span._limits.max_events)


def _links(span: LightSpan) -> Any:
    return span._new_links([Link(context, {names.MAS_LINK_KIND: str(kind)}) for context, kind in span.causes])


class LightTracer(Tracer):
    """The SDK's tracer of a provider of ours, and a shorter way to start the spans that need no more.

    These are roots, and children, in this process, of a sampled span, while nobody but us has added a processor:
    whatever else a span depends on is then known beforehand.
    """

    def __init__(self, sdk: Any, mirror: MirrorProcessor) -> None:
        self.sdk = sdk
        self.mirror = mirror
        self.processors: Any = sdk.span_processor
        self.alone: tuple[object, ...] = self.processors._span_processors
        # What spans without a parent have in common: no trace yet, sampled, and what the SDK says of its random ids.
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
    ) -> LightSpan | None:
        """Start a span; None where that is for the SDK to do. The attributes are the span's from now on."""
        above: Any = under
        if under is None or isinstance(under, Context):
            # As `get_current_span` does it, in a fourth of the calls.
            above = (get_current() if under is None else under).get(SPAN_KEY)
        parent: SpanContext | None
        inherited: SpanContext | None
        if above.__class__ is LightSpan:
            parent = inherited = above._context
        else:
            parent, inherited = self._decided(above)
        mirror = self.mirror
        queue = mirror.queue
        if inherited is None or self.processors._span_processors is not self.alone or queue.closed:
            return None
        span: LightSpan = _new(LightSpan)
        span._tracer = self
        span._name = name
        trace_id = inherited[0] or getrandbits(128) or 1
        span._context = _tuple(SpanContext, (trace_id, getrandbits(64) or 1, False, inherited[3], inherited[4], True))
        span._parent = parent
        span.said = attributes
        span._start_time = time_ns() if start_time is None else start_time
        span._end_time = None
        span._open = True
        span.touched = False
        span.causes = causes
        span.changes = None
        span.size = 0
        if kind is not SpanKind.INTERNAL:
            span._kind = kind
        queue.track(span, None)
        return span

    def _decided(self, above: object) -> tuple[SpanContext | None, SpanContext | None]:
        """The parent, and from where trace, flags and state come; None for the latter where that is to be decided."""
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


def lightened(tracer: Tracer, mirror: MirrorProcessor) -> Tracer:
    """The tracer with the shorter way, where it is what we know; else itself."""
    if not isinstance(tracer, SdkTracer) or not _fits(tracer, mirror):
        return tracer
    return LightTracer(tracer, mirror)


def _fits(tracer: Any, mirror: MirrorProcessor) -> bool:
    """Whether an SDK span would be what a light one is; an SDK that we do not know fits nowhere."""
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
        name in LightSpan.__annotations__ or hasattr(LightSpan, name) for name in vars(probe)
    )


__all__ = ["LightSpan", "LightTracer", "lightened"]
