"""The span that code runs in, carried to where its work goes: threads, executors and other processes."""

from __future__ import annotations

MODULES = (
    "threading",
    "concurrent.futures.thread",
    "concurrent.futures.process",
    "multiprocessing.process",
    "multiprocessing.pool",
    "celery.signals",
)
"""The modules whose import is the moment to patch them."""


def patch(module: str | None = None) -> None:
    """Hook into those of `MODULES` that are imported (or only `module`)."""
    from otel_mas.instrumentation.propagation import hook_table as fit

    fit.patch(module)


def unpatch() -> None:
    """Put Python's own functions back."""
    from otel_mas.instrumentation.propagation import hook_table as fit

    fit.unpatch()
