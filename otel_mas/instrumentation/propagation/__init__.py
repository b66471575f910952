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
"""The modules to patch, each when it is imported."""
