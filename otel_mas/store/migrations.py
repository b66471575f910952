"""What takes a store from one layout to the next: ordered, named functions, one transaction each."""

from __future__ import annotations

import secrets
import sqlite3
import time
from collections.abc import Callable

from otel_mas.config.server import masked_url
from otel_mas.store.statements import load, statements

APPLICATION_ID = 0x6D617301
"""`PRAGMA application_id` of a store: what tells it from any other SQLite file."""


def m0001_first(connection: sqlite3.Connection) -> None:
    """Everything: spans, open spans, links, traces, messages, contents, and who recorded them."""
    for statement in statements(load("0001_first")):
        connection.execute(statement)
    connection.executemany(
        "INSERT INTO store (name, value) VALUES (?, ?)",
        [
            ("id", secrets.token_hex(16)),
            ("digest_key", secrets.token_bytes(32)),
            ("created_ns", time.time_ns()),
        ],
    )


def m0002_destinations(connection: sqlite3.Connection) -> None:
    """Who ships the log, how far they are, and what they could not ship."""
    for statement in statements(load("0002_destinations")):
        connection.execute(statement)


def m0003_run_rank(connection: sqlite3.Connection) -> None:
    """Whether the run that a trace's status comes from is its root."""
    for statement in statements(load("0003_run_rank")):
        connection.execute(statement)


def m0004_drops(connection: sqlite3.Connection) -> None:
    """Drops by reason, of each process and of each trace."""
    for statement in statements(load("0004_drops")):
        connection.execute(statement)


def m0005_rejections(connection: sqlite3.Connection) -> None:
    """Which spans a destination refused, and why."""
    for statement in statements(load("0005_rejections")):
        connection.execute(statement)


def m0006_masked_destinations(connection: sqlite3.Connection) -> None:
    """Destinations named without the query of their URL, which may hold a key; of two with one name the furthest."""
    before = connection.execute("PRAGMA secure_delete").fetchone()[0]
    connection.execute("PRAGMA secure_delete = ON")
    found = connection.execute("SELECT id, name FROM destinations WHERE name LIKE 'otlp+%?%' ORDER BY cursor DESC")
    for key, name in found.fetchall():
        kind, _, url = name.partition(":")
        masked = f"{kind}:{masked_url(url)}"
        if masked == name or connection.execute("SELECT 1 FROM destinations WHERE name = ?", (masked,)).fetchone():
            connection.execute("DELETE FROM destinations WHERE id = ? AND name <> ?", (key, masked))
        else:
            connection.execute("UPDATE destinations SET name = ?, error = NULL WHERE id = ?", (masked, key))
    connection.execute(f"PRAGMA secure_delete = {before}")


MIGRATIONS: tuple[Callable[[sqlite3.Connection], None], ...] = (
    m0001_first,
    m0002_destinations,
    m0003_run_rank,
    m0004_drops,
    m0005_rejections,
    m0006_masked_destinations,
)
VERSION = len(MIGRATIONS)


def migrate(connection: sqlite3.Connection, digest_key: bytes | None = None) -> None:
    """Bring a store, or an empty file, to `VERSION`. Two processes may do so at the same time.

    Args:
        digest_key: of a store that is created here; else a random one.
    """
    while _version(connection) < VERSION:
        connection.execute("BEGIN IMMEDIATE")
        try:
            done = _version(connection)  # asked again: somebody else may have come first
            if done < VERSION:
                MIGRATIONS[done](connection)
                if not done and digest_key is not None:
                    connection.execute("UPDATE store SET value = ? WHERE name = 'digest_key'", (digest_key,))
                connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
                connection.execute(f"PRAGMA user_version = {done + 1}")
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:  # SQLite ends it by itself where the disk is full
                connection.execute("ROLLBACK")
            raise


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])
