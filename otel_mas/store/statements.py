"""The SQL of the store: files under `sql/`, and the list of columns."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from functools import cache
from importlib.resources import files

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
