"""Migrations from one layout of the store to the next: in order, one transaction each."""

from __future__ import annotations

import secrets
import sqlite3
import time
from collections.abc import Callable

from otel_mas.config.server import masked_url
from otel_mas.store.statements import load, statements, transaction

APPLICATION_ID = 0x6D617301
"""`PRAGMA application_id` of a store, which tells it from any other SQLite file."""


def _script(name: str) -> Callable[[sqlite3.Connection], None]:
    """The migration that runs `sql/<name>.sql`, whose first line tells what it adds."""

    def run(connection: sqlite3.Connection) -> None:
        for statement in statements(load(name)):
            connection.execute(statement)

    return run


def m0001_first(connection: sqlite3.Connection) -> None:
    """The first layout, and the identity of a store."""
    _script("0001_first")(connection)
    connection.executemany(
        "INSERT INTO store (name, value) VALUES (?, ?)",
        [("id", secrets.token_hex(16)), ("digest_key", secrets.token_bytes(32)), ("created_ns", time.time_ns())],
    )


def m0006_masked_destinations(connection: sqlite3.Connection) -> None:
    """Name destinations without the query of their URL, which may hold a key; of two alike keep the furthest."""
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
    _script("0002_destinations"),
    _script("0003_run_rank"),
    _script("0004_drops"),
    _script("0005_rejections"),
    m0006_masked_destinations,
    _script("0007_facets"),
    _script("0008_contents"),
    _script("0009_rates"),
    _script("0010_budgets"),
    _script("0011_process_figures"),
)
VERSION = len(MIGRATIONS)


def migrate(connection: sqlite3.Connection, digest_key: bytes | None = None) -> None:
    """Bring a store, or an empty file, to `VERSION`. Two processes may do so at the same time.

    Args:
        digest_key: of a store that is created here; else a random one.
    """
    while _version(connection) < VERSION:
        with transaction(connection):
            done = _version(connection)  # read again: another process may have come first
            if done < VERSION:
                MIGRATIONS[done](connection)
                if not done and digest_key is not None:
                    connection.execute("UPDATE store SET value = ? WHERE name = 'digest_key'", (digest_key,))
                connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
                connection.execute(f"PRAGMA user_version = {done + 1}")


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])
