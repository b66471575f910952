"""The SQL of the store: files under `sql/`, and the statements that follow from the list of columns."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from functools import cache
from importlib.resources import files

from otel_mas.store.columns import COLUMNS

COLUMN_LIST = ", ".join(column.name for column in COLUMNS)


def _insert(table: str, leading: str, trailing: str = "") -> str:
    columns = f"{leading}, {COLUMN_LIST}{trailing}"
    return f"INSERT OR IGNORE INTO {table} ({columns}) VALUES ({', '.join('?' * (columns.count(',') + 1))})"


INSERT_SPAN = _insert(
    "spans",
    "id, trace, span_id, parent_span_id, name, kind, start_ns, end_ns, status, instance, resource, scope, sampled, may_ship",
    ", body",
)
INSERT_OPEN = _insert(
    "open_spans", "trace, span_id, parent_span_id, name, kind, start_ns, instance, resource, scope"
)
INSERT_LINK = "INSERT INTO links (trace, span, position, cause_trace, cause_span, kind) VALUES (?, ?, ?, ?, ?, ?)"


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
