"""Saving the readable rows of a damaged store into a new one. The damaged file is only read, from a copy.

Rows are copied where their values have the right types. Summaries, facets and links are made anew from the spans.
"""

from __future__ import annotations

import os
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from otel_mas.errors import NotAStore, StoreError
from otel_mas.otlp.decode import decode_body, decode_resource, decode_scope
from otel_mas.otlp.encode import encode_resource, key_values
from otel_mas.otlp.nesting import parsed
from otel_mas.store.append import recount
from otel_mas.store.columns import COLUMNS
from otel_mas.store.connection import open_for_reading, open_for_writing, refuse_special, translated_errors
from otel_mas.store.liveness import refuse_while_recording
from otel_mas.store.migrations import VERSION
from otel_mas.store.upkeep.damaged import open_damaged
from otel_mas.store.upkeep.schema import tables, type_of

_MAX_QUERIES = 20_000
_LAST_ROW = 2**62
_NEEDED = frozenset(
    {"id", "trace", "span_id", "parent_span_id", "name", "kind", "start_ns", "end_ns", "status", "instance"}
    | {"present", "body"}
)
_DERIVED = frozenset({"facets", "links", "trace_instances"})
"""Tables that are made anew from the others."""
_UNREADABLE = (sqlite3.Error, OverflowError, UnicodeError)
_JSON = {"messages": "body", "contents": "value"}

_ATTRIBUTE = b"\x4a"  # of an OTLP span

Row = dict[str, Any]


@dataclass(slots=True)
class Repaired:
    """Rows saved into `path`, by table, and a line for each thing that was lost."""

    path: Path
    saved: dict[str, int] = field(default_factory=dict)
    lost: list[str] = field(default_factory=list)


def repair(
    path: str | os.PathLike[str], into: str | os.PathLike[str], *, clock: Callable[[], int] = time.time_ns
) -> Repaired:
    """Save the rows that can be read.

    Args:
        into: a new file.

    Raises:
        StoreLocked: a process records into the damaged store.
        NotAStore: there is no file, or nothing of a store is in it.
        StoreError: `into` exists, or cannot be written.
    """
    path, into = Path(path).expanduser(), Path(into).expanduser()
    refuse_special(path)
    if not path.exists():
        raise NotAStore(f"there is no store at {path}")
    _refuse_while_recording(path, clock())
    if into.exists():
        raise StoreError(f"{into} exists: name another file to repair into with --into")
    done = Repaired(into)
    with translated_errors(into), tempfile.TemporaryDirectory(dir=into.parent, prefix=f".{into.name}.") as folder:
        building = Path(folder) / "repaired.db"
        with closing(open_damaged(path, Path(folder), done.lost)) as old, closing(open_for_writing(building)) as new:
            try:
                refuse_while_recording(old, path, clock())
            except sqlite3.Error:
                pass  # of a table that cannot be read no process is known
            new.execute("BEGIN IMMEDIATE")
            _Repair(old, new, done).run(clock())
            new.execute("COMMIT")
            new.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        if not any(done.saved.get(table) for table in ("traces", "spans", "messages")):
            raise NotAStore(f"nothing of a store can be read from {path}: restore it from a backup")
        os.rename(building, into)
    return done


def _refuse_while_recording(path: Path, now_ns: int) -> None:
    """Raise StoreLocked before anything is copied, as far as the damaged file itself can be read."""
    if not path.with_name(path.name + "-wal").exists():  # no process has the store open, and no -wal is made here
        return
    with suppress(sqlite3.Error, UnicodeError):
        try:
            connection = open_for_reading(path, in_place=False)
        except StoreError:
            return
        with closing(connection):
            refuse_while_recording(connection, path, now_ns)


