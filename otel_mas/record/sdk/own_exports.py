"""Which servers the app sends its spans to by itself, over OTLP: what goes there must not be shipped there again."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from otel_mas.config.server import server_key
from otel_mas.record.sdk import provider

_OTLP = "opentelemetry.exporter.otlp"


def own_servers() -> set[str]:
    """The servers of the OTLP exporters that the app has added to the providers that are recorded."""
    return {server_key(endpoint) for processor in _processors() for endpoint in _endpoints(processor)}


def _processors() -> Iterator[Any]:
    attachment = provider._attachment
    adopted: list[Any] = [] if attachment is None else list(attachment._adopted)
    if attachment is None:  # recording is ending, and its last spans are being written
        adopted = [provider._api._TRACER_PROVIDER, provider._kept]
    for one in adopted:
        yield from getattr(provider._sdk_processors(one), "_span_processors", ())


def _endpoints(processor: Any) -> Iterator[str]:
    for inner in getattr(processor, "_span_processors", ()):  # one that hands on to several
        yield from _endpoints(inner)
    exporter = getattr(processor, "span_exporter", None)
    endpoint = getattr(exporter, "_endpoint", None)
    # By the SDK's own class or any that is made from it, as vendors' are.
    if isinstance(endpoint, str) and any(kind.__module__.startswith(_OTLP) for kind in type(exporter).__mro__):
        yield endpoint


__all__ = ["own_servers"]
