"""Attaches recording to the app's tracer provider, whenever that is set; makes one of ours only where there is none."""

from __future__ import annotations

import sys
import weakref
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import opentelemetry.trace as trace_api
from opentelemetry.trace import NoOpTracer, ProxyTracerProvider, Tracer

from otel_mas.errors.log import logger
from otel_mas.fork import ForkLock, imports
from otel_mas.record.guard import caught
from otel_mas.record.sdk.processor import SCOPE
from otel_mas.semconv import SCHEMA_URL

if TYPE_CHECKING:
    from otel_mas.config import Settings
    from otel_mas.record.sdk.own_provider import OwnProvider
    from otel_mas.record.sdk.processor import RecordingProcessor

_PRIVATE = ("_set_tracer_provider", "_TRACER_PROVIDER", "_TRACER_PROVIDER_SET_ONCE")
_OF_PROXY = "_tracer"  # the property by which a `ProxyTracer` finds the tracer that it stands for
_FOREIGN = (
    "otel-mas: the global tracer provider is a %s.%s, which takes no span processors. Spans of agents, models and "
    "tools are recorded, the app's own are not; with an opentelemetry.sdk.trace.TracerProvider both are"
)
_UNKNOWN_API = (
    "otel-mas does not know this version of opentelemetry-api: a tracer provider that the app sets is noticed with our "
    "next span only"
)
_api: Any = trace_api  # of which we use and replace private parts
_lock = ForkLock()
_attachment: Attachment | None = None
_kept: OwnProvider | None = None  # ours, that others rely on: it stays when recording ends
_original: Any = None  # the API's own `_set_tracer_provider`, while ours stands in its place
_proxied: Any = None  # the API's own `ProxyTracer._tracer`, likewise
_warned: set[str] = set()


def attach(processor: RecordingProcessor, settings: Settings) -> None:
    """Mirror the spans of the global tracer provider: the one that is set, and whichever is set later.

    Args:
        processor: is added to each SDK provider once.
        settings: for a provider of ours, should one be needed.
    """
    global _attachment
    detach()
    with _lock:
        _attachment = attachment = Attachment(processor, settings, _kept)
        _watch()
    provider = getattr(_api, "_TRACER_PROVIDER", None)  # not the getter, which may set one
    if provider is not None:
        attachment.adopt(provider)


def detach() -> None:
    """Leave all providers as they were. A provider of ours that is the global one is taken away again."""
    global _attachment, _kept
    with _lock:
        attachment, _attachment = _attachment, None
        _unwatch()
    if attachment is not None:
        _kept = attachment.withdraw()


def span_processors() -> list[Any]:
    """The span processors of all recorded providers; while recording is ending, of the global one and ours."""
    providers = [_api._TRACER_PROVIDER, _kept] if _attachment is None else list(_attachment.adopted)
    return [one for each in providers for one in getattr(_sdk_processors(each), "_span_processors", ())]


def tracer() -> Tracer:
    """The tracer for our own spans: the app's provider's, or ours where the app has none."""
    attachment = _attachment
    if attachment is None:
        return NoOpTracer()
    found = attachment.found
    if found is not None:
        provider = found.provider
        # Not the getter where it can be helped: this is asked for every span.
        known = getattr(_api, "_TRACER_PROVIDER", None) is provider or trace_api.get_tracer_provider() is provider
        if known and (found.processors is None or found.processors._span_processors is found.seen):
            return found.tracer
    return attachment.resolve()


@dataclass(slots=True)
class _Found:
    """A tracer, valid for a global provider and, where we can read them, for its processors."""

    provider: object
    processors: Any
    seen: object
    tracer: Tracer


class Attachment:
    """The providers that recording is attached to, from `attach` to `detach`."""

    def __init__(self, processor: RecordingProcessor, settings: Settings, own: OwnProvider | None) -> None:
        self.found: _Found | None = None
        self._processor = processor
        self._settings = settings
        self.adopted: weakref.WeakSet[Any] = weakref.WeakSet()
        self._own = own

    def is_in(self, processors: Any) -> bool:
        """Whether our processor is still there: some subclasses of the SDK's provider throw out what was added."""
        return processors is None or self._processor in processors._span_processors

    def resolve(self) -> Tracer:
        """Find the global provider, or make one; return our tracer of it."""
        with imports:
            return self._resolve()

    def _resolve(self) -> Tracer:
        seen = provider = _global() or self._set_own()
        if not self.adopt(provider):
            provider = self._own or self._make_own()
        get_tracer = getattr(provider, "own_tracer", provider.get_tracer)
        tracer: Tracer = get_tracer(SCOPE, _version(), schema_url=SCHEMA_URL)
        processors = _sdk_processors(provider)
        there = getattr(processors, "_span_processors", None)
        if provider is self._own:
            from otel_mas.record.sdk.lazy_tracer import LazyTracer, lazy_tracer_of

            tracer = lazy_tracer_of(tracer, self._processor)
            if isinstance(tracer, LazyTracer):
                processors = None  # it looks at each start, and ours is never thrown out of a provider of ours
        if not _can_set():
            seen = trace_api.get_tracer_provider()
        self.found = _Found(seen, processors, there, tracer)
        return tracer

    def adopt(self, provider: Any) -> bool:
        """Add the processor to a provider, once; False where it takes none."""
        add = _adder(provider)
        if add is None:
            kind = type(provider)
            _warn_once(_FOREIGN, kind.__module__, kind.__qualname__)
            return False
        processors = _sdk_processors(provider)
        with _lock:
            known = provider in self.adopted
            self.adopted.add(provider)
            if processors is not None and not self.is_in(processors):
                add(self._processor)
        if processors is None and not known:  # not under our lock: it may take others
            add(self._processor)
        return True

    def allow(self, provider: Any) -> None:
        """Let the app set its provider: the API allows that once, and must not count ours."""
        own = self._own
        if own is not None and provider not in (None, own) and _api._TRACER_PROVIDER is own:
            _allow_set()

    def follow(self, provider: Any) -> None:
        """Attach to the provider that the app has set, unless it had one already."""
        if provider is None or _api._TRACER_PROVIDER is not provider:
            return
        adopted = self.adopt(provider)
        own = self._own
        if own is not None and own is not provider and not own.gone:
            if adopted:
                _move(own.foreign_processors, provider)
            own.give_way()

    def withdraw(self) -> OwnProvider | None:
        """Remove the processor from every provider, and our provider; if others rely on that one, return it instead."""
        kept = None
        own = self._own
        if own is not None and not own.gone:
            if own.foreign_processors:
                kept = own
            else:
                with _lock:
                    if _api._TRACER_PROVIDER is own:
                        _api._TRACER_PROVIDER = None
                        _allow_set()
                own.give_way()
        for provider in list(self.adopted):
            processors = _sdk_processors(provider)
            if processors is not None:
                with processors._lock:
                    others = (one for one in processors._span_processors if one is not self._processor)
                    processors._span_processors = tuple(others)
        return kept

    def _set_own(self) -> Any:
        """Make the global provider, unless another thread is quicker, or we could not take ours away again."""
        own = self._make_own() if self._own is None or self._own.gone else self._own
        with _lock:
            if _can_set() and self is _attachment:
                _original(own, log=False)
        return _global() or own

    def _make_own(self) -> OwnProvider:
        from otel_mas.record.sdk.own_provider import OwnProvider  # before the lock: it imports the SDK

        with _lock:
            if self._own is None or self._own.gone:
                self._own = OwnProvider(self._settings)
                self.adopt(self._own)
            return self._own


