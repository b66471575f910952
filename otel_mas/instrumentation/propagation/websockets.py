"""The client of the package `websockets`: its opening request carries the context. OpenTelemetry has nothing for it."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from opentelemetry import propagate

from otel_mas.instrumentation.propagation.baggage import sending_to
from otel_mas.record import caught

Original = Callable[..., Any]


def handshake(original: Original) -> Original:
    """`ClientConnection.handshake`, of asyncio and of threads."""

    @functools.wraps(original)
    def handshake(self: Any, additional_headers: Any = None, *args: Any, **kwargs: Any) -> Any:
        return original(self, _with_context(self, additional_headers), *args, **kwargs)

    return handshake


def _with_context(connection: Any, headers: Any) -> Any:
    """The headers that the app gives, after ours; without ours where it sends a context of its own."""
    try:
        injected: dict[str, str] = {}
        propagate.inject(injected, sending_to(connection.protocol.uri.host))
        if not injected:
            return headers
        given = headers.items() if hasattr(headers, "items") else headers or ()
        headers = list(given)  # what the app gives may be read once only
        named = {str(name).lower() for name, _ in headers}
        if "traceparent" not in named:
            return [*((name, text) for name, text in injected.items() if name not in named), *headers]
    except Exception as error:
        caught("propagation: websocket", error)
    return headers


__all__ = ["handshake"]
