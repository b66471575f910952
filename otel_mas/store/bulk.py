"""Many rows a statement.

`sqlite3` lets go of the GIL for every step of a statement, and beside a thread that computes it gets the GIL back only
after the interpreter's switch interval, 5 ms: a hundred rows in as many steps take half a second, with the write
lock held. So rows go many at a time, and what is computed for them takes the GIL once.

`INSERT OR FAIL` rather than `INSERT`: for a statement of many rows that can fail SQLite keeps a copy of every page that
it changes, to undo it (2 µs a row, and files once they are many). Whoever writes here undoes the whole transaction.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import chain
from typing import Any

# Few sizes, so that few statements are compiled and kept; 64 rows of 60 values are far from SQLite's limit of 32,766.
_SIZES = (64, 8, 1)


def insert(connection: sqlite3.Connection, into: str, rows: Sequence[Sequence[object]], conflict: str = "") -> int:
    """Insert rows, in their order.

    Args:
        into: the statement up to its values: `INSERT OR IGNORE INTO links (trace, span)`.
        rows: all of the same width.
        conflict: what stands behind the values: `ON CONFLICT ...`.

    Returns:
        How many rows went in.
    """
    if not rows:
        return 0
    return insert_values(connection, into, len(rows[0]), list(chain.from_iterable(rows)), conflict)


def insert_values(
    connection: sqlite3.Connection, into: str, width: int, values: Sequence[object], conflict: str = ""
) -> int:
    """The same for rows of this width whose values follow each other."""
    return sum(
        connection.execute(_statement(into, width, size, conflict), some).rowcount
        for size, some in _split(width, values)
    )


def insert_mappings(
    connection: sqlite3.Connection, into: str, rows: Iterable[Mapping[str, object]], conflict: str = ""
) -> int:
    """The same for rows that name their columns, and leave out what they have no value for.

    `sqlite3` takes 0.4 µs to bind a None. So rows with the same columns go together, and nothing is bound for others.
    """
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
    """Those of the keys, whose values follow each other, that the table has."""
    return set(select(connection, f"SELECT {', '.join(key)} FROM {table}", key, values))


def select(
    connection: sqlite3.Connection, query: str, key: Sequence[str], values: Sequence[object]
) -> list[tuple[Any, ...]]:
    """What a query without conditions finds of the rows with these keys, whose values follow each other."""
    found: list[tuple[Any, ...]] = []
    for statement, some in _of_keys(query, key, values):
        found += connection.execute(statement, some).fetchall()
    return found


def _of_keys(statement: str, key: Sequence[str], values: Sequence[object]) -> Iterator[tuple[str, Sequence[object]]]:
    where = f"{statement} WHERE ({', '.join(key)}) IN ("
    for size, some in _split(len(key), values):
        yield _statement(where, len(key), size, ")"), some


def _split(width: int, values: Sequence[object]) -> Iterator[tuple[int, Sequence[object]]]:
    """The values of so many rows at a time."""
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