class _Repair:
    """One repair: rows from the old connection into the new one, inside of the caller's transaction."""

    def __init__(self, old: sqlite3.Connection, new: sqlite3.Connection, done: Repaired) -> None:
        self._old, self._new, self._done = old, new, done
        self._queries = 0
        self._of_store: set[str] = set()
        (layout,) = old.execute("PRAGMA user_version").fetchone()
        self._is_older = 0 < layout < VERSION  # and may lack tables

    def run(self, now_ns: int) -> None:
        for table, columns in tables().items():
            if table not in _DERIVED:
                self._copy(table, columns)
        if not self._of_store >= {"id", "digest_key"}:
            self._done.lost.append("the store's id or key: its message digests cannot be compared with those of before")
        self._owners(now_ns)
        traces = [row[0] for row in self._new.execute("SELECT id FROM traces").fetchall()]
        for trace in traces:
            recount(self._new, trace, lambda _: None)
        self._new.execute("INSERT OR IGNORE INTO trace_instances SELECT DISTINCT trace, instance FROM spans")
        self._new.execute("INSERT OR IGNORE INTO trace_instances SELECT DISTINCT trace, instance FROM open_spans")

    def _copy(self, table: str, columns: Mapping[str, Sequence[str]]) -> None:
        verb = "INSERT OR REPLACE" if table == "store" else "INSERT OR IGNORE"
        saved = damaged = 0
        for row in self._rows(table, columns):
            if table == "store":
                self._of_store.add(row["name"])
            if self._span(row) if table == "spans" else _is_json(row.get(_JSON.get(table, ""))):
                insert = f"{verb} INTO {table} ({', '.join(row)}) VALUES ({', '.join('?' * len(row))})"
                saved += self._new.execute(insert, list(row.values())).rowcount
            else:
                damaged += 1
        self._done.saved[table] = saved
        if damaged:
            self._done.lost.append(f"{table}: {damaged} rows whose content cannot be decoded")

    def _rows(self, table: str, columns: Mapping[str, Sequence[str]]) -> Iterator[Row]:
        """The rows that can be read and whose values have the right types; the others are counted as lost."""
        try:
            present = [row[1] for row in self._old.execute(f"PRAGMA table_info({table})")]
        except sqlite3.Error:
            present = []
        names = [name for name in columns if name in present]
        if not names:
            if not self._is_older:
                self._done.lost.append(f"{table}: all of it, the table cannot be found")
            return
        unreadable, wrong = 0, 0
        for values in self._readable(table, names):
            if values is None:
                unreadable += 1
                continue
            row = dict(zip(names, values, strict=True))
            if all(type_of(value) in columns[name] for name, value in row.items()):
                yield row
            else:
                wrong += 1
        if unreadable:
            self._done.lost.append(f"{table}: rows in {unreadable} places that cannot be read")
        if wrong:
            self._done.lost.append(f"{table}: {wrong} rows with values of a wrong type")

    def _readable(self, table: str, names: Sequence[str]) -> Iterator[tuple[Any, ...] | None]:
        """Rows, and None for each place that cannot be read."""
        listed = ", ".join(names)
        if not self._has_rowid(table):
            yield from self._from_both_ends(f"SELECT {listed} FROM {table} NOT INDEXED")
            return
        query = f"SELECT rowid, {listed} FROM {table} NOT INDEXED WHERE rowid BETWEEN ? AND ? ORDER BY rowid"
        ranges = [(-_LAST_ROW, _LAST_ROW)]
        while ranges:
            first, last = ranges.pop()
            self._queries += 1
            try:
                for row in self._old.execute(query, (first, last)):
                    first = row[0] + 1
                    yield row[1:]
            except _UNREADABLE:
                last = min(last, self._last(table, last))
                if first >= last or self._queries > _MAX_QUERIES:
                    yield None
                    continue
                middle = (max(first, 0) + last) // 2
                ranges += [(middle + 1, last), (first, middle)]

    def _last(self, table: str, last: int) -> int:
        """The last row up to here, where that can be read: to halve the rows, not 2**63 keys."""
        with suppress(sqlite3.Error):
            (found,) = self._old.execute(f"SELECT max(rowid) FROM {table} WHERE rowid <= ?", (last,)).fetchone()
            return last if found is None else int(found)
        return last

    def _from_both_ends(self, query: str) -> Iterator[tuple[Any, ...] | None]:
        met: set[tuple[Any, ...]] = set()
        try:
            for row in self._old.execute(query):
                met.add(row)
                yield row
            return
        except _UNREADABLE:
            yield None
        keys = ", ".join(str(place + 1) for place in range(query.count(",") + 1))
        try:
            for row in self._old.execute(f"{query} ORDER BY {keys.replace(',', ' DESC,')} DESC"):
                if row not in met:
                    yield row
        except _UNREADABLE:
            return

    def _has_rowid(self, table: str) -> bool:
        try:
            self._old.execute(f"SELECT rowid FROM {table} LIMIT 0")
            return True
        except sqlite3.Error:
            return False

    def _span(self, row: Row) -> bool:
        """Insert a span's links and trace; make a body that cannot be decoded anew from the columns."""
        if not row.keys() >= _NEEDED:  # columns that the damaged table lacks
            return False
        try:
            body = decode_body(row["body"])
            trace_id = _trace_id(row["body"])
        except ValueError:
            try:
                row["body"] = _body_of(row, self._trace_id_of(row["trace"]))
            except (ValueError, TypeError):  # times or a kind that no span has
                return False
            self._done.lost.append(f"span {row['id']} of the log: its body; name, times and columns are kept")
            return True
        if trace_id is not None:
            self._new.execute(
                "INSERT OR IGNORE INTO traces (id, trace_id, root_rank, root_start_ns, start_ns) "
                "VALUES (?, ?, 2, ?, ?)",
                (row["trace"], trace_id, row["start_ns"], row["start_ns"]),
            )
            self._new.execute("UPDATE traces SET present = present | ? WHERE id = ?", (row["present"], row["trace"]))
        for position, link in enumerate(body.links):
            cause = bytes.fromhex(link.trace_id).rjust(16, b"\0")
            self._new.execute(
                "INSERT OR IGNORE INTO links (trace, span, position, cause_trace, cause_span, kind) "
                "VALUES (?, ?, ?, ?, ?, ?)",
                (row["trace"], row["id"], position, None if cause == trace_id else cause,
                 bytes.fromhex(link.span_id), link.kind),
            )  # fmt: skip
        return True

    def _trace_id_of(self, trace: int) -> bytes:
        row = self._new.execute("SELECT trace_id FROM traces WHERE id = ?", (trace,)).fetchone()
        return b"" if row is None else bytes(row[0])

    def _owners(self, now_ns: int) -> None:
        """Insert stand-ins for processes that rows refer to and that are lost; delete rows whose trace is lost."""
        lost = self._new.execute(
            "SELECT instance FROM spans UNION SELECT instance FROM open_spans UNION SELECT instance FROM resources "
            "EXCEPT SELECT id FROM instances"
        ).fetchall()
        for (instance,) in lost:
            self._new.execute(
                "INSERT OR IGNORE INTO instances (id, instance_id, service, started_ns, heartbeat_ns, finished_ns) "
                "VALUES (?, ?, '', ?, ?, ?)",
                (instance, b"repaired" + instance.to_bytes(8, "big", signed=True), now_ns, now_ns, now_ns),
            )
        for table in ("spans", "open_spans"):
            for name in ("resource", "scope"):
                self._new.execute(f"UPDATE {table} SET {name} = NULL WHERE {name} NOT IN (SELECT id FROM {name}s)")
        for key, body in self._new.execute("SELECT id, body FROM resources").fetchall():
            if not _decodes(decode_resource, body):
                self._new.execute("UPDATE resources SET body = ? WHERE id = ?", (encode_resource({}), key))
                self._done.lost.append(f"the attributes of resource {key}")
        for key, body in self._new.execute("SELECT id, body FROM scopes WHERE length(body)").fetchall():
            if not _decodes(decode_scope, body):
                self._new.execute("UPDATE scopes SET body = zeroblob(0) WHERE id = ?", (key,))
                self._done.lost.append(f"the attributes of scope {key}")
        for table in ("spans", "open_spans", "links", "contents", "message_lists", "trace_messages", "trace_drops"):
            number = self._new.execute(f"DELETE FROM {table} WHERE trace NOT IN (SELECT id FROM traces)").rowcount
            if number:
                self._done.lost.append(f"{table}: {number} rows of traces that are lost")


