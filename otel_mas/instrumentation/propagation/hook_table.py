"""Which hook goes where in Python's threads and processes, and Celery's."""

from __future__ import annotations

import sys

from otel_mas.instrumentation.patches import Hook, Patches
from otel_mas.instrumentation.propagation import MODULES, processes, threads

_THREADING, _THREAD_POOL, _PROCESS_POOL, _PROCESS, _POOL, _CELERY = MODULES

HOOKS = (
    Hook(_THREADING, "Thread", "start", ("self",), threads.start),
    Hook(_THREAD_POOL, "ThreadPoolExecutor", "submit", ("self", "fn"), threads.submit),
    Hook(_PROCESS_POOL, "ProcessPoolExecutor", "submit", ("self", "fn"), processes.submit),
    Hook(_PROCESS, "BaseProcess", "start", ("self",), processes.start),
    Hook(_POOL, "Pool", "apply_async", ("self", "func"), processes.pool),
    Hook(_POOL, "Pool", "_map_async", ("self", "func"), processes.pool),
    Hook(_POOL, "Pool", "imap", ("self", "func"), processes.pool),
    Hook(_POOL, "Pool", "imap_unordered", ("self", "func"), processes.pool),
)

PATCHES = Patches("Python", HOOKS, "spans of threads and processes may be traces of their own")


def patch(module: str | None = None) -> None:
    """Put in place every hook whose module is imported (or only those of `module`). Doing it again changes nothing."""
    PATCHES.put(module)
    if module in (None, _CELERY) and _CELERY in sys.modules:
        sys.modules[_CELERY].worker_process_shutdown.connect(processes.ending, weak=False)


def unpatch() -> None:
    """Put everything back as it was."""
    PATCHES.take_off()
    if _CELERY in sys.modules:
        sys.modules[_CELERY].worker_process_shutdown.disconnect(processes.ending)


__all__ = ["HOOKS", "PATCHES", "patch", "unpatch"]
