"""Imports that threads make while the app runs: a fork waits for those that are under way.

In a child that was forked in the middle of an import by another thread, the import's lock is never released: whoever
imports that module next would wait for ever.
"""

from __future__ import annotations

import concurrent.futures.thread  # noqa: F401  its own handlers at a fork come in pairs: not to be added during one
import os
import threading

_WAIT_S = 2.0  # of a fork: the import may itself wait for the thread that forks


class _Imports:
    """A context manager around imports (`with imports:`); reentrant."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._held = False

    def __enter__(self) -> None:
        self._lock.acquire()

    def __exit__(self, *_: object) -> None:
        self._lock.release()

    def hold(self) -> None:
        self._held = self._lock.acquire(timeout=_WAIT_S)

    def release(self) -> None:
        if self._held:
            self._held = False
            self._lock.release()

    def release_in_child(self) -> None:
        if not self._held:
            self._lock = threading.RLock()  # of a thread that is not here
        self.release()


imports = _Imports()
"""The lock of imports on the app's threads."""

background_imports = _Imports()
"""The lock of imports on our own threads, for which the app's do not wait."""

if hasattr(os, "register_at_fork"):
    for _each in (imports, background_imports):
        os.register_at_fork(before=_each.hold, after_in_parent=_each.release, after_in_child=_each.release_in_child)

__all__ = ["background_imports", "imports"]
