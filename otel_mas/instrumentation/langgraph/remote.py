"""`RemoteGraph`: its requests carry the current span in W3C's `traceparent` header."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from typing import Any, Final

from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from otel_mas.record import caught

Original = Callable[..., Any]

# The span's ids only: baggage is not for every host.
_PROPAGATOR: Final = TraceContextTextMapPropagator()
_HEADER: Final = "traceparent"


def call(original: Original) -> Original:
    """`RemoteGraph.stream` and its kin, which `invoke` calls as well.

    An instrumentation of HTTP clients writes its own span over ours, which then is between the two.
    """
    if "headers" not in inspect.signature(original).parameters:
        return original

    @functools.wraps(original)
    def call(self: Any, *args: Any, headers: Any = None, **kwargs: Any) -> Any:
        return original(self, *args, headers=_with_context(headers), **kwargs)

    return call


def _with_context(headers: Mapping[str, str] | None) -> Mapping[str, str] | None:
    try:
        injected: dict[str, str] = {}
        _PROPAGATOR.inject(injected)
        if injected and not any(name.lower() == _HEADER for name in headers or ()):
            return {**(headers or {}), **injected}
    except Exception as error:
        caught("langgraph remote graph", error)
    return headers


__all__ = ["call"]