def _global() -> Any:
    """The provider that the app (or its OTEL_PYTHON_TRACER_PROVIDER) has set; None where there is none."""
    provider = trace_api.get_tracer_provider()
    return None if isinstance(provider, ProxyTracerProvider) else provider


# -- the API's one place where a provider is set -----------------------------------------------------------------------


def _set_tracer_provider(tracer_provider: Any, log: bool) -> None:
    """Stands where the API's own is; `set_tracer_provider` looks it up at each call, wherever it was imported to."""
    original = _original
    with _lock:
        attachment = _attachment
        if attachment is not None:
            try:
                attachment.allow(tracer_provider)
            except Exception as error:
                caught("provider: allow", error)
        original(tracer_provider, log)
    if attachment is not None:
        try:
            attachment.follow(tracer_provider)
        except Exception as error:
            caught("provider: follow", error)


def _tracer_of_proxy(proxy: Any) -> Tracer:
    """Stands where `ProxyTracer._tracer` is: the app's own first span finds a provider too, not only ours.

    Otherwise a span of the app around its first run would be lost, and the one around its second would not.
    """
    attachment = _attachment
    if attachment is not None and _api._TRACER_PROVIDER is None:
        try:
            attachment.resolve()
        except Exception as error:
            caught("provider: first span of the app", error)
    tracer: Tracer = _proxied.fget(proxy)
    return tracer


def _watch() -> None:
    global _original, _proxied
    if _original is not None:
        return
    if not all(hasattr(_api, name) for name in _PRIVATE):
        _warn_once(_UNKNOWN_API)
        return
    _original = _api._set_tracer_provider
    _api._set_tracer_provider = _set_tracer_provider
    found = vars(_api.ProxyTracer).get(_OF_PROXY)
    if isinstance(found, property):
        _proxied = found
        setattr(_api.ProxyTracer, _OF_PROXY, property(_tracer_of_proxy))


def _unwatch() -> None:
    global _original
    if _proxied is not None:
        setattr(_api.ProxyTracer, _OF_PROXY, _proxied)
    if _original is not None and _api._set_tracer_provider is _set_tracer_provider:
        _api._set_tracer_provider = _original
        _original = None
    # A wrapper that somebody has set around ours since keeps it; it then only calls the original.


def _can_set() -> bool:
    return _original is not None


def _allow_set() -> None:
    _api._TRACER_PROVIDER_SET_ONCE = type(_api._TRACER_PROVIDER_SET_ONCE)()


# -- the SDK, which may not be loaded ----------------------------------------------------------------------------------


def _adder(provider: Any) -> Any:
    """How to add a span processor. The SDK's own method where there is one.

    Subclasses do more: arize-phoenix-otel's throws its default exporter away as soon as a processor is added.
    """
    sdk: Any = sys.modules.get("opentelemetry.sdk.trace")
    if sdk is not None and isinstance(provider, sdk.TracerProvider):
        return sdk.TracerProvider.add_span_processor.__get__(provider)
    return getattr(provider, "add_span_processor", None)


def _sdk_processors(provider: Any) -> Any:
    """The SDK's list of a provider's processors; None where it is not what we know."""
    processors = getattr(provider, "_active_span_processor", None)
    known = isinstance(getattr(processors, "_span_processors", None), tuple) and hasattr(processors, "_lock")
    return processors if known else None


def _move(processors: list[Any], provider: Any) -> None:
    """Add to the app's provider the processors that others have added to ours."""
    add = _adder(provider)
    there = getattr(_sdk_processors(provider), "_span_processors", ())
    for one in processors:
        if one not in there:
            add(one)


def _version() -> str | None:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("otel-mas")
    except PackageNotFoundError:  # bundled with the app, without its metadata
        return None


def _warn_once(message: str, *values: object) -> None:
    if message not in _warned:
        _warned.add(message)
        logger.warning(message, *values)


__all__ = ["attach", "detach", "tracer"]
