"""Spans that a destination refused for good: which, and why. The latest of each destination are kept in the store."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass

_MOST_KEPT = 1000


@dataclass(frozen=True, slots=True)
class Rejection:
    """One span that was set aside. Ids are hex, `key` is its key in the log."""

    key: int
    trace_id: str
    span_id: str
    name: str
    reason: str
    rejected_ns: int


def keep(connection: sqlite3.Connection, destination: str, reasons: Iterable[tuple[int, str]], now_ns: int) -> None:
    """Write down what a destination refused: keys in the log, and why. The oldest go where there are too many."""
    connection.executemany(
        "INSERT OR REPLACE INTO rejections (destination, span, trace_id, span_id, name, reason, rejected_ns) "
        "SELECT d.id, s.id, lower(hex(t.trace_id)), lower(hex(s.span_id)), coalesce(s.name, ''), ?, ? "
        "FROM destinations d JOIN spans s ON s.id = ? JOIN traces t ON t.id = s.trace WHERE d.name = ?",
        [(reason, now_ns, key, destination) for key, reason in reasons],
    )
    connection.execute(
        "DELETE FROM rejections WHERE destination = (SELECT id FROM destinations WHERE name = :name) AND span <= "
        "(SELECT span FROM rejections WHERE destination = (SELECT id FROM destinations WHERE name = :name) "
        "ORDER BY span DESC LIMIT 1 OFFSET :kept)",
        {"name": destination, "kept": _MOST_KEPT},
    )


def kept(connection: sqlite3.Connection, destination: str, most: int) -> tuple[Rejection, ...]:
    """The latest spans that a destination refused, the last one first."""
    rows = connection.execute(
        "SELECT r.span, r.trace_id, r.span_id, r.name, r.reason, r.rejected_ns FROM rejections r "
        "JOIN destinations d ON d.id = r.destination WHERE d.name = ? ORDER BY r.span DESC LIMIT ?",
        (destination, most),
    )
    return tuple(Rejection(*row) for row in rows)


__all__ = ["Rejection", "keep", "kept"]
