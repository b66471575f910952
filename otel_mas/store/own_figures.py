"""Figures of this process for its heartbeats: memory, processor, queue, event loops."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

from otel_mas.model.processes import ProcessFigures

_STATM = Path("/proc/self/statm")


class OwnFigures:
    """Measures this process since the call before, in some 20 µs.

    Args:
        queue: returns how many ended spans wait to be written.
        queue_limit: how many may.
        longest_lag: returns for how many seconds an event loop was blocked at most since the call before.
    """

    def __init__(
        self,
        queue: Callable[[], int] | None = None,
        queue_limit: int | None = None,
        longest_lag: Callable[[], float] | None = None,
    ) -> None:
        self._queue = queue
        self._queue_limit = queue_limit
        self._longest_lag = longest_lag
        self._before = time.monotonic(), time.process_time()

    def __call__(self) -> ProcessFigures:
        """The figures now."""
        now = time.monotonic(), time.process_time()
        passed, busy = (new - old for new, old in zip(now, self._before, strict=True))
        self._before = now
        return ProcessFigures(
            rss_bytes=_resident_bytes(),
            cpu=round(busy / passed, 4) if passed > 0 else None,
            queue_spans=None if self._queue is None else self._queue(),
            queue_limit=self._queue_limit,
            loop_lag_ns=None if self._longest_lag is None else int(self._longest_lag() * 1e9),
        )


def _resident_bytes() -> int | None:
    """Memory in use now; None where the system has no /proc: `getrusage` knows only the most there ever was."""
    try:
        return int(_STATM.read_bytes().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError):
        return None


__all__ = ["OwnFigures"]
