"""Warn, once, if model calls are left to an instrumentation scope that makes no spans in this process."""

from __future__ import annotations

import time
from collections.abc import Callable

from otel_mas.errors.log import logger

PATIENCE_S = 10.0
"""Time after the first call: some instrumentation starts its spans late, and calls begin side by side."""
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
        """Count a model call that we make no span for."""
        if self._reported:
            return
        now = self._clock()
        if not self._calls:
            self._first = now
        self._calls += 1
        if now - self._first >= PATIENCE_S:
            self.over()

    def started(self, scope: str, chosen: bool) -> None:
        """Note the scope of a span of other code. `chosen`: it is the scope that we wait for."""
        if chosen:
            self._reported = True
        elif not self._reported and len(self._seen_scopes) < _MOST_NAMED:
            self._seen_scopes[scope] = None

    def over(self) -> None:
        """Warn, if there were calls and no span of the scope."""
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
    """Count calls in `missing_scope`."""
    global _watched
    _watched = missing_scope


def unrecorded_call() -> None:
    """Count a model call that we make no span for."""
    if _watched is not None:
        _watched.unrecorded_call()


__all__ = ["PATIENCE_S", "MissingScope", "unrecorded_call", "watch"]
