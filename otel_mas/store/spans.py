"""Rows of the log → the spans of a trace; their bodies stay in the file until they are asked for.

A span that was written in several versions is read as one: the latest version's body, times, name and status win; the
attributes are united, the latest version's value winning; the links are united. Spans that only share an id (another
kind, another process) stay apart.
"""

from __future__ import annotations

import sqlite3
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import islice, repeat
from operator import le
from typing import Any

from otel_mas.errors import StoreCorrupt
from otel_mas.model import NOT_HERE, LinkTable, ObjectSpanTable, Scope, Span, SpanBody, SpanKind, SpanTable
from otel_mas.model.start_order import in_start_order, start_order
from otel_mas.otlp.decode import decode_scope
from otel_mas.store.columns import attributes_of, present_in
from otel_mas.store.statements import COLUMN_LIST
from otel_mas.store.table import KINDS, LoadBody, Process, Rows, StoredSpans

# By key, not by trace and row, which reads the log in its order on the disk.
_ENDED = """
SELECT id, span_id, parent_span_id, name, kind, start_ns, end_ns, status, resource, scope{columns}
FROM spans WHERE {of_trace} ORDER BY id
"""
_BY_KEYS = "id IN (SELECT id FROM spans WHERE trace = ?)"
# Without an index: SQLite keeps the keys of a million spans on the disk, which takes as long as reading the spans.
_IN_A_ROW = "id BETWEEN {first} AND {last} AND +trace = ?"
_EXTENT = "SELECT min(id), max(id), count(*) FROM spans WHERE trace = ?"
_LARGE = 2_000
"""Spans of a trace from which on it is looked whether they lie in a row."""
_VERSIONED = "SELECT DISTINCT span_id, kind, instance FROM spans WHERE trace = ? AND version > 0"
_IDENTITIES = "SELECT span_id, kind, instance FROM spans WHERE trace = ? ORDER BY id"
_OPEN = f"""
SELECT o.trace, o.span_id, o.parent_span_id, o.name, o.kind, o.start_ns, o.resource, o.scope,
  coalesce(i.finished_ns, i.heartbeat_ns), i.finished_ns IS NOT NULL OR i.heartbeat_ns < :fresh_ns, {COLUMN_LIST}
FROM open_spans o JOIN instances i ON i.id = o.instance
"""
_OPEN_KEYS = """
SELECT o.trace, o.span_id, o.instance, i.finished_ns IS NOT NULL OR i.heartbeat_ns < :fresh_ns
FROM open_spans o JOIN instances i ON i.id = o.instance
"""
_LINKS = "SELECT span, cause_trace, cause_span, kind FROM links WHERE trace = ? ORDER BY span, position"
_AT_ONCE = 500
"""Rows that are turned into columns together: fewer than the 700 new objects that wake the garbage collector."""

Identity = tuple[bytes, int, int]  # span id, kind, instance


def read_spans(
    connection: sqlite3.Connection,
    trace: int,
    trace_id: str,
    load: LoadBody,
    fresh_ns: int,
    emitters: Emitters | None = None,
) -> SpanTable:
    """All spans of a trace, ended and open, in start order.

    Args:
        load: decodes the body with a given key.
        fresh_ns: a process whose last heartbeat is older is gone.
        emitters: those that are known already.
    """
    emitters = emitters or Emitters(connection)
    rows = _ended(connection, trace, emitters)
    opened = _open(connection, trace, trace_id, fresh_ns, emitters)
    versioned: set[Identity] = set(connection.execute(_VERSIONED, (trace,)))
    if versioned:
        logged = _table(connection, trace, trace_id, load, rows, range(len(rows.ids)))
        return ObjectSpanTable(
            in_start_order([*_merged(connection, trace, versioned, logged), *(span for span, _ in opened)])
        )
    for span, process in opened:
        rows.add_open(span, process)
    return _table(connection, trace, trace_id, load, rows, start_order(rows.starts, rows.ids, rows.parents))


def open_spans(connection: sqlite3.Connection, trace: int, trace_id: str, fresh_ns: int) -> list[Span]:
    """The spans of a trace that have not ended."""
    return [span for span, _ in _open(connection, trace, trace_id, fresh_ns, Emitters(connection))]


class _Hexes(dict[bytes | None, str | None]):
    def __missing__(self, span_id: bytes | None) -> str | None:
        self[span_id] = text = None if span_id is None else span_id.hex()
        return text


