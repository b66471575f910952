"""The span that code runs in and what it belongs to, carried to where its work goes: threads, processes, requests."""

from __future__ import annotations

MODULES = (
    "threading",
    "concurrent.futures.thread",
    "concurrent.futures.process",
    "multiprocessing.process",
    "multiprocessing.pool",
    "celery.signals",
    "opentelemetry.baggage.propagation",
    "opentelemetry.propagators.jaeger",
    "websockets.asyncio.client",
    "websockets.sync.client",
)
"""The modules to patch, each when it is imported."""
