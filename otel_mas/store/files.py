"""The files of an open store, and whether they are still the ones at its path.

A user may remove, rename or replace them while a process records. SQLite goes on in the files that it has open.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from otel_mas.errors import StoreLocked, StoreReplaced
from otel_mas.store.descriptors import Identity, identity

try:
    import fcntl
except ImportError:  # Windows, where an open file can be neither removed nor replaced
    fcntl = None  # type: ignore[assignment]


class StoreConnection(sqlite3.Connection):
    """A connection that knows which files it has open."""

    path: Path
    files: dict[Path, Identity | None]
    """The database, its write-ahead log and its shared memory."""

    def watch(self, path: Path, opened: Identity | None) -> None:
        """Remember the files at `path`, once SQLite has opened them all.

        Args:
            opened: the database, from before SQLite opened it.

        Raises:
            StoreLocked: it was replaced in between; it can be opened again.
        """
        self.path = path
        self.files = {file: identity(file) for file in (path, *journals(path))}
        if self.files[path] != opened:
            raise StoreLocked(f"the store at {path} was replaced while it was opened: try again")

    def is_current(self) -> bool:
        """Whether the files at the path are those that are open: 3 µs."""
        return all(identity(file) == known for file, known in self.files.items())

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
