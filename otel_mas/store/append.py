"""Appending spans and links to the log, and spans that are written more than once.

SQL costs little; binding does: for every parameter that is not exactly a str, int, float or bytearray (so for None,
bytes and bool) `sqlite3` looks for an adapter, 0.4 µs each, and most columns of most spans are absent. So rows go in
groups with the same columns present, absent ones are not bound at all, and blobs are bound as bytearray.

Of a span that comes again identical bytes are counted, and differing ones kept as versions. The latest version has the
number 0, so that a query for one row per span asks for `version = 0`; the older ones are numbered 1, 2, 3 in the order
in which they came. `otel_mas.store.spans` merges them for readers.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

from otel_mas.store.columns import COLUMNS
from otel_mas.store.rollup import TraceRollup, sum_up
from otel_mas.store.rows import ContentRow, OpenRow, SpanRow
from otel_mas.store.statements import COLUMN_LIST, insert, insert_values

_LEADING = (
    "id, trace, span_id, parent_span_id, name, kind, start_ns, end_ns, status, instance, resource, scope, sampled, "
    "may_ship, present, body"
)
_STORED = "SELECT id, version, body FROM spans WHERE trace = ? AND span_id = ? AND kind = ? AND instance = ?"
_NEW_CONTENT = (
    "INSERT INTO contents (trace, span_id, name, value) SELECT ?, ?, ?, ? WHERE NOT EXISTS "
    "(SELECT 1 FROM contents WHERE trace = ? AND span_id = ? AND name = ? AND value = ?)"
)
_LINK_IN_TRACE = "INSERT OR FAIL INTO links (trace, span, position, cause_span, kind)"
_LINK_TO_OTHER_TRACE = "INSERT OR FAIL INTO links (trace, span, position, cause_span, kind, cause_trace)"


def append_spans(
    connection: sqlite3.Connection,
    rows: dict[int, SpanRow],
    traces: dict[bytes, int],
    instance: int,
    present_columns: dict[int, int],
) -> int:
    """Insert spans under their keys, leaving out those whose identity the log has; returns how many went in.

    `present_columns` gathers, for each trace, which columns any of its spans has.
    """
    # Of each group all values in one list: a tuple for each row would be one more object to make, and to collect.
    groups: dict[tuple[int, ...], list[object]] = {}
    for key, row in rows.items():
        places = tuple(row.columns)
        bits = _bits(places)
        trace = traces[row.trace_id]
        present_columns[trace] = present_columns.get(trace, 0) | bits
        parent = row.parent_span_id
        values = groups.get(places)
        if values is None:
            values = groups[places] = []
        # Without a parent None is bound all the same: rows that go in by turns, not by key, leave pages half full.
        values += (
            key, trace, bytearray(row.span_id), None if parent is None else bytearray(parent), row.name, row.kind,
            row.start_ns, row.end_ns, row.status, instance, row.resource, row.scope, +row.sampled, +row.may_ship, bits,
            bytearray(row.body),
        )  # fmt: skip
        values += row.columns.values()
    return sum(insert_values(connection, _insert(places), _width(places), values) for places, values in groups.items())


def append_links(connection: sqlite3.Connection, rows: dict[int, SpanRow], traces: dict[bytes, int]) -> None:
    """Insert the links of spans that are in the log under these keys."""
    inside: list[tuple[object, ...]] = []
    in_other_traces: list[tuple[object, ...]] = []
    for key, row in rows.items():
        if not row.links:
            continue
        trace_id = row.trace_id
        trace = traces[trace_id]
        for position, (cause_trace, cause_span, kind) in enumerate(row.links):
            if cause_trace == trace_id:
                inside.append((trace, key, position, bytearray(cause_span), kind))
            else:
                in_other_traces.append((trace, key, position, bytearray(cause_span), kind, cause_trace))
    insert(connection, _LINK_IN_TRACE, inside)
    insert(connection, _LINK_TO_OTHER_TRACE, in_other_traces)


def append_contents(
    connection: sqlite3.Connection, rows: Sequence[ContentRow], traces: dict[bytes, int], *, may_repeat: bool
) -> None:
    """Insert contents; where they `may_repeat` only those that are not there already, byte for byte."""
    values = [(traces[row.trace_id], bytearray(row.span_id), row.name, bytearray(row.value)) for row in rows]
    if may_repeat:
        connection.executemany(_NEW_CONTENT, [(*row, *row) for row in values])
    else:
        insert(connection, "INSERT OR FAIL INTO contents (trace, span_id, name, value)", values)


@lru_cache(maxsize=512)
def _bits(places: tuple[int, ...]) -> int:
    return sum(1 << place for place in places)


@lru_cache(maxsize=512)
def _insert(places: tuple[int, ...]) -> str:
    columns = [_LEADING, *(COLUMNS[place].name for place in places)]
    return f"INSERT OR IGNORE INTO spans ({', '.join(columns)})"


def _width(places: tuple[int, ...]) -> int:
    return _LEADING.count(",") + 1 + len(places)


def add_versions(
    connection: sqlite3.Connection, rows: dict[int, SpanRow], traces: dict[bytes, int], instance: int
) -> tuple[dict[int, SpanRow], set[int]]:
    """Count those of `rows`, by the key they were to get, that the log has already, or insert them as versions.

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
    """The latest row of each span, with the columns that only an older version has."""
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
