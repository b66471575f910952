"""SQLite databases of other programs, opened read-only while the program may be writing."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final
from urllib.parse import quote

from otel_mas.store.files import SQLITE_MAGIC, header

_WAIT_S: Final = 30.0


@contextmanager
def opened(path: Path) -> Iterator[sqlite3.Connection]:
    """A connection that reads one state of the database, whatever is written meanwhile.

    Raises:
        ValueError: it cannot be read.
    """
    try:
        with closing(sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True, timeout=_WAIT_S)) as database:
            database.row_factory = sqlite3.Row
            database.execute("BEGIN")
            yield database
    except sqlite3.Error as error:
        raise ValueError(f"SQLite says: {error}") from None


def has_columns(path: Path, table: str, columns: Collection[str]) -> bool:
    """Whether a file is an SQLite database that has this table, with these columns among others."""
    try:
        if not header(path).startswith(SQLITE_MAGIC):
            return False
        with opened(path) as database:
            found = {row["name"] for row in database.execute("SELECT name FROM pragma_table_info(?)", (table,))}
    except (OSError, ValueError):
        return False
    return found.issuperset(columns)


__all__ = ["has_columns", "opened"]
