"""The first bytes of a file that may be a store which this process has open."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from otel_mas.store import descriptors

SQLITE_MAGIC = b"SQLite format 3\x00"


def header(path: Path, size: int = len(SQLITE_MAGIC)) -> bytes:
    """The first bytes of a regular file; fewer where it has no more, none where it is something else.

    A file that this process has open is read through the descriptor that is there: closing another one would drop the
    locks that SQLite holds on it, and the next process that comes and goes would remove a journal still in use.

    Raises:
        OSError: it cannot be read.
    """
    with descriptors.opening:
        found = path.stat()
        if not stat.S_ISREG(found.st_mode):
            return b""
        file = found.st_dev, found.st_ino
        for descriptor in descriptors.descriptors_of({file}):
            try:
                return os.pread(descriptor, size, 0)
            except OSError:  # open for writing only, or closed meanwhile
                pass
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_CLOEXEC", 0))
        try:
            return os.pread(descriptor, size, 0)
        finally:
            # Left open in the rare case that the app has opened an SQLite file of its own in between.
            if descriptors.descriptors_of({file}).keys() <= {descriptor}:
                os.close(descriptor)
