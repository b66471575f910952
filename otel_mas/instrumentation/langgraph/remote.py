"""`RemoteGraph`: its requests carry the current span in W3C's `traceparent` header, and correlation to listed hosts."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from typing import Any, Final

from opentelemetry.baggage.propagation import W3CBaggagePropagator
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from otel_mas.instrumentation.propagation.baggage import sending_to
from otel_mas.record import caught

Original = Callable[..., Any]

_PROPAGATORS: Final = (TraceContextTextMapPropagator(), W3CBaggagePropagator())
_HEADER: Final = "traceparent"


def call(original: Original) -> Original:
    """`RemoteGraph.stream` and its kin, which `invoke` calls as well.

    An instrumentation of HTTP clients writes its own span over ours, which then is between the two.
    """
    if "headers" not in inspect.signature(original).parameters:
        return original

    @functools.wraps(original)
    def call(self: Any, *args: Any, headers: Any = None, **kwargs: Any) -> Any:
        return original(self, *args, headers=_with_context(self, headers), **kwargs)

    return call


def _with_context(graph: Any, headers: Mapping[str, str] | None) -> Mapping[str, str] | None:
    try:
        injected: dict[str, str] = {}
        context = sending_to(_host(graph) or "")
        for propagator in _PROPAGATORS:
            propagator.inject(injected, context)
        given = {name.lower() for name in headers or ()}
        if _HEADER not in given:
            more = {name: value for name, value in injected.items() if name not in given}
            return {**(headers or {}), **more} if more else headers
    except Exception as error:
        caught("langgraph remote graph", error)
    return headers


def _host(graph: Any) -> str | None:
    """The host of the server, by the HTTP client that the graph was given or made itself."""
    for name in ("client", "sync_client"):
        http = getattr(getattr(graph, name, None), "http", None)
        host = getattr(getattr(getattr(http, "client", None), "base_url", None), "host", None)
        if isinstance(host, str):
            return host
    return None


__all__ = ["call"]
