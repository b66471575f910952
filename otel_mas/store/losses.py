"""Counts of what is not in the store: drops by reason, of processes and traces; secrets taken out, by rule."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping

from otel_mas.model.dropped import Dropped, describe_dropped
from otel_mas.store.rows import Batch
from otel_mas.store.statements import delete, select

_TOTAL = "INSERT OR REPLACE INTO drops (instance, reason, spans, contents) VALUES (?, ?, ?, ?)"
_ADD_OF_TRACE = (
    "INSERT INTO trace_drops (trace, reason, spans, contents) VALUES (?, ?, ?, ?) ON CONFLICT (trace, reason) "
    "DO UPDATE SET spans = spans + excluded.spans, contents = contents + excluded.contents"
)


def write_drops(connection: sqlite3.Connection, batch: Batch, traces: Mapping[bytes, int], instance: int) -> None:
    """Add a batch's drops to those of its traces. A dropped span is open no longer."""
    connection.executemany(
        _ADD_OF_TRACE, [(traces[row.trace_id], row.reason, row.spans, row.contents) for row in batch.drops]
    )
    gone = [value for trace, span in batch.dropped_spans for value in (traces.get(trace, 0), bytearray(span))]
    if gone:
        delete(connection, "open_spans", ("trace", "span_id"), gone)
    write_dropped(connection, instance, batch.dropped)


def write_dropped(connection: sqlite3.Connection, instance: int, dropped: Iterable[Dropped]) -> None:
    """Set the drops of a process, of its whole life."""
    connection.executemany(_TOTAL, [(instance, str(reason), *counts) for reason, *counts in dropped])


def read_dropped(connection: sqlite3.Connection, condition: str = "", *values: object) -> list[Dropped]:
    """The sums for each reason, over all processes, or those for which a condition on `instances` holds."""
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


_REDACTED = "redacted:"
_ADD_REDACTED = (
    "INSERT INTO store (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = value + excluded.value"
)


def write_redacted(connection: sqlite3.Connection, counts: Mapping[str, int]) -> None:
    """Add to the counts."""
    if counts:
        connection.executemany(_ADD_REDACTED, [(_REDACTED + rule, count) for rule, count in counts.items()])


def read_redacted(connection: sqlite3.Connection) -> dict[str, int]:
    """The counts, the largest first."""
    rows = connection.execute(
        "SELECT substr(name, ?), value FROM store WHERE substr(name, 1, ?) = ? ORDER BY value DESC, name",
        (len(_REDACTED) + 1, len(_REDACTED), _REDACTED),
    )
    return {str(rule): int(count) for rule, count in rows}
