"""A span that is written more than once: identical bytes are counted, differing ones kept as versions.

The latest version has the number 0, so that a query for one row per span asks for `version = 0`; the older ones are
numbered 1, 2, 3 in the order in which they came. `otel_mas.store.spans` merges them for readers.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from typing import Any

from otel_mas.store.appending import append_spans
from otel_mas.store.rollup import TraceRollup, sum_up
from otel_mas.store.rows import OpenRow, SpanRow
from otel_mas.store.statements import COLUMN_LIST

_STORED = "SELECT id, version, body FROM spans WHERE trace = ? AND span_id = ? AND kind = ? AND instance = ?"


def settle(
    connection: sqlite3.Connection, rows: dict[int, SpanRow], traces: dict[bytes, int], instance: int
) -> tuple[dict[int, SpanRow], set[int]]:
    """Deal with those of `rows` (by the key they were to get) that the log has already.

    Returns:
        The rows that are in the log now under their key, and the traces whose summary must be counted anew.
    """
    present = {key for (key,) in connection.execute("SELECT id FROM spans WHERE id >= ?", (min(rows),)).fetchall()}
    kept = {key: row for key, row in rows.items() if key in present}
    recounted: set[int] = set()
    for key, row in rows.items():
        if key in present:
            continue
        trace = traces[row.trace_id]
        stored = connection.execute(_STORED, (trace, row.span_id, row.kind, instance)).fetchall()
        same = next((stored_key for stored_key, _, body in stored if body == row.body), None)
        if same is not None:
            connection.execute("UPDATE spans SET duplicates = duplicates + 1 WHERE id = ?", (same,))
            continue
        connection.execute(
            "UPDATE spans SET version = ? WHERE id = ?",
            (1 + max(version for _, version, _ in stored), next(old for old, version, _ in stored if version == 0)),
        )
        append_spans(connection, {key: row}, traces, instance, {})
        kept[key] = row
        recounted.add(trace)
    return kept, recounted


def recount(connection: sqlite3.Connection, trace: int, service_of: Callable[[int | None], str | None]) -> None:
    """Count a trace's summary anew from its spans, each span once."""
    trace_id, present, incomplete, start_ns = connection.execute(
        "SELECT trace_id, present, incomplete, start_ns FROM traces WHERE id = ?", (trace,)
    ).fetchone()
    rollup = TraceRollup(trace_id, incomplete)
    for row in _merged(connection, trace, trace_id):
        rollup.add_ended(row)
    for opened in connection.execute(
        f"SELECT span_id, parent_span_id, name, kind, start_ns, resource, scope, {COLUMN_LIST} "
        "FROM open_spans WHERE trace = ?",
        (trace,),
    ):
        span_id, parent, name, kind, start_ns, resource, scope, *columns = opened
        rollup.add_open(OpenRow(trace_id, span_id, parent, name, kind, start_ns, _present(columns), resource, scope))
    stored = dict(connection.execute("SELECT id, service FROM resources").fetchall())
    connection.execute("DELETE FROM traces WHERE id = ?", (trace,))

    def service(key: int | None) -> str | None:
        return service_of(key) or stored.get(key)

    sum_up(connection, [rollup], {trace_id: trace}, {trace: present}, service, start_ns, trace)


def _present(values: Sequence[object]) -> dict[int, object]:
    return {place: value for place, value in enumerate(values) if value is not None}


def _merged(connection: sqlite3.Connection, trace: int, trace_id: bytes) -> list[SpanRow]:
    """One row per span: the latest, with the columns that only an older version has."""
    merged: dict[tuple[bytes, int, int], SpanRow] = {}
    rows: list[tuple[Any, ...]] = connection.execute(
        "SELECT span_id, kind, instance, parent_span_id, name, start_ns, end_ns, status, resource, scope, "
        f"{COLUMN_LIST} FROM spans WHERE trace = ? ORDER BY id",
        (trace,),
    ).fetchall()
    for span_id, kind, instance, parent, name, start_ns, end_ns, status, resource, scope, *columns in rows:
        older = merged.get((span_id, kind, instance))
        present = _present(columns)
        if older is not None:
            present = {**older.columns, **present}
        merged[span_id, kind, instance] = SpanRow(
            trace_id, span_id, parent, name, kind, start_ns, end_ns, status, present, (), b"", resource, scope
        )  # fmt: skip
    return list(merged.values())
