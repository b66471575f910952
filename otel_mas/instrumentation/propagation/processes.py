"""Context propagation to other processes and pools of them: the work there is inside the span that handed it over.

The work is pickled together with the span's id and the settings of recording, so that a child without recording
(`spawn` begins with an empty one) writes to the same store. A forked child has its parent's context by itself; the
parent's objects in it are replaced by their ids.
"""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Callable
from dataclasses import replace
from typing import Any, NamedTuple

from opentelemetry import context as otel_context
from opentelemetry.baggage.propagation import W3CBaggagePropagator
from opentelemetry.context import Context
from opentelemetry.trace import get_current_span
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from otel_mas.config import Settings
from otel_mas.config.named_function import NamedFunction
from otel_mas.instrumentation import switch
from otel_mas.instrumentation.propagation.baggage import sending_to_own_process
from otel_mas.instrumentation.propagation.threads import run_inside, serves
from otel_mas.record import RECORDED_SPAN_KEY, caught, guarded, lifecycle

Original = Callable[..., Any]

_PROPAGATORS = (TraceContextTextMapPropagator(), W3CBaggagePropagator())


class Carried(NamedTuple):
    """Context and settings for a process that continues a span of another one."""

    headers: dict[str, str]
    settings: Settings | None

    @classmethod
    def here(cls) -> Carried:
        headers: dict[str, str] = {}
        context = sending_to_own_process()
        for propagator in _PROPAGATORS:
            propagator.inject(headers, context)
        return cls(headers, _portable(switch.settings()))

    def context(self) -> Context:
        context = Context()
        for propagator in _PROPAGATORS:
            context = propagator.extract(self.headers, context)
        return Context({**context, RECORDED_SPAN_KEY: get_current_span(context)})


def _portable(settings: Settings | None) -> Settings | None:
    """The settings with the user's function by name, since to pickle the function itself might fail in the app."""
    if settings is None or settings.redact_function is None or isinstance(settings.redact_function, NamedFunction):
        return settings
    return replace(settings, redact_function=NamedFunction.of(settings.redact_function))


def run_carried(carried: Carried, function: Original, /, *args: Any, **kwargs: Any) -> Any:
    """Call a function that another process has handed over."""
    context = None
    try:
        if carried.settings is not None:
            switch.join(carried.settings)
        context = carried.context()
    except Exception as error:
        caught("propagation: process", error)
    return function(*args, **kwargs) if context is None else run_inside(context, function, *args, **kwargs)


def submit(original: Original) -> Original:
    """`ProcessPoolExecutor.submit`, by which `map` and asyncio's `run_in_executor` go."""

    @functools.wraps(original)
    def submit(self: Any, fn: Any, /, *args: Any, **kwargs: Any) -> Any:
        if RECORDED_SPAN_KEY in otel_context.get_current():
            fn = _carrying(fn) or fn
        return original(self, fn, *args, **kwargs)

    return submit


def pool(original: Original) -> Original:
    """The methods of `multiprocessing.Pool` that take work. A `ThreadPool` is one as well."""

    @functools.wraps(original)
    def take(self: Any, func: Any, *args: Any, **kwargs: Any) -> Any:
        context = otel_context.get_current()
        if RECORDED_SPAN_KEY in context:
            if isinstance(self, sys.modules["multiprocessing.pool"].ThreadPool):
                func = functools.partial(run_inside, context, func)
            else:
                func = _carrying(func) or func
        return original(self, func, *args, **kwargs)

    return take


def start(original: Original) -> Original:
    """`BaseProcess.start`, of every start method."""

    @functools.wraps(original)
    def start(self: Any, *args: Any, **kwargs: Any) -> Any:
        if RECORDED_SPAN_KEY not in otel_context.get_current():
            return original(self, *args, **kwargs)
        target = getattr(self, "_target", None)
        if serves(self):  # a pool's: it is the work that is carried
            return run_inside(Context(), original, self, *args, **kwargs)
        if target is None:
            return original(self, *args, **kwargs)
        self._target = _carrying(target) or target
        try:
            return original(self, *args, **kwargs)
        except BaseException:
            self._target = target
            raise

    return start


@guarded("propagation: end of a process")
def ending(**_: Any) -> None:
    """Write everything at the end of a Celery process, which skips Python's own exit hooks."""
    settings = switch.settings()
    if settings is not None:
        lifecycle.flush(settings.exit_timeout_s)


@guarded("propagation: process")
def _carrying(function: Original) -> Original:
    return functools.partial(run_carried, Carried.here(), function)


@guarded("propagation: after a fork, in the child")
def _after_in_child() -> None:
    if RECORDED_SPAN_KEY in otel_context.get_current():
        otel_context.attach(Carried.here().context())


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_in_child)

__all__ = ["Carried", "ending", "pool", "run_carried", "start", "submit"]
