"""The open file descriptors of this process, and which file each of them is of.

POSIX drops all locks that a process holds on a file when it closes any descriptor of that file, and SQLite's locks are
of that kind. A descriptor may also have been closed, and its number given to another file, by the app: a program that
becomes a daemon closes all of them.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Collection
from pathlib import Path

Identity = tuple[int, int]
"""Device and inode. No other file has them while this one is open."""

_FEW = 4096  # descriptors that are looked at where the system does not list the open ones

opening = threading.Lock()
"""Held while a file that may be a store is opened or closed, so that no lock is dropped in between."""


def identity(file: Path | int) -> Identity | None:
    """Device and inode of the file at a path or behind a descriptor; None where there is none."""
    try:
        found = os.stat(file)
    except (OSError, ValueError):
        return None
    return found.st_dev, found.st_ino


def descriptors_of(files: Collection[Identity]) -> dict[int, Identity]:
    """The descriptors that are open on any of these files."""
    found: dict[int, Identity] = {}
    for descriptor in _candidates():
        file = identity(descriptor)
        if file is not None and file in files:
            found[descriptor] = file
    return found


def _candidates() -> Collection[int]:
    try:
        return [int(name) for name in os.listdir("/dev/fd")]
    except (OSError, ValueError):
        return range(_FEW)


def _renew_lock() -> None:
    global opening
    opening = threading.Lock()  # another thread of the parent may have held it at the fork


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_lock)
