"""SQL of the store: the files under `sql/`, and statements of many rows.

`sqlite3` releases the GIL for every step of a statement, and beside a thread that computes it gets the GIL back only
after the interpreter's switch interval, 5 ms: a hundred rows in as many steps take half a second, with the write lock
held. So rows go many at a time, and the values of all of them are made before the first step.

`INSERT OR FAIL` rather than `INSERT`: for a statement of many rows that can fail SQLite keeps a copy of every page that
it changes, to undo it (2 µs a row, and files once they are many). A caller here undoes the whole transaction.
"""

from __future__ import annotations

import random
import sqlite3
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache, lru_cache
from importlib.resources import files
from itertools import chain
from typing import Any

from otel_mas.store.columns import COLUMNS

COLUMN_LIST = ", ".join(column.name for column in COLUMNS)


@cache
def load(name: str) -> str:
    """The text of `sql/<name>.sql`."""
    return files("otel_mas.store").joinpath("sql", f"{name}.sql").read_text("utf-8")


def statements(script: str) -> Iterator[str]:
    """The single statements of a script.

    `sqlite3.executescript` commits whatever transaction is open, which would make a migration more than one.
    """
    pending = ""
    for line in script.splitlines(keepends=True):
        pending += line
        if sqlite3.complete_statement(pending):
            yield pending
            pending = ""


# Few sizes, so that few statements are compiled and kept; 512 rows of 60 values are below SQLite's limit of 32,766.
_SIZES = (512, 64, 8, 1)
_ASK_AGAIN_S = (0.001, 0.004)
"""Shortest and longest pause before the write lock is asked for again."""


@contextmanager
def transaction(connection: sqlite3.Connection, kind: str = "IMMEDIATE") -> Iterator[None]:
    """Commit the block, or roll it back where it raises."""
    _begin(connection, f"BEGIN {kind}")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:  # SQLite ends it by itself where the disk is full
            connection.execute("ROLLBACK")
        raise


def _begin(connection: sqlite3.Connection, sql: str) -> None:
    """Begin a transaction, waiting for those of others as long as the connection's `patience_s`."""
    deadline = time.monotonic() + getattr(connection, "patience_s", 0.0)
    while True:
        try:
            connection.execute(sql)
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
        time.sleep(random.uniform(*_ASK_AGAIN_S))


def insert(connection: sqlite3.Connection, into: str, rows: Sequence[Sequence[object]], conflict: str = "") -> int:
    """Insert rows, in their order.

    Args:
        into: the statement up to its values: `INSERT OR IGNORE INTO links (trace, span)`.
        rows: all of the same width.
        conflict: the clause behind the values: `ON CONFLICT ...`.

    Returns:
        How many rows went in.
    """
    if not rows:
        return 0
    return insert_values(connection, into, len(rows[0]), list(chain.from_iterable(rows)), conflict)


def insert_values(
    connection: sqlite3.Connection, into: str, width: int, values: Sequence[object], conflict: str = ""
) -> int:
    """Insert rows of this width, whose values follow each other."""
    return sum(
        connection.execute(_statement(into, width, size, conflict), some).rowcount
        for size, some in _split(width, values)
    )


def insert_mappings(
    connection: sqlite3.Connection, into: str, rows: Iterable[Mapping[str, object]], conflict: str = ""
) -> int:
    """Insert rows that name their columns, those with the same columns together, so that no None is bound (0.4 µs)."""
    groups: dict[tuple[str, ...], list[object]] = {}
    for row in rows:
        groups.setdefault(tuple(row), []).extend(row.values())
    return sum(
        insert_values(connection, f"{into} ({', '.join(columns)})", len(columns), values, conflict)
        for columns, values in groups.items()
    )


def delete(connection: sqlite3.Connection, table: str, key: Sequence[str], values: Sequence[object]) -> None:
    """Delete the rows with these keys, whose values follow each other."""
    for statement, some in _of_keys(f"DELETE FROM {table}", key, values):
        connection.execute(statement, some)


def present(
    connection: sqlite3.Connection, table: str, key: Sequence[str], values: Sequence[object]
) -> set[tuple[object, ...]]:
    """The keys, of those whose values follow each other, that the table has."""
    return set(select(connection, f"SELECT {', '.join(key)} FROM {table}", key, values))


def select(
    connection: sqlite3.Connection, query: str, key: Sequence[str], values: Sequence[object]
) -> list[tuple[Any, ...]]:
    """The rows with these keys, whose values follow each other, that a query without conditions finds."""
    found: list[tuple[Any, ...]] = []
    for statement, some in _of_keys(query, key, values):
        found += connection.execute(statement, some).fetchall()
    return found


def _of_keys(statement: str, key: Sequence[str], values: Sequence[object]) -> Iterator[tuple[str, Sequence[object]]]:
    where = f"{statement} WHERE ({', '.join(key)}) IN ("
    for size, some in _split(len(key), values):
        yield _statement(where, len(key), size, ")"), some


def _split(width: int, values: Sequence[object]) -> Iterator[tuple[int, Sequence[object]]]:
    """The values in parts, each with its number of rows."""
    at, left = 0, len(values) // width
    for size in _SIZES:
        while left >= size:
            end = at + size * width
            yield size, values[at:end]
            at, left = end, left - size


@lru_cache(maxsize=1024)
def _statement(head: str, width: int, rows: int, tail: str) -> str:
    row = f"({', '.join('?' * width)})"
    return f"{head} VALUES {', '.join([row] * rows)} {tail}"
