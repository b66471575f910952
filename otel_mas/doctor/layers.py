"""Libraries by which processes call each other: which of them carry the context, and what is missing for the others."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping
from typing import Final

from otel_mas.doctor.environment import EntryPoints
from otel_mas.doctor.findings import Finding, finding

_INSTRUMENTATION: Final = "opentelemetry-instrumentation-"
_BY_INSTRUMENTATION: Final = {
    "httpx": "httpx",
    "requests": "requests",
    "aiohttp": "aiohttp-client",
    "fastapi": "fastapi",
    "starlette": "starlette",
    "flask": "flask",
    "pika": "pika",
    "aio-pika": "aio-pika",
    "celery": "celery",
    "kafka-python": "kafka-python",
    "confluent-kafka": "confluent-kafka",
    "aiokafka": "aiokafka",
}
"""Distribution, and the end of the name of OpenTelemetry's instrumentation for it."""
_BY_US: Final = ("websockets",)
_INSIDE_OF: Final = {"starlette": "fastapi"}
"""Frameworks of others: with the instrumentation of the other one, none is needed."""
_CARRIES_ITSELF: Final = {"mcp": 2}
"""Distributions that carry the context themselves, from this major version on."""


def check_layers(versions: Mapping[str, str], points: EntryPoints, excluded: Container[str]) -> Iterator[Finding]:
    """Yield what is found about the libraries that are installed where the app runs.

    Args:
        versions: by distribution.
        points: entry points of the environment.
        excluded: entry points of instrumentations that are switched off.
    """
    loaded = {package for entry, package in points.get("opentelemetry_instrumentor", ()) if entry not in excluded}
    missing = {
        library: f"{_INSTRUMENTATION}{name}"
        for library, name in _BY_INSTRUMENTATION.items()
        if library in versions and f"{_INSTRUMENTATION}{name}" not in loaded
    }
    covered = [library for library in _BY_INSTRUMENTATION if library in versions and library not in missing]
    covered += [library for library in _BY_US if library in versions]
    covered += [library for library, since in _CARRIES_ITSELF.items() if _major(versions.get(library, "")) >= since]
    for inner, outer in _INSIDE_OF.items():
        if outer in covered:
            missing.pop(inner, None)
    if covered:
        yield finding("layers-covered", libraries=", ".join(covered))
    if missing:
        yield finding("layers-missing", libraries=", ".join(missing), packages=" ".join(missing.values()))


def _major(version: str) -> int:
    number = version.partition(".")[0]
    return int(number) if number.isdecimal() else 0


__all__ = ["check_layers"]
