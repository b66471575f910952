"""Numbers of secrets taken out, by rule: a row of the table `store` for each rule, over all processes."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping

_PREFIX = "redacted:"
_ADD = "INSERT INTO store (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = value + excluded.value"


def write_redacted(connection: sqlite3.Connection, counts: Mapping[str, int]) -> None:
    """Add to the counts."""
    if counts:
        connection.executemany(_ADD, [(_PREFIX + rule, count) for rule, count in counts.items()])


def read_redacted(connection: sqlite3.Connection) -> dict[str, int]:
    """The counts, the largest first."""
    rows = connection.execute(
        "SELECT substr(name, ?), value FROM store WHERE substr(name, 1, ?) = ? ORDER BY value DESC, name",
        (len(_PREFIX) + 1, len(_PREFIX), _PREFIX),
    )
    return {str(rule): int(count) for rule, count in rows}


__all__ = ["read_redacted", "write_redacted"]
