"""The first bytes of a file that may be a store which this process has open.

Closing any descriptor of a file drops all of the process's POSIX locks on it, those of SQLite included: another process
then takes itself for the last one that uses the store, and removes a journal that is still written to. So a descriptor
of what may be an SQLite file is never closed; there is one for each such file.
"""

from __future__ import annotations

import os
import stat
import threading
from pathlib import Path

SQLITE_MAGIC = b"SQLite format 3\x00"

_kept: dict[tuple[int, int], int] = {}
_lock = threading.Lock()


def header(path: Path, size: int = len(SQLITE_MAGIC)) -> bytes:
    """The first bytes of a regular file; fewer where it has no more, none where it is something else.

    Raises:
        OSError: it cannot be read.
    """
    with _lock:
        found = path.stat()
        if not stat.S_ISREG(found.st_mode):
            return b""
        # While it is open, no other file gets its inode.
        descriptor = _kept.get((found.st_dev, found.st_ino))
        if descriptor is not None:
            return os.pread(descriptor, size, 0)
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_CLOEXEC", 0))
        opened = os.fstat(descriptor)
        head = os.pread(descriptor, size, 0)
        if SQLITE_MAGIC.startswith(head[: len(SQLITE_MAGIC)]):
            _kept[opened.st_dev, opened.st_ino] = descriptor
        else:
            os.close(descriptor)
        return head


def _renew_lock() -> None:
    global _lock
    _lock = threading.Lock()  # another thread of the parent may have held it at the fork


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_lock)
