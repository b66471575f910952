"""Many rows a statement.

`sqlite3` lets go of the GIL for every step of a statement, and beside a thread that computes it gets the GIL back only
after the interpreter's switch interval, 5 ms: a hundred rows in as many steps take half a second, with the write
lock held. So rows go many at a time, and what is computed for them takes the GIL once.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import chain

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
    done = at = 0
    left = len(values) // width
    for size in _SIZES:
        while left >= size:
            end = at + size * width
            done += connection.execute(_statement(into, width, size, conflict), values[at:end]).rowcount
            at, left = end, left - size
    return done


def delete(connection: sqlite3.Connection, table: str, key: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Delete the rows with these keys."""
    for some in _split(rows):
        connection.execute(*_of_keys(f"DELETE FROM {table}", key, some))


def present(
    connection: sqlite3.Connection, table: str, key: Sequence[str], rows: Sequence[Sequence[object]]
) -> set[tuple[object, ...]]:
    """Those of the keys that the table has."""
    found: set[tuple[object, ...]] = set()
    for some in _split(rows):
        query = f"SELECT {', '.join(key)} FROM {table}"
        found.update(connection.execute(*_of_keys(query, key, some)).fetchall())
    return found


def _of_keys(statement: str, key: Sequence[str], rows: Sequence[Sequence[object]]) -> tuple[str, tuple[object, ...]]:
    where = f"{statement} WHERE ({', '.join(key)}) IN ("
    return _statement(where, len(key), len(rows), ")"), tuple(chain.from_iterable(rows))


def _split(rows: Sequence[Sequence[object]]) -> Iterator[Sequence[Sequence[object]]]:
    at = 0
    for size in _SIZES:
        while len(rows) - at >= size:
            yield rows[at : at + size]
            at += size


@lru_cache(maxsize=1024)
def _statement(head: str, width: int, rows: int, tail: str) -> str:
    row = f"({', '.join('?' * width)})"
    return f"{head} VALUES {', '.join([row] * rows)} {tail}"
