"""Amounts spent within budgets, added up over all processes that record into a store."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import NamedTuple

from otel_mas.store.connection import translated_errors
from otel_mas.store.open_store import OpenStore
from otel_mas.store.statements import select, transaction

_READ = "SELECT per, key, usd, tokens, calls, unpriced, seconds, first_ns FROM spending"
_ADD = (
    "INSERT INTO spending (per, key, usd, tokens, calls, unpriced, seconds, first_ns, expires_ns) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (per, key) DO UPDATE SET usd = usd + excluded.usd, "
    "tokens = tokens + excluded.tokens, calls = calls + excluded.calls, unpriced = unpriced + excluded.unpriced, "
    "seconds = seconds + excluded.seconds, first_ns = min(first_ns, excluded.first_ns), "
    "expires_ns = excluded.expires_ns"
)


class SpendingKey(NamedTuple):
    """The thing that an amount is counted for."""

    per: str
    """`run`, `agent`, `user` or `conversation`."""
    key: str


class Spent(NamedTuple):
    """An amount: USD, tokens of models, calls of models and tools, model calls without a price, seconds of models."""

    usd: float = 0.0
    tokens: int = 0
    calls: int = 0
    unpriced: int = 0
    seconds: float = 0.0

    def plus(self, other: Spent) -> Spent:
        """Both together."""
        return Spent._make(mine + its for mine, its in zip(self, other, strict=True))

    def minus(self, other: Spent) -> Spent:
        """This amount without a part of it."""
        return Spent._make(mine - its for mine, its in zip(self, other, strict=True))


class Counted(NamedTuple):
    """An amount in the store."""

    spent: Spent
    first_ns: int
    """The start of what was counted first, in nanoseconds since the Unix epoch."""


class Spending:
    """Amounts in a store, read and added to by many processes. Its methods may block for `timeout_s`.

    Args:
        path: of the store, which is made where there is none.
        timeout_s: to wait for other processes' transactions.
        clock: nanoseconds since the Unix epoch.

    Raises:
        StoreError: The store cannot be used.
    """

    def __init__(self, path: Path, timeout_s: float = 1.0, clock: Callable[[], int] = time.time_ns) -> None:
        self._store, self._clock = OpenStore(path, timeout_s), clock
        with translated_errors(self._store.path), transaction(self._store.connection()):
            self._store.connection().execute("DELETE FROM spending WHERE expires_ns < ?", (clock(),))

    def read(self, keys: Collection[SpendingKey]) -> dict[SpendingKey, Counted]:
        """The amounts of these keys; those that nothing was spent on are left out.

        Raises:
            StoreError: The store cannot be read.
        """
        with translated_errors(self._store.path):
            found = select(self._store.connection(), _READ, ("per", "key"), [part for key in keys for part in key])
        return {SpendingKey(*row[:2]): Counted(Spent(*row[2:7]), row[7]) for row in found}

    def add(self, amounts: Mapping[SpendingKey, tuple[Spent, int | None]], first_ns: int) -> None:
        """Add to the amounts of keys, in one transaction.

        Args:
            amounts: each with the time when it can be forgotten, in nanoseconds since the Unix epoch; None: never.
            first_ns: when what spent it began.

        Raises:
            StoreError: The store cannot be written.
        """
        with translated_errors(self._store.path):
            connection: sqlite3.Connection = self._store.connection()
            with transaction(connection):
                connection.executemany(
                    _ADD, [(*key, *spent, first_ns, expires_ns) for key, (spent, expires_ns) in amounts.items()]
                )

    def close(self) -> None:
        """Close the store; the next use opens it again."""
        self._store.release()


__all__ = ["Counted", "Spending", "SpendingKey", "Spent"]
