"""The files of a store: permissions, the first bytes, open descriptors, and whether they are still those at the path.

POSIX drops all locks that a process holds on a file when it closes any descriptor of that file, and SQLite's locks are
of that kind. A user may remove, rename or replace the files while a process records; SQLite goes on in the files that
it has open. The app may close all descriptors of its process, as a program that becomes a daemon does; SQLite goes on
in the files that get their numbers.
"""

from __future__ import annotations

import math
import os
import sqlite3
import stat
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from otel_mas.errors import StoreClosed, StoreLocked, StoreReplaced
from otel_mas.errors.log import logger
from otel_mas.fork import ForkLock

try:
    import fcntl
except ImportError:  # Windows, where an open file can be neither removed nor replaced
    fcntl = None  # type: ignore[assignment]

Identity = tuple[int, int]
"""Device and inode. No other file has them while this one is open."""

SQLITE_MAGIC = b"SQLite format 3\x00"
_MAX_DESCRIPTORS = 4096  # that are looked at where the system does not list the open ones
_BUSY_MS = 5  # of SQLite itself
_ENDS = frozenset({"COMMIT", "ROLLBACK"})  # of a transaction: nothing is gained by interrupting them
_COPYING_NS = 500_000_000
_OTHERS = stat.S_IRWXG | stat.S_IRWXO

opening = ForkLock()
"""Held while a store is opened for writing, so that its descriptors are not mixed up with another connection's."""
looking = ForkLock()
"""Held while a file that may be a store is looked into, so that no lock on it is dropped in between."""


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
        return range(_MAX_DESCRIPTORS)


def header(path: Path, size: int = len(SQLITE_MAGIC)) -> bytes:
    """The first bytes of a regular file; fewer where it has no more, none where it is something else.

    A file that this process has open is read through its open descriptor: closing another one would drop the locks that
    SQLite holds on the file, and the next process that comes and goes would remove a journal still in use.

    Raises:
        OSError: it cannot be read.
    """
    with looking:
        found = path.stat()
        if not stat.S_ISREG(found.st_mode):
            return b""
        file = found.st_dev, found.st_ino
        for descriptor in descriptors_of({file}):
            try:
                return os.pread(descriptor, size, 0)
            except OSError:  # open for writing only, or closed meanwhile
                pass
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_CLOEXEC", 0))
        try:
            return os.pread(descriptor, size, 0)
        finally:
            # Left open in the rare case that the app has opened an SQLite file of its own in between.
            if descriptors_of({file}).keys() <= {descriptor}:
                os.close(descriptor)


def make_private(*paths: Path) -> None:
    """Take the permissions of group and others from regular files that had them, and say so once.

    A file of another owner stays as it is: it cannot be changed, and recording goes on.
    """
    changed = [(path, mode) for path in paths if (mode := _narrowed(path)) is not None] if os.name == "posix" else []
    if changed:
        path, mode = changed[0]
        logger.warning("otel-mas: %s was open to others (mode %03o): it is private now (600)", path, mode)


def private_folder(path: Path) -> None:
    """Make a folder, and those above it that are missing, for their owner alone."""
    missing = []
    while not path.exists():
        missing.append(path)
        path = path.parent
    for one in reversed(missing):
        one.mkdir(mode=0o700, exist_ok=True)


def _narrowed(path: Path) -> int | None:
    try:
        mode = path.stat().st_mode
        if not stat.S_ISREG(mode) or not mode & _OTHERS:
            return None
        path.chmod(stat.S_IMODE(mode) & ~_OTHERS)
    except OSError:
        return None
    return stat.S_IMODE(mode)


class Interruption:
    """A request to end the transaction that another thread is in: its next statement raises, once."""

    def __init__(self) -> None:
        self.at = math.inf
        """When it is due, by `time.monotonic`."""

    def heed(self) -> None:
        """Raise as SQLite does where `interrupt` meets a statement, if it is due."""
        if time.monotonic() < self.at:
            return
        self.at = math.inf
        error = sqlite3.OperationalError("interrupted")
        error.sqlite_errorcode = sqlite3.SQLITE_INTERRUPT
        raise error


