"""How long to wait before the next try: exponentially longer, with jitter, and never shorter than the server asks."""

from __future__ import annotations

import random
from collections.abc import Callable

_LONGEST_ASKED_S = 3600.0


class Backoff:
    """Waits of one destination.

    Args:
        first_s: the first wait, before jitter.
        longest_s: waits do not grow beyond.
        jitter: 0 to 1; waits are half to one and a half of what they would be.
    """

    def __init__(
        self, first_s: float = 1.0, longest_s: float = 30.0, jitter: Callable[[], float] = random.random
    ) -> None:
        self._first_s = first_s
        self._longest_s = longest_s
        self._jitter = jitter
        self.failures = 0

    def next(self, asked_s: float | None = None) -> float:
        """Seconds to wait after one more failure."""
        grown = min(self._longest_s, self._first_s * 2.0 ** min(self.failures, 30))
        self.failures += 1
        spread = grown * (0.5 + self._jitter())
        return spread if asked_s is None else max(min(asked_s, _LONGEST_ASKED_S), min(spread, self._first_s))

    def reset(self) -> None:
        """It works again."""
        self.failures = 0
