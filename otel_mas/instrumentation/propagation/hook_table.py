"""The hooks into Python's threads and processes, and Celery's."""

from __future__ import annotations

import sys

from otel_mas.instrumentation.patches import Hook, HookTable
from otel_mas.instrumentation.propagation import MODULES, baggage, processes, threads, websockets

_THREADING, _THREAD_POOL, _PROCESS_POOL, _PROCESS, _POOL, _CELERY, _BAGGAGE, _JAEGER, _WS, _WS_THREAD = MODULES
_INJECTED, _EXTRACTED = ("self", "carrier", "context"), ("self", "carrier")
_HANDSHAKE = ("self", "additional_headers")


class _PropagationHooks(HookTable):
    def patch(self, module: str | None = None) -> None:
        super().patch(module)
        if module in (None, _CELERY) and _CELERY in sys.modules:
            sys.modules[_CELERY].worker_process_shutdown.connect(processes.ending, weak=False)

    def unpatch(self) -> None:
        super().unpatch()
        if _CELERY in sys.modules:
            sys.modules[_CELERY].worker_process_shutdown.disconnect(processes.ending)


HOOK_TABLE = _PropagationHooks(
    "Python",
    (
        Hook(_THREADING, "Thread", "start", ("self",), threads.start),
        Hook(_THREAD_POOL, "ThreadPoolExecutor", "submit", ("self", "fn"), threads.submit),
        Hook(_PROCESS_POOL, "ProcessPoolExecutor", "submit", ("self", "fn"), processes.submit),
        Hook(_PROCESS, "BaseProcess", "start", ("self",), processes.start),
        Hook(_POOL, "Pool", "apply_async", ("self", "func"), processes.pool),
        Hook(_POOL, "Pool", "_map_async", ("self", "func"), processes.pool),
        Hook(_POOL, "Pool", "imap", ("self", "func"), processes.pool),
        Hook(_POOL, "Pool", "imap_unordered", ("self", "func"), processes.pool),
        Hook(_BAGGAGE, "W3CBaggagePropagator", "inject", _INJECTED, baggage.inject),
        Hook(_BAGGAGE, "W3CBaggagePropagator", "extract", _EXTRACTED, baggage.extract),
        Hook(_JAEGER, "JaegerPropagator", "inject", _INJECTED, baggage.inject),
        Hook(_JAEGER, "JaegerPropagator", "extract", _EXTRACTED, baggage.extract),
        Hook(_WS, "ClientConnection", "handshake", _HANDSHAKE, websockets.handshake),
        Hook(_WS_THREAD, "ClientConnection", "handshake", _HANDSHAKE, websockets.handshake),
    ),
    "spans of threads and processes may be traces of their own, and ids in the baggage may go to any host",
)

__all__ = ["HOOK_TABLE"]
