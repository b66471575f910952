"""Which hook goes where in Python's threads and processes."""

from __future__ import annotations

from otel_mas.instrumentation.patches import Hook, Patches
from otel_mas.instrumentation.propagation import MODULES, processes, threads

_THREADING, _THREAD_POOL, _PROCESS_POOL, _PROCESS, _POOL = MODULES

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
