"""The tracer provider that we make where the app has none: it gives way to the app's as soon as there is one."""

from __future__ import annotations

import atexit
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from opentelemetry.sdk.resources import (
    TELEMETRY_SDK_LANGUAGE,
    TELEMETRY_SDK_NAME,
    TELEMETRY_SDK_VERSION,
    OTELResourceDetector,
    Resource,
)
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.sampling import Decision, Sampler, SamplingResult
from opentelemetry.trace import ProxyTracerProvider, Span, Tracer, get_tracer_provider
from opentelemetry.util._decorator import _agnosticcontextmanager

from otel_mas.semconv import attributes as names

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.trace import Link, SpanKind
    from opentelemetry.trace.span import TraceState
    from opentelemetry.util.types import Attributes

    from otel_mas.config import Settings

_SDK_UNNAMED = "unknown_service"  # the SDK's name of a service without one
_UNNAMED = "python"


class OwnProvider(TracerProvider):
    """An SDK provider whose tracers, once it has given way, are those of the global provider.

    Spans that are open then end here, with the processors that saw them start.
    """

    def __init__(self, settings: Settings) -> None:
        super().__init__(resource=_resource(settings), shutdown_on_exit=False)
        if settings.record_unsampled:
            self.sampler = RecordUnsampled(self.sampler)
        self.gone = False
        self.foreign_processors: list[SpanProcessor] = []

    def get_tracer(self, *args: Any, **kwargs: Any) -> Tracer:
        """A tracer of this provider until it gives way, and of the app's from then on."""
        return YieldingTracer(self, lambda provider: provider.get_tracer(*args, **kwargs))

    def own_tracer(self, *args: Any, **kwargs: Any) -> Tracer:
        """A tracer that stays with this provider."""
        return super().get_tracer(*args, **kwargs)

    def add_span_processor(self, span_processor: SpanProcessor) -> None:
        """Add a processor of somebody else, which moves to the app's provider with the tracers."""
        successor: Any = get_tracer_provider()
        if self.gone and successor is not self and hasattr(successor, "add_span_processor"):
            successor.add_span_processor(span_processor)
            return
        if not self.foreign_processors:
            self._atexit_handler = atexit.register(self.shutdown)
        self.foreign_processors.append(span_processor)
        super().add_span_processor(span_processor)

    def give_way(self) -> None:
        """Make the tracers of this provider those of the global one."""
        self.gone = True


class YieldingTracer(Tracer):
    """A tracer handed out by `OwnProvider`; it offers whatever else the SDK's tracers do."""

    def __init__(self, provider: OwnProvider, get: Callable[[Any], Tracer]) -> None:
        self._provider = provider
        self._get = get
        self._here = get(_Own(provider))
        self._there: Tracer | None = None

    def _tracer(self) -> Tracer:
        if not self._provider.gone:
            return self._here
        there = self._there
        if there is None:
            there = self._there = self._get(ProxyTracerProvider())
        return there

    def start_span(self, *args: Any, **kwargs: Any) -> Span:
        return self._tracer().start_span(*args, **kwargs)

    @_agnosticcontextmanager
    def start_as_current_span(self, *args: Any, **kwargs: Any) -> Iterator[Span]:
        # Not handed on as it is: as a decorator it is asked for when a module is imported, and used much later.
        with self._tracer().start_as_current_span(*args, **kwargs) as span:
            yield span

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(self._tracer(), name)


class _Own:
    """`OwnProvider` with the `get_tracer` of the SDK."""

    def __init__(self, provider: OwnProvider) -> None:
        self.get_tracer = provider.own_tracer


class RecordUnsampled(Sampler):
    """Records what another sampler would drop, without the sampled flag: it stays on this machine.

    The SDK has one of that kind, which loses the attributes that a span starts with.
    """

    def __init__(self, sampler: Sampler) -> None:
        self.sampler = sampler

    def should_sample(
        self,
        parent_context: Context | None,
        trace_id: int,
        name: str,
        kind: SpanKind | None = None,
        attributes: Attributes = None,
        links: Sequence[Link] | None = None,
        trace_state: TraceState | None = None,
    ) -> SamplingResult:
        result = self.sampler.should_sample(parent_context, trace_id, name, kind, attributes, links, trace_state)
        if result.decision is not Decision.DROP:
            return result
        return SamplingResult(Decision.RECORD_ONLY, attributes, result.trace_state)

    def get_description(self) -> str:
        return f"RecordUnsampled{{{self.sampler.get_description()}}}"


def _resource(settings: Settings) -> Resource:
    given = {names.MAS_RUN_ID: settings.run_id} if settings.run_id else {}
    try:
        resource = Resource.create(given)
    except RuntimeError:  # the interpreter is ending: the SDK runs its detectors in threads, which start no more
        resource = _sdk().merge(OTELResourceDetector().detect()).merge(Resource(given))
    if str(resource.attributes.get(names.SERVICE_NAME, _SDK_UNNAMED)).startswith(_SDK_UNNAMED):
        resource = resource.merge(Resource({names.SERVICE_NAME: program_name()}))
    return resource


def _sdk() -> Resource:
    """The attributes that the SDK gives to every resource."""
    from importlib.metadata import version

    return Resource(
        {
            TELEMETRY_SDK_LANGUAGE: "python",
            TELEMETRY_SDK_NAME: "opentelemetry",
            TELEMETRY_SDK_VERSION: version("opentelemetry-sdk"),
        }
    )


def program_name() -> str:
    """The program's name: `app` for `python app.py`, `team` for `python -m team`, a script's own name.

    Made from `sys.argv` alone, which processes started by `multiprocessing` share with their parent.
    """
    given = (getattr(sys, "argv", None) or [""])[0]
    name, extension = os.path.splitext(os.path.basename(given))
    if name == "__main__":
        name = os.path.basename(os.path.dirname(os.path.abspath(given)))
    elif extension not in (".py", ".pyc", ".pyw", ".pyz", ".exe"):
        name += extension
    return _UNNAMED if name in ("", "-c", "-m", "-") else name


__all__ = ["OwnProvider", "RecordUnsampled", "YieldingTracer", "program_name"]
