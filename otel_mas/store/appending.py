"""Appending spans and links to the log, as fast as `sqlite3` takes them.

What costs is not SQL: for every parameter that is not exactly a str, int, float or bytearray (so for None, bytes
and bool) the module looks for an adapter, 0.4 µs each, and most columns of most spans are absent. So rows go in
groups with the same columns present, absent ones are not bound at all, and blobs are bound as bytearray.
"""

from __future__ import annotations

import sqlite3
from functools import lru_cache

from otel_mas.store.bulk import insert, insert_values
from otel_mas.store.columns import COLUMNS
from otel_mas.store.rows import SpanRow

_LEADING = (
    "id, trace, span_id, name, kind, start_ns, end_ns, status, instance, resource, scope, sampled, may_ship, present, "
    "body"
)
_LINK_INSIDE = "INSERT OR FAIL INTO links (trace, span, position, cause_span, kind)"
_LINK_ELSEWHERE = "INSERT OR FAIL INTO links (trace, span, position, cause_span, kind, cause_trace)"


def append_spans(
    connection: sqlite3.Connection,
    rows: dict[int, SpanRow],
    traces: dict[bytes, int],
    instance: int,
    united: dict[int, int],
) -> int:
    """Insert spans under their keys, leaving out those whose identity the log has; returns how many went in.

    `united` gathers, for each trace, which columns any of its spans has.
    """
    # Of each group all values in one list: a tuple for each row would be one more object to make, and to collect.
    groups: dict[tuple[tuple[int, ...], bool], list[object]] = {}
    for key, row in rows.items():
        places = tuple(row.columns)
        bits = _bits(places)
        trace = traces[row.trace_id]
        united[trace] = united.get(trace, 0) | bits
        parent = row.parent_span_id
        shape = (places, parent is not None)
        values = groups.get(shape)
        if values is None:
            values = groups[shape] = []
        values += (
            key, trace, bytearray(row.span_id), row.name, row.kind, row.start_ns, row.end_ns, row.status,
            instance, row.resource, row.scope, +row.sampled, +row.may_ship, bits, bytearray(row.body),
        )  # fmt: skip
        values += row.columns.values()
        if parent is not None:
            values.append(bytearray(parent))
    return sum(insert_values(connection, _insert(*shape), _width(*shape), values) for shape, values in groups.items())


def append_links(connection: sqlite3.Connection, rows: dict[int, SpanRow], traces: dict[bytes, int]) -> None:
    """Insert the links of spans that are in the log under these keys."""
    inside: list[tuple[object, ...]] = []
    elsewhere: list[tuple[object, ...]] = []
    for key, row in rows.items():
        if not row.links:
            continue
        trace_id = row.trace_id
        trace = traces[trace_id]
        for position, (cause_trace, cause_span, kind) in enumerate(row.links):
            if cause_trace == trace_id:
                inside.append((trace, key, position, bytearray(cause_span), kind))
            else:
                elsewhere.append((trace, key, position, bytearray(cause_span), kind, cause_trace))
    insert(connection, _LINK_INSIDE, inside)
    insert(connection, _LINK_ELSEWHERE, elsewhere)


@lru_cache(maxsize=512)
def _bits(places: tuple[int, ...]) -> int:
    return sum(1 << place for place in places)


@lru_cache(maxsize=512)
def _insert(places: tuple[int, ...], has_parent: bool) -> str:
    columns = [_LEADING, *(COLUMNS[place].name for place in places)]
    if has_parent:
        columns.append("parent_span_id")
    return f"INSERT OR IGNORE INTO spans ({', '.join(columns)})"


def _width(places: tuple[int, ...], has_parent: bool) -> int:
    return _LEADING.count(",") + 1 + len(places) + has_parent
