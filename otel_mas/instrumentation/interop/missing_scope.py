"""Warning, once, if model calls are left to an instrumentation scope that none of the process's spans has."""

from __future__ import annotations

import time
from collections.abc import Callable

from otel_mas.errors.log import logger

PATIENCE_S = 10.0
"""How long after the first call: some instrumentation starts its span late, and calls begin side by side."""
_MOST_NAMED = 5


class MissingScope:
    """Counter of the model calls left to a scope, until one of its spans starts."""

    def __init__(self, scope: str, clock: Callable[[], float] = time.monotonic) -> None:
        self.scope = scope
        self._clock = clock
        self._calls = 0
        self._first = 0.0
        self._reported = False
        self._seen_scopes: dict[str, None] = {}

    def unrecorded_call(self) -> None:
        """A model call begins that we have no span for."""
        if self._reported:
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
            self._reported = True
        elif not self._reported and len(self._seen_scopes) < _MOST_NAMED:
            self._seen_scopes[scope] = None

    def over(self) -> None:
        """Warn, if calls were left and no span of the scope has come."""
        if self._reported or not self._calls:
            return
        self._reported = True
        seen = f"scopes here: {', '.join(self._seen_scopes)}" if self._seen_scopes else "no other code makes spans here"
        logger.warning(
            "otel-mas: OTEL_MAS_MODEL_SPANS leaves model calls to %s, and no span of that scope was recorded: "
            "model calls have no spans, tokens or cost (%s)",
            self.scope,
            seen,
        )


_watched: MissingScope | None = None


def watch(missing_scope: MissingScope | None) -> None:
    """Count calls there from now on."""
    global _watched
    _watched = missing_scope


def unrecorded_call() -> None:
    """A model call begins that we have no span for."""
    if _watched is not None:
        _watched.unrecorded_call()


__all__ = ["PATIENCE_S", "MissingScope", "unrecorded_call", "watch"]