class StoreConnection(sqlite3.Connection):
    """A connection that knows which files it has open."""

    interruption = Interruption()
    """Heeded by every statement. This one is never due."""
    patience_s = 0.0
    """Seconds for which a transaction waits for those of other processes, beyond SQLite's busy timeout."""
    path: Path
    files: dict[Path, Identity | None]
    """The database, its write-ahead log and its shared memory."""
    descriptors: dict[Identity, list[int]]
    """The descriptors of each file: those that were new once the connection was open."""

    def execute(self, sql: str, *parameters: Any) -> sqlite3.Cursor:
        """As `sqlite3.Connection.execute`; raises once another thread wants the transaction to end."""
        if self.interruption.at != math.inf and sql not in _ENDS:
            self.interruption.heed()
        return super().execute(sql, *parameters)

    def executemany(self, sql: str, parameters: Any, /) -> sqlite3.Cursor:
        """As `sqlite3.Connection.executemany`; raises as `execute` does."""
        if self.interruption.at != math.inf:
            self.interruption.heed()
        return super().executemany(sql, parameters)

    def take_turns(self, timeout_s: float) -> None:
        """Wait for up to `timeout_s` for transactions of others, and ask for the write lock every few milliseconds.

        SQLite's busy timeout asks every 100 ms in the end: beside a process that writes without a pause it may not get
        its turn for many seconds.
        """
        self.patience_s = timeout_s
        super().execute(f"PRAGMA busy_timeout = {min(_BUSY_MS, round(1_000 * timeout_s))}")

    def watch(self, path: Path, opened: Identity | None, before: Collection[int]) -> None:
        """Remember the files at `path`, once SQLite has opened them all.

        Args:
            opened: the database, from before SQLite opened it.
            before: descriptors of these files that were open then.

        Raises:
            StoreLocked: it was replaced in between; it can be opened again.
        """
        self.path = path
        self.files = {file: identity(file) for file in (path, *journals(path))}
        self.descriptors = {}
        for descriptor, file in descriptors_of({file for file in self.files.values() if file}).items():
            self.descriptors.setdefault(file, []).append(descriptor)
        for file, found in self.descriptors.items():  # SQLite uses one again that it could not close before
            self.descriptors[file] = [descriptor for descriptor in found if descriptor not in before] or found
        if self.files[path] != opened:
            raise StoreLocked(f"the store at {path} was replaced while it was opened: try again")

    def is_current(self) -> bool:
        """Whether the files at the path are those that are open: 3 µs."""
        return all(identity(file) == known for file, known in self.files.items())

    def is_intact(self) -> bool:
        """Whether the descriptors are still those of the store's files: 2 µs."""
        return all(any(identity(one) == file for one in found) for file, found in self.descriptors.items())

    def abandon(self) -> None:
        """Never use or close the connection: SQLite would write to, and close, whatever has its descriptors now."""
        import ctypes  # hardly ever needed

        ctypes.pythonapi.Py_IncRef(ctypes.py_object(self))

    def give_up(self) -> None:
        """Close the connection to files that are not at the path any more; what is there now stays as it is.

        A file that was renamed gets all that was committed to it. SQLite leaves the journals of a database that was
        moved where they are: they are removed, since it would take them for those of the next database at the path.
        """
        with suppress(sqlite3.Error):
            if self.in_transaction:
                self.execute("ROLLBACK")
            if identity(self.path) != self.files[self.path]:
                self.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
        with changing(self.path.parent):
            if identity(self.path) != self.files[self.path]:
                # While they are open, no other file has their inodes.
                _remove(file for file in journals(self.path) if identity(file) == self.files.get(file, ()))
            self.close()


def journals(path: Path) -> tuple[Path, Path]:
    """The write-ahead log and the shared memory of a database, which lie beside the file that a link points to."""
    file = path.resolve()
    return file.with_name(f"{file.name}-wal"), file.with_name(f"{file.name}-shm")


def replaced(path: Path) -> StoreReplaced:
    """The error for a store whose files are not at its path any more."""
    return StoreReplaced(f"the store at {path} was removed, renamed or replaced while it was in use")


def closed(path: Path) -> StoreClosed:
    """The error for a store whose descriptors were closed by the app."""
    return StoreClosed(
        f"the app has closed the file descriptors of the store at {path}: start recording after it has done that"
    )


def store_descriptors(path: Path) -> set[int]:
    """The descriptors of this process that are open on the files of a store."""
    files = {identity(file) for file in (path, *journals(path))}
    return set(descriptors_of({file for file in files if file}))


def is_settled(path: Path) -> bool:
    """Whether the file at a path, if there is one, has not been written to just now: a backup is being copied there."""
    try:
        return time.time_ns() - path.stat().st_mtime_ns > _COPYING_NS
    except OSError:
        return True


def remove_stale_journals(path: Path) -> None:
    """Remove journals that were left without a database, which would be taken for those of the next one."""
    if not path.exists():
        _remove(journals(path))


@contextmanager
def changing(folder: Path) -> Iterator[None]:
    """One process at a time creates a store in a folder, or removes journals from it."""
    descriptor = -1
    try:
        if fcntl is not None:
            with suppress(OSError):  # the folder is gone, or its file system has no locks
                descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
                fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        if descriptor >= 0:
            os.close(descriptor)


def _remove(files: Iterator[Path] | tuple[Path, ...]) -> None:
    for file in files:
        with suppress(OSError):
            file.unlink()
