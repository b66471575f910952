"""The amounts that other processes have spent, by the store, and what this one has added to them there."""

from __future__ import annotations

import os
import time
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Final

from otel_mas.errors import OtelMasError
from otel_mas.errors.log import logger
from otel_mas.fork import ForkLock
from otel_mas.record import RecentlyUsed, caught, recorder
from otel_mas.store.spending import Counted, Spending, SpendingKey, Spent

_MOST_KEYS: Final = 16_384
_FRESH_S: Final = 0.02
"""Seconds that an amount is taken for current: a fan-out reads it once."""
_NOTHING: Final = Spent()
_NEVER: Final = 2**63 - 1


class Ledger:
    """Amounts by key, in the store that this process records into; of this process alone where it records nowhere.

    Each method blocks for a transaction of the store, 0.1 ms as a rule and a second at most.
    """

    def __init__(self) -> None:
        self._lock = ForkLock()
        self._opened: tuple[int, str, Spending] | None = None  # of a process and a path
        self._left: list[Spending] = []  # a forked child does not close what is its parent's
        self._failed: str | None = None  # the path that cannot be used
        self._added: RecentlyUsed[SpendingKey, Spent] = RecentlyUsed(_MOST_KEYS)
        self._unwritten: dict[SpendingKey, Spent] = {}
        self._read: RecentlyUsed[SpendingKey, tuple[float, Counted]] = RecentlyUsed(_MOST_KEYS)

    def added(self, key: SpendingKey) -> Spent:
        """The amount that this process has added."""
        return self._added.get(key) or _NOTHING

    def others(self, key: SpendingKey) -> Spent:
        """The amount that other processes have added, as it was read last."""
        found = self._read.get(key)
        return _NOTHING if found is None else found[1].spent.minus(self.added(key))

    def first_ns(self, key: SpendingKey) -> int:
        """The start of what was counted first, in nanoseconds since the Unix epoch; far off where nothing was."""
        found = self._read.get(key)
        return _NEVER if found is None else found[1].first_ns

    def refresh(self, keys: Collection[SpendingKey]) -> None:
        """Read the amounts of these keys, unless that was done just now."""
        now = time.monotonic()
        stale = [key for key in keys if (found := self._read.get(key)) is None or now - found[0] > _FRESH_S]
        if stale:
            with self._lock:
                self._read_again(stale)

    def add(self, spent: Spent, keys: Mapping[SpendingKey, int | None], first_ns: int) -> None:
        """Add an amount to each of these keys, which have the times when they can be forgotten."""
        if not keys:
            return
        with self._lock:
            spending = self._spending()
            if spending is None:
                return
            amounts = {key: spent.plus(self._unwritten.pop(key, _NOTHING)) for key in keys}
            try:
                spending.add({key: (amounts[key], expires) for key, expires in keys.items()}, first_ns)
            except OtelMasError as error:
                self._unwritten.update(amounts)  # with the next call, then
                caught("budgets: count", error)
                return
            for key, amount in amounts.items():
                self._note_added(key, amount)

    def _note_added(self, key: SpendingKey, amount: Spent) -> None:
        self._added.put(key, self.added(key).plus(amount))
        found = self._read.get(key)
        if found is not None:
            self._read.put(key, (found[0], found[1]._replace(spent=found[1].spent.plus(amount))))

    def _read_again(self, keys: Collection[SpendingKey]) -> None:
        spending = self._spending()
        if spending is None:
            return
        try:
            found = spending.read(keys)
        except OtelMasError as error:
            caught("budgets: read", error)
            return
        now = time.monotonic()
        for key in keys:
            self._read.put(key, (now, found.get(key) or Counted(self.added(key), _NEVER)))

    def _spending(self) -> Spending | None:
        """The store; None where this process does not record, or the store cannot be used, which is said once."""
        if not recorder().active:
            return None
        path = recorder().settings.store
        if path == self._failed:
            return None
        if self._opened is not None:
            if self._opened[:2] == (os.getpid(), path):
                return self._opened[2]
            self._left.append(self._opened[2])
        try:
            self._opened = os.getpid(), path, Spending(Path(path))
        except OtelMasError as error:
            self._failed = path
            logger.warning("otel-mas: budgets are counted in this process only, since %s", error)
            return None
        return self._opened[2]


LEDGER: Final = Ledger()
"""The process's."""

__all__ = ["LEDGER", "Ledger"]
