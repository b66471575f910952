"""Accounts: the amounts spent of one budget, by one run, agent, user or conversation."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

from otel_mas.config.limits import Every, Limits
from otel_mas.instrumentation.budgets.ledger import LEDGER
from otel_mas.store.spending import SpendingKey, Spent

_MOST_TRACES: Final = 8
"""Traces of one account whose amounts are known one by one."""
_UNDER_WAY_S: Final = 600.0
"""Seconds after which a call whose end was not seen is under way no more."""
_KEPT_NS: Final = 7 * 86_400 * 10**9
"""Nanoseconds that an amount is kept in the store after its run began, or its time is over."""
_FORMATS: Final[Mapping[Every, str]] = {"hour": "%Y-%m-%dT%H", "day": "%Y-%m-%d", "month": "%Y-%m"}
_NOTHING: Final = Spent()


class UnderWay(NamedTuple):
    """Amounts that the model calls under way may add, each as much as the mean of those before."""

    calls: int
    usd: float
    tokens: float


class Account:
    """Amounts that have been spent; callers hold a lock.

    Args:
        per: what it is counted for.
        owner: the run, agent, user or conversation, for people.
    """

    def __init__(self, per: str, owner: str) -> None:
        self.per = per
        self.owner = owner
        self.own = _NOTHING
        """Spent by this process."""
        self.keys: dict[SpendingKey, None] = {}
        """Keys that other processes count under, too: the traces of a block, or one user or conversation."""
        self.warned: set[tuple[Limits, str]] = set()
        self._began = time.monotonic()
        self._began_ns = time.time_ns()
        self._ended = 0  # model calls
        self._open: dict[object, float] = {}

    def count_at(self, key: SpendingKey) -> None:
        """Count what other processes spend under one more key."""
        if key in self.keys:
            return
        if len(self.keys) >= _MOST_TRACES:
            oldest = next(iter(self.keys))
            self.own = self.own.plus(LEDGER.others(oldest))
            del self.keys[oldest]
        self.keys[key] = None

    def begin(self, call: object, *, model: bool) -> None:
        """Count a call, which begins."""
        self.own = self.own.plus(Spent(calls=1))
        if model:
            self._open[call] = time.monotonic()

    def end(self, call: object, spent: Spent) -> None:
        """Add what a call has spent."""
        self.own = self.own.plus(spent)
        if self._open.pop(call, None) is not None and (spent.tokens or spent.usd):
            self._ended += 1

    def spent(self) -> Spent:
        """All that was spent, by every process; the store as it was read last."""
        found = self.own
        for key in self.keys:
            found = found.plus(LEDGER.others(key))
        return found

    def under_way(self) -> UnderWay:
        """The model calls that have not ended."""
        if not self._open:
            return UnderWay(0, 0.0, 0.0)
        since = time.monotonic() - _UNDER_WAY_S
        self._open = {call: began for call, began in self._open.items() if began > since}
        number, each = len(self._open), max(self._ended, 1)
        return UnderWay(number, number * self.own.usd / each, number * self.own.tokens / each)

    def elapsed_s(self) -> float:
        """Seconds since it began, in whichever process."""
        first = min((LEDGER.first_ns(key) for key in self.keys), default=self._began_ns)
        return time.monotonic() - self._began + max(0, self._began_ns - first) / 1e9


def trace_key(per: str, trace_id: str, agent: str = "") -> tuple[SpendingKey, int]:
    """The key of a run, or of an agent in it, and the time when it can be forgotten."""
    return SpendingKey(per, f"{trace_id}/{agent}" if agent else trace_id), time.time_ns() + _KEPT_NS


def lasting_key(limits: Limits, owner: str) -> tuple[SpendingKey, int | None]:
    """The key of a user or a conversation for the time that counts now, and when it can be forgotten."""
    if limits.every is None:
        return SpendingKey(limits.per, owner), None
    now = datetime.now(UTC)
    over = now + {"hour": timedelta(hours=1), "day": timedelta(days=1), "month": timedelta(days=31)}[limits.every]
    key = SpendingKey(limits.per, f"{owner}@{now.strftime(_FORMATS[limits.every])}")
    return key, int(over.timestamp() * 1e9) + _KEPT_NS


__all__ = ["Account", "UnderWay", "lasting_key", "trace_key"]
