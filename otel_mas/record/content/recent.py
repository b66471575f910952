"""A bounded mapping of the entries used last."""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, Generic, TypeVar
from weakref import WeakSet

K = TypeVar("K")
V = TypeVar("V")

_ALL: WeakSet[RecentlyUsed[Any, Any]] = WeakSet()


class RecentlyUsed(Generic[K, V]):
    """Keeps its `size` most recently used entries. Safe to use from several threads, and after a fork."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._entries: OrderedDict[K, V] = OrderedDict()
        self._lock = threading.RLock()  # a finalizer of what is forgotten may come in again
        _ALL.add(self)

    def __len__(self) -> int:
        return len(self._entries)

    def put(self, key: K, value: V) -> None:
        with self._lock:
            self._entries[key] = value
            self._entries.move_to_end(key)
            if len(self._entries) > self._size:
                self._entries.popitem(last=False)

    def get(self, key: K) -> V | None:
        with self._lock:
            value = self._entries.get(key)
            if value is not None:
                self._entries.move_to_end(key)
            return value

    def setdefault(self, key: K, value: V) -> V:
        """The entry of this key; `value` where there is none yet."""
        with self._lock:
            known = self._entries.setdefault(key, value)
            self._entries.move_to_end(key)
            if len(self._entries) > self._size:
                self._entries.popitem(last=False)
            return known

    def pop(self, key: K) -> V | None:
        if key not in self._entries:
            return None
        with self._lock:
            return self._entries.pop(key, None)

    def shrink(self, weight: Callable[[V], int], limit: int) -> None:
        """Forget the entries used least recently, until the rest weighs no more than `limit`."""
        with self._lock:
            total = sum(map(weight, list(self._entries.values())))
            while total > limit and self._entries:
                total -= weight(self._entries.popitem(last=False)[1])

    def clear(self) -> None:
        with self._lock:
            self._entries.clear()


def _renew_locks() -> None:
    for one in list(_ALL):
        one._lock = threading.RLock()  # another thread of the parent may have held it at the fork


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_locks)

__all__ = ["RecentlyUsed"]
