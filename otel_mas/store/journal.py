"""The write-ahead log, kept within a bound.

SQLite begins the log anew once all of it is in the file and nobody reads an older state. Another program that keeps a
read transaction open stops that, and the log would grow with everything that is recorded.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

from otel_mas.errors import StoreJournalFull

MAX_BYTES = 64 * 2**20
_WAIT_MS = 100


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


def keep_within_bound(connection: sqlite3.Connection, path: Path, max_bytes: int = MAX_BYTES) -> None:
    """Empty the log where it has reached the bound. Raises `StoreJournalFull` where that cannot be done."""
    if journal_bytes(path) < max_bytes:
        return
    checkpoint(connection, _WAIT_MS)
    if journal_bytes(path) >= max_bytes:
        raise StoreJournalFull(
            f"the write-ahead log of the store at {path} has reached {max_bytes // 2**20} MiB, since another program "
            f"keeps a read transaction open: end it (`fuser {path}` names who has the file open)"
        )