class _Processes(dict[int | None, Process]):
    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def __missing__(self, key: int | None) -> Process:
        row = self._connection.execute(
            "SELECT service, schema_url, body FROM resources WHERE id = ?", (key,)
        ).fetchone()
        self[key] = known = Process(*row) if row else Process()
        return known


class _Scopes(dict[int | None, Scope]):
    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def __missing__(self, key: int | None) -> Scope:
        row = self._connection.execute(
            "SELECT name, version, schema_url, body FROM scopes WHERE id = ?", (key,)
        ).fetchone()
        if row is None:
            known = Scope()
        else:
            try:
                known = decode_scope(row[3], row[2]) if row[3] else Scope(row[0], row[1], schema_url=row[2])
            except (ValueError, TypeError):  # damaged: its spans can be read all the same
                known = Scope(row[0], row[1], schema_url=row[2])
        self[key] = known
        return known


class Emitters:
    """The processes and scopes that emitted spans, by their keys."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.processes = _Processes(connection)
        self.scopes = _Scopes(connection)


def _ended(connection: sqlite3.Connection, trace: int, emitters: Emitters) -> Rows:
    """The ended spans of a trace, in the order of the log. No line here runs for each span: there are many."""
    selected, spans = connection.execute("SELECT present, spans FROM traces WHERE id = ?", (trace,)).fetchone()
    kept = present_in(selected)
    of_trace = _in_a_row(connection, trace) if spans >= _LARGE else _BY_KEYS
    rows, hexes = Rows(), _Hexes()
    columns: list[list[Any]] = [[] for _ in kept]
    names = "".join(f", {column.name}" for column in kept)
    cursor = connection.execute(_ENDED.format(columns=names, of_trace=of_trace), (trace,))
    while chunk := cursor.fetchmany(_AT_ONCE):
        key, span_id, parent, name, kind, start, end, status, resource, scope, *values = zip(*chunk, strict=True)
        rows.keys.fromlist(list(key))
        rows.ids.extend(map(bytes.hex, span_id))
        rows.parents.extend(map(hexes.__getitem__, parent))
        rows.names.extend(_alike(name, {None: ""}))
        rows.kinds.extend(kind)
        rows.starts.fromlist(list(start))
        rows.lasts.fromlist(list(end))
        rows.statuses.extend(status)
        rows.processes.extend(map(emitters.processes.__getitem__, resource))
        rows.scopes.extend(map(emitters.scopes.__getitem__, scope))
        for column, found, stored in zip(kept, columns, values, strict=True):
            if column.json or column.boolean:
                found.extend(map(column.value, stored))
            else:
                found.extend(_alike(stored, {}) if column.type == "TEXT" else stored)
    rows.attributes = {column.attribute: found for column, found in zip(kept, columns, strict=True)}
    return rows


def _in_a_row(connection: sqlite3.Connection, trace: int) -> str:
    """The condition for the rows of a large trace: their stretch of the log, unless much of that is of other traces."""
    first, last, count = connection.execute(_EXTENT, (trace,)).fetchone()
    if not count or 4 * (last - first) > 5 * count:
        return _BY_KEYS
    return _IN_A_ROW.format(first=first, last=last)


def _alike(texts: Sequence[Any], known: dict[Any, Any]) -> Iterator[Any]:
    """The texts with one object for equal ones, of this chunk only: names repeat, and ids would fill a dictionary."""
    return map(known.setdefault, texts, texts)


def _open(
    connection: sqlite3.Connection, trace: int, trace_id: str, fresh_ns: int, emitters: Emitters
) -> list[tuple[Span, Process]]:
    """The spans that have not ended, each with its process."""
    rows = connection.execute(f"{_OPEN} WHERE o.trace = :trace", {"trace": trace, "fresh_ns": fresh_ns}).fetchall()
    return [(open_span(row, trace_id, emitters), emitters.processes[row[6]]) for row in rows]


def open_keys(connection: sqlite3.Connection, fresh_ns: int) -> list[tuple[int, bytes, int, bool]]:
    """Return each open span of all traces: its trace and id, the key of its process, and whether that is gone."""
    return connection.execute(_OPEN_KEYS, {"fresh_ns": fresh_ns}).fetchall()


def open_rows(
    connection: sqlite3.Connection, spans: Iterable[tuple[int, bytes]], fresh_ns: int
) -> Iterator[tuple[Any, ...]]:
    """The rows of open spans by trace and id: first these two."""
    for trace, span_id in spans:
        one = {"trace": trace, "span_id": span_id, "fresh_ns": fresh_ns}
        yield from connection.execute(f"{_OPEN} WHERE o.trace = :trace AND o.span_id = :span_id", one)


def open_span(row: tuple[Any, ...], trace_id: str, emitters: Emitters) -> Span:
    """An open span of its row."""
    _, span_id, parent, name, kind, start_ns, resource, scope, seen_ns, stopped, *columns = row
    process = emitters.processes[resource]
    return Span(
        trace_id=trace_id,
        span_id=span_id.hex(),
        parent_span_id=None if parent is None else parent.hex(),
        name=name or "",
        start_ns=start_ns,
        end_ns=None,
        kind=KINDS.get(kind, SpanKind.UNSPECIFIED),
        service=process.service,
        columns=attributes_of(columns),
        resource=process.resource,
        scope=emitters.scopes[scope],
        seen_ns=seen_ns,
        stopped=bool(stopped),
    )


def _table(
    connection: sqlite3.Connection,
    trace: int,
    trace_id: str,
    load: LoadBody,
    rows: Rows,
    order: Sequence[int],
) -> StoredSpans:
    """The rows, which are in the order of the log, in the given one."""
    logged = rows.keys
    if isinstance(order, range):
        places: Sequence[int] = order
    else:
        rows = rows.in_order(order)
        places = array("q", order)
        for place, number in enumerate(order):
            places[number] = place
    numbers = dict(zip(rows.ids, range(len(rows.ids)), strict=True))
    links = _links(connection, trace, trace_id, logged, places, numbers)
    return StoredSpans(trace_id, rows, numbers, links, load)


def _links(
    connection: sqlite3.Connection,
    trace: int,
    trace_id: str,
    logged: Sequence[int],
    places: Sequence[int],
    numbers: Mapping[str, int],
) -> LinkTable:
    """The links of a trace, of which the n-th row of the log has the key `logged[n]` and the number `places[n]`."""
    effects, causes = array("q"), array("q")
    kinds: list[str | None] = []
    in_other_traces: dict[int, tuple[str, str]] = {}
    row = 0
    cursor = connection.execute(_LINKS, (trace,))
    while chunk := cursor.fetchmany(_AT_ONCE):
        first = len(causes)
        keys, traces, spans, found = zip(*chunk, strict=True)
        try:
            for key in keys:
                while logged[row] != key:
                    row += 1
                effects.append(places[row])
        except IndexError:
            raise StoreCorrupt(f"trace {trace_id} has links of a span that the store lacks") from None
        causes.extend(map(numbers.get, map(bytes.hex, spans), repeat(NOT_HERE)))
        kinds.extend(_alike(found, {}))
        if any(traces) or NOT_HERE in causes[first:]:
            for place, (cause_trace, cause) in enumerate(zip(traces, spans, strict=True), start=first):
                if cause_trace is not None or causes[place] == NOT_HERE:
                    causes[place] = NOT_HERE
                    in_other_traces[place] = trace_id if cause_trace is None else cause_trace.hex(), cause.hex()
    if not all(map(le, effects, islice(effects, 1, None))):
        order = sorted(range(len(effects)), key=effects.__getitem__)
        effects, causes = array("q", map(effects.__getitem__, order)), array("q", map(causes.__getitem__, order))
        kinds = list(map(kinds.__getitem__, order))
        if in_other_traces:
            in_other_traces = {place: in_other_traces[old] for place, old in enumerate(order) if old in in_other_traces}
    return LinkTable(effects, causes, kinds, in_other_traces)


def _merged(
    connection: sqlite3.Connection, trace: int, versioned: set[Identity], spans: Iterable[Span]
) -> Iterable[Span]:
    """Merge the versions of each span, which come in the order of their keys, the latest last."""
    kept: dict[object, Span] = {}
    identities: list[Identity] = connection.execute(_IDENTITIES, (trace,)).fetchall()
    for place, (span, identity) in enumerate(zip(spans, identities, strict=True)):
        if identity not in versioned:
            kept[place] = span
        else:
            older = kept.get(identity)
            kept[identity] = span if older is None else _united(older, span)
    return kept.values()


def _united(older: Span, newer: Span) -> Span:
    links = {(link.trace_id, link.span_id, link.kind): link for link in older.links + newer.links}
    return replace(
        newer,
        columns={**older.columns, **newer.columns},
        links=tuple(links.values()),
        load=partial(_united_body, older, newer),
    )


def _united_body(older: Span, newer: Span) -> SpanBody:
    return newer.body.changed(attributes={**older.body.attributes, **newer.body.attributes})
