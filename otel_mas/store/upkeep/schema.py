"""The tables and columns of the layout, and the types that their values may have."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from functools import cache

from otel_mas.store.columns import COLUMNS
from otel_mas.store.migrations import migrate

_TYPES = {
    "INTEGER": ("integer", "null"),
    "REAL": ("real", "integer", "null"),
    "TEXT": ("text", "null"),
    "BLOB": ("blob", "null"),
}
# An attribute has the type that the app gave it; `store` holds values of several types.
_ATTRIBUTE = ("text", "integer", "real", "null")
_ATTRIBUTES = frozenset(column.name for column in COLUMNS)
_ANY = ("text", "blob", "integer", "real")


@cache
def tables() -> Mapping[str, Mapping[str, tuple[str, ...]]]:
    """Each table with its columns, and the types (as `typeof` names them) that the values of each may have."""
    connection = sqlite3.connect(":memory:", isolation_level=None)
    try:
        migrate(connection)
        names = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
        return {name: _columns(connection, name) for (name,) in names.fetchall()}
    finally:
        connection.close()


def _columns(connection: sqlite3.Connection, table: str) -> dict[str, tuple[str, ...]]:
    found = {}
    for _, name, kind, needed, _, key in connection.execute(f"PRAGMA table_info({table})").fetchall():
        types = _ATTRIBUTE if name in _ATTRIBUTES and table in ("spans", "open_spans") else _TYPES[kind]
        if table == "store" and name == "value":
            types = _ANY
        found[name] = tuple(one for one in types if one != "null") if needed or key else types
    return found


def type_of(value: object) -> str:
    """The name by which `typeof` calls a value that came from SQLite."""
    if value is None:
        return "null"
    if isinstance(value, int):
        return "integer"
    if isinstance(value, float):
        return "real"
    return "text" if isinstance(value, str) else "blob"
