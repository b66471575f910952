"""Locks and imports that a fork by the app leaves intact in the child, and whose turn it is while the app forks."""

from __future__ import annotations

import concurrent.futures.thread  # noqa: F401  its own handlers at a fork come in pairs: not to be added during one
import os
import sys
import threading

_SHORT_S = 0.0002  # of a thread's turn
_WAIT_S = 2.0  # of a fork for an import, which may itself wait for the thread that forks


class ForkLock:
    """A reentrant lock (`with lock:`) that is free in a forked child, whichever other thread of the parent held it."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._renew)

    def __enter__(self) -> None:
        self._lock.acquire()

    def __exit__(self, *_: object) -> None:
        self._lock.release()

    def _renew(self) -> None:
        if self._lock.acquire(blocking=False):  # it is free, or the thread that forked has it
            self._lock.release()
        else:
            self._lock = threading.RLock()


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


class SwitchInterval:
    """The interpreter's switch interval, which is short while a thread forks.

    Beside threads that compute, a thread that has let go of the GIL gets it back after one interval (5 ms) for each of
    them: the one that forks, and also the one that it waits for.
    """

    def __init__(self) -> None:
        self._lock = ForkLock()
        self._forks = 0
        self._before = 0.0
        self._set = 0.0

    def shorten(self) -> None:
        """Let threads take turns quickly until `restore`."""
        with self._lock:
            if not self._forks:
                self._before = sys.getswitchinterval()
            self._forks += 1
            sys.setswitchinterval(_SHORT_S)
            self._set = sys.getswitchinterval()

    def restore(self, *, in_child: bool = False) -> None:
        """Use the interval from before the fork again, unless another one has been set meanwhile."""
        with self._lock:
            self._forks = 0 if in_child else max(0, self._forks - 1)
            if not self._forks and sys.getswitchinterval() == self._set:
                sys.setswitchinterval(self._before)
                self._set = 0.0


imports = ImportLock()
"""The lock of imports on the app's threads."""
background_imports = ImportLock()
"""The lock of imports on our own threads, for which the app's do not wait."""
switch_interval = SwitchInterval()
"""The process's switch interval."""

__all__ = ["ForkLock", "ImportLock", "SwitchInterval", "background_imports", "imports", "switch_interval"]
