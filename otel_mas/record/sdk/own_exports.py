"""Servers to which the app exports its spans itself, over OTLP: nothing is shipped there a second time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from otel_mas.config.server import server_key
from otel_mas.record.sdk import provider

_OTLP = "opentelemetry.exporter.otlp"


def own_servers() -> set[str]:
    """The servers of the OTLP exporters that the app has added to the providers that are recorded."""
    return set(map(server_key, _endpoints(provider.span_processors())))


def _endpoints(processors: Iterable[Any]) -> Iterator[str]:
    for processor in processors:
        yield from _endpoints(getattr(processor, "_span_processors", ()))  # of one that hands on to several
        exporter = getattr(processor, "span_exporter", None)
        endpoint = getattr(exporter, "_endpoint", None)
        # By the SDK's own class or any that is made from it, as vendors' are.
        if isinstance(endpoint, str) and any(kind.__module__.startswith(_OTLP) for kind in type(exporter).__mro__):
            yield endpoint


__all__ = ["own_servers"]
