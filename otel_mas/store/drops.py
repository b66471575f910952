"""Dropped spans and contents in the store: of each process in all, and of each trace."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping

from otel_mas.model.dropped import Dropped, describe_dropped
from otel_mas.store.bulk import delete, select
from otel_mas.store.rows import Batch

_TOTAL = "INSERT OR REPLACE INTO drops (instance, reason, spans, contents) VALUES (?, ?, ?, ?)"
_ADD = (
    "INSERT INTO trace_drops (trace, reason, spans, contents) VALUES (?, ?, ?, ?) ON CONFLICT (trace, reason) "
    "DO UPDATE SET spans = spans + excluded.spans, contents = contents + excluded.contents"
)


def write_drops(connection: sqlite3.Connection, batch: Batch, traces: Mapping[bytes, int], instance: int) -> None:
    """Add a batch's drops to those of its traces. A dropped span is open no longer."""
    connection.executemany(_ADD, [(traces[row.trace_id], row.reason, row.spans, row.contents) for row in batch.drops])
    gone = [value for trace, span in batch.dropped_spans for value in (traces.get(trace, 0), bytearray(span))]
    if gone:
        delete(connection, "open_spans", ("trace", "span_id"), gone)
    write_dropped(connection, instance, batch.dropped)


def write_dropped(connection: sqlite3.Connection, instance: int, dropped: Iterable[Dropped]) -> None:
    """Set what a process has dropped in all."""
    connection.executemany(_TOTAL, [(instance, str(reason), *counts) for reason, *counts in dropped])


def read_dropped(connection: sqlite3.Connection, condition: str = "", *values: object) -> list[Dropped]:
    """The sum over processes, or over those that fit `condition` on `instances`, for each reason."""
    rows = connection.execute(
        "SELECT reason, sum(spans), sum(contents) FROM drops d JOIN instances i ON i.id = d.instance "
        f"{condition} GROUP BY reason ORDER BY sum(spans) DESC, reason",
        values,
    )
    return [Dropped(*row) for row in rows]


def trace_drops(connection: sqlite3.Connection, traces: Iterable[int]) -> dict[int, str]:
    """Drops of each of these traces, in words; traces that lost nothing are left out."""
    found: dict[int, list[Dropped]] = {}
    for trace, *dropped in select(
        connection, "SELECT trace, reason, spans, contents FROM trace_drops", ("trace",), list(traces)
    ):
        found.setdefault(trace, []).append(Dropped(*dropped))
    return {trace: text for trace, dropped in found.items() if (text := describe_dropped(dropped))}
