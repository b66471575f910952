"""Waits between attempts, with full jitter: processes that failed together do not come back together."""

from __future__ import annotations

import random
from collections.abc import Callable

_MAX_ASKED_S = 3600.0
_SHORTEST_S = 0.1


class Backoff:
    """Waits of one destination: a random part of a time that doubles; never shorter than the server asks, nor 0.1 s.

    Args:
        first_s: the longest first wait.
        longest_s: waits do not grow beyond.
        jitter: 0 to 1, the part that is waited.
    """

    def __init__(
        self, first_s: float = 1.0, longest_s: float = 30.0, jitter: Callable[[], float] = random.random
    ) -> None:
        self._first_s = first_s
        self._longest_s = longest_s
        self._jitter = jitter
        self.failures = 0

    def next(self, asked_s: float | None = None) -> float:
        """Seconds to wait after one more failure.

        Args:
            asked_s: how long the server asks to wait; a part of `first_s` is added, since it asks all of its clients.
        """
        grown = min(self._longest_s, self._first_s * 2.0 ** min(self.failures, 30))
        self.failures += 1
        if asked_s is None:
            wait = self._jitter() * grown
        else:
            wait = min(asked_s, _MAX_ASKED_S) + self._jitter() * self._first_s
        return max(wait, min(_SHORTEST_S, self._first_s))

    def reset(self) -> None:
        """Begin again with the first wait."""
        self.failures = 0


__all__ = ["Backoff"]