def _is_json(value: bytes | None) -> bool:
    """Whether a column's value is JSON, or there is none."""
    return value is None or _decodes(orjson.loads, value)


def _decodes(decode: Callable[[bytes], object], value: bytes) -> bool:
    try:
        decode(value)
    except ValueError:
        return False
    return True


def _trace_id(body: bytes) -> bytes | None:
    from opentelemetry.proto.trace.v1.trace_pb2 import Span

    trace_id: bytes = parsed(Span(), body).trace_id.rjust(16, b"\0")
    return trace_id if len(trace_id) == 16 and any(trace_id) else None


def _body_of(row: Row, trace_id: bytes) -> bytes:
    """An OTLP span with the columns of the row as attributes."""
    from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

    values = {column.attribute: column.value(row.get(column.name)) for column in COLUMNS}
    attributes = {name: value for name, value in values.items() if value is not None}
    span = Span(
        trace_id=trace_id,
        span_id=row["span_id"],
        parent_span_id=row["parent_span_id"] or b"",
        name=row["name"] or "",
        kind=row["kind"],
        start_time_unix_nano=row["start_ns"],
        end_time_unix_nano=row["end_ns"],
        status=Status(code=row["status"]),
    )
    return bytes(span.SerializeToString()) + key_values(_ATTRIBUTE, attributes)
