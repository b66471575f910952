"""Says so, once, where model calls are left to an instrumentation scope that none of the process's spans has."""

from __future__ import annotations

import time
from collections.abc import Callable

from otel_mas.errors.log import logger

PATIENCE_S = 10.0
"""How long after the first call: some instrumentation starts its span late, and calls begin side by side."""
_MOST_NAMED = 5


class Absence:
    """Counts the model calls that were left to somebody, until a span of theirs starts."""

    def __init__(self, scope: str, clock: Callable[[], float] = time.monotonic) -> None:
        self.scope = scope
        self._clock = clock
        self._calls = 0
        self._first = 0.0
        self._settled = False
        self._others: dict[str, None] = {}

    def left(self) -> None:
        """A model call begins that we have no span for."""
        if self._settled:
            return
        now = self._clock()
        if not self._calls:
            self._first = now
        self._calls += 1
        if now - self._first >= PATIENCE_S:
            self.over()

    def started(self, scope: str, chosen: bool) -> None:
        """A span of other code has started."""
        if chosen:
            self._settled = True
        elif not self._settled and len(self._others) < _MOST_NAMED:
            self._others[scope] = None

    def over(self) -> None:
        """Nothing more will come, or has come for long enough."""
        if self._settled or not self._calls:
            return
        self._settled = True
        seen = f"others here are: {', '.join(self._others)}" if self._others else "no other code makes spans here"
        logger.warning(
            "otel-mas: OTEL_MAS_MODEL_SPANS leaves model calls to %s, and no span of that scope was recorded: "
            "model calls have no spans, tokens or cost (%s)",
            self.scope,
            seen,
        )


_watched: Absence | None = None


def watch(absence: Absence | None) -> None:
    """From now on this is where calls are counted that are left to others."""
    global _watched
    _watched = absence


def left() -> None:
    """A model call begins that we have no span for."""
    if _watched is not None:
        _watched.left()


__all__ = ["PATIENCE_S", "Absence", "left", "watch"]
