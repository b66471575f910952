"""Locks and imports that a fork by the app leaves intact in the child."""

from __future__ import annotations

import concurrent.futures.thread  # noqa: F401  its own handlers at a fork come in pairs: not to be added during one
import os
import threading

_WAIT_S = 2.0  # of a fork for an import, which may itself wait for the thread that forks


class ForkLock:
    """A lock (`with lock:`) that is free in a forked child, whichever thread of the parent held it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._renew)

    def __enter__(self) -> None:
        self._lock.acquire()

    def __exit__(self, *_: object) -> None:
        self._lock.release()

    def _renew(self) -> None:
        self._lock = threading.Lock()


class ImportLock:
    """A reentrant lock around imports (`with imports:`), for which a fork waits.

    In a child that was forked in the middle of an import by another thread, the lock of the imported module is never
    released: the next import of that module would wait for ever.
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._held = False
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(before=self._hold, after_in_parent=self._release, after_in_child=self._release_in_child)

    def __enter__(self) -> None:
        self._lock.acquire()

    def __exit__(self, *_: object) -> None:
        self._lock.release()

    def _hold(self) -> None:
        self._held = self._lock.acquire(timeout=_WAIT_S)

    def _release(self) -> None:
        if self._held:
            self._held = False
            self._lock.release()

    def _release_in_child(self) -> None:
        if not self._held:
            self._lock = threading.RLock()  # held by a thread that is not in the child
        self._release()


imports = ImportLock()
"""The lock of imports on the app's threads."""
background_imports = ImportLock()
"""The lock of imports on our own threads, for which the app's do not wait."""

__all__ = ["ForkLock", "ImportLock", "background_imports", "imports"]
