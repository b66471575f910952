"""The write-ahead log: its size, its bound, and moving what is in it into the store's file (a checkpoint).

SQLite begins the log anew once all of it is in the file and nobody reads an older state; another program that keeps a
read transaction open stops that, and the log would grow with everything that is recorded.
"""

from __future__ import annotations

import sqlite3
import threading
from contextlib import suppress
from pathlib import Path

from otel_mas.errors import StoreError, StoreJournalFull
from otel_mas.errors.log import logger
from otel_mas.store.connection import BUSY_TIMEOUT_S, JOURNAL_LIMIT
from otel_mas.store.open_store import OpenStore

MAX_JOURNAL_BYTES = 64 * 2**20
_CHECKPOINT_BYTES = 8 * 2**20  # of spans that were committed; SQLite's own checkpoints come at 8 MiB of pages, too
_PASSES = 3  # what is committed meanwhile is left over: the next pass has less to do
_FULL_WAIT_MS = 100  # before a batch


def journal_bytes(path: Path) -> int:
    """The size of a store's write-ahead log."""
    try:
        return path.with_name(path.name + "-wal").stat().st_size
    except OSError:
        return 0


def checkpoint(connection: sqlite3.Connection, wait_ms: int) -> None:
    """Move the log into the file and empty it, where nobody reads an older state for longer than `wait_ms`."""
    (patience,) = connection.execute("PRAGMA busy_timeout").fetchone()
    connection.execute(f"PRAGMA busy_timeout = {wait_ms}")
    try:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    finally:
        connection.execute(f"PRAGMA busy_timeout = {patience}")


def checkpoint_passively(connection: sqlite3.Connection) -> bool:
    """Move as much of the log into the file as can be without waiting for anyone; returns whether it was all of it."""
    busy, pages, moved = connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
    return not busy and pages == moved


def keep_within_bound(connection: sqlite3.Connection, path: Path) -> None:
    """Empty the log where it has reached the bound. Raises `StoreJournalFull` where that cannot be done."""
    size = journal_bytes(path)
    if size > JOURNAL_LIMIT:
        checkpoint_passively(connection)  # the next commit begins it anew
    if size < MAX_JOURNAL_BYTES:
        return
    checkpoint(connection, _FULL_WAIT_MS)
    if journal_bytes(path) >= MAX_JOURNAL_BYTES:
        raise StoreJournalFull(
            f"the write-ahead log of the store at {path} has reached {MAX_JOURNAL_BYTES // 2**20} MiB, since another "
            f"program keeps a read transaction open: end it (`fuser {path}` names who has the file open)"
        )


class Checkpointer:
    """Checkpoints on a thread and a connection of its own, so that no commit waits for one.

    For writers without `autocheckpoint`. If it does not keep up with them, the log grows to `JOURNAL_LIMIT`, and a
    writer checkpoints before its next commit.

    Args:
        path: of the store, which exists.
    """

    def __init__(self, path: Path) -> None:
        self._opened = OpenStore(path, BUSY_TIMEOUT_S)
        self._committed = 0
        self._due = threading.Event()
        self._ended = False
        self._thread = threading.Thread(target=self._run, name="otel-mas checkpoint", daemon=True)
        self._thread.start()

    def committed(self, size: int) -> None:
        """Count bytes that were committed. By one thread at a time."""
        self._committed += size
        if self._committed >= _CHECKPOINT_BYTES:
            self._committed = 0
            self._due.set()

    def close(self, timeout_s: float) -> None:
        """End the thread, within the time."""
        self._ended = True
        self._due.set()
        self._thread.join(timeout_s)

    def _run(self) -> None:
        while self._due.wait() and not self._ended:
            self._due.clear()
            try:
                self._checkpoint()
            except (sqlite3.Error, StoreError) as error:  # writers meet the same, and do it themselves
                logger.debug("otel-mas: no checkpoint: %s", error)
        with suppress(sqlite3.Error):
            self._opened.release()

    def _checkpoint(self) -> None:
        connection = self._opened.connection()
        for _ in range(_PASSES):
            if checkpoint_passively(connection) or self._ended:
                return


__all__ = [
    "MAX_JOURNAL_BYTES", "Checkpointer", "checkpoint", "checkpoint_passively", "journal_bytes", "keep_within_bound"
]  # fmt: skip
