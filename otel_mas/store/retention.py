"""Keeping the store within its bounds: the oldest finished traces go, with everything that only they need."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from otel_mas.errors import StoreJournalFull
from otel_mas.model.rollup import NEVER
from otel_mas.store.journal import checkpoint, journal_bytes, keep_within_bound
from otel_mas.store.liveness import FRESH_NS
from otel_mas.store.statements import transaction

_DOWN_TO = 0.9  # of the cap: not to come back with the next batch
_SPANS_A_STEP = 5_000  # a transaction that others have to wait for
_PAGES_A_STEP = 1_000
_ORPHAN_NS = 3_600_000_000_000
_IDLE_NS = 7 * 24 * 3_600_000_000_000
_CHECKPOINT_WAIT_MS = 200  # after a deletion

_NOT_RUNNING = """NOT EXISTS (
  SELECT 1 FROM open_spans o JOIN instances i ON i.id = o.instance
  WHERE o.trace = t.id AND i.finished_ns IS NULL AND i.heartbeat_ns >= :fresh)"""
_OF_A_TRACE = (
    "links", "spans", "open_spans", "message_lists", "trace_messages", "contents", "facets", "trace_instances",
    "trace_drops",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Caps:
    """Bounds on the size of the file and the age of a trace; 0 is no bound."""

    max_bytes: int
    max_age_ns: int


@dataclass(slots=True)
class Deleted:
    """The number of deleted traces, and the digests of deleted messages, to which nothing referred any more."""

    traces: int = 0
    messages: set[bytes] = field(default_factory=set)


def retain(connection: sqlite3.Connection, caps: Caps, instance: int, now_ns: int) -> Deleted:
    """Delete what is past the caps, one short transaction after the other, then shrink the file."""
    deleted = Deleted()
    path = _path(connection)
    try:
        keep_within_bound(connection, path)
    except StoreJournalFull:  # deleting would make it longer still
        return deleted
    if caps.max_age_ns:
        while _delete_oldest(connection, deleted, now_ns, older_than_ns=now_ns - caps.max_age_ns):
            pass
    if caps.max_bytes and used_bytes(connection) + journal_bytes(path) > caps.max_bytes:
        while used_bytes(connection) > caps.max_bytes * _DOWN_TO and _delete_oldest(connection, deleted, now_ns):
            pass
    if deleted.traces:
        with transaction(connection):
            _sweep(connection, deleted, instance, now_ns)
    _shrink(connection)
    return deleted


def delete_traces(connection: sqlite3.Connection, trace_ids: Sequence[bytes], now_ns: int) -> int:
    """Delete finished traces by their ids, a short transaction each, then shrink the file; returns how many went."""
    deleted = Deleted()
    for trace_id in trace_ids:
        with transaction(connection):
            row = connection.execute(
                f"SELECT id FROM traces t WHERE trace_id = :trace_id AND {_NOT_RUNNING}",
                {"trace_id": trace_id, "fresh": now_ns - FRESH_NS},
            ).fetchone()
            _delete(connection, row or (), deleted)
    _shrink(connection)
    return deleted.traces


def _delete_oldest(connection: sqlite3.Connection, deleted: Deleted, now_ns: int, older_than_ns: int = NEVER) -> bool:
    """Delete some of the oldest finished traces; False where there is none to delete."""
    with transaction(connection):
        traces = _oldest(connection, now_ns, older_than_ns)
        _delete(connection, traces, deleted)
    return bool(traces)


def _oldest(connection: sqlite3.Connection, now_ns: int, older_than_ns: int) -> list[int]:
    """The oldest traces without a span that a living process holds open, up to `_SPANS_A_STEP` spans of them."""
    rows = connection.execute(
        f"""
        SELECT id, spans FROM traces t
        WHERE start_ns < :until AND coalesce(end_ns, start_ns) < :until AND {_NOT_RUNNING}
        ORDER BY start_ns LIMIT 500
        """,
        {"until": older_than_ns, "fresh": now_ns - FRESH_NS},
    )
    traces: list[int] = []
    spans = 0
    for trace, size in rows.fetchall():
        if traces and spans + size > _SPANS_A_STEP:
            break
        traces.append(trace)
        spans += size
    return traces


def _delete(connection: sqlite3.Connection, traces: Sequence[int], deleted: Deleted) -> None:
    deleted.traces += len(traces)
    keys = [(trace,) for trace in traces]
    digests = {
        row for key in keys for row in connection.execute("SELECT digest FROM trace_messages WHERE trace = ?", key)
    }
    for table in _OF_A_TRACE:
        connection.executemany(f"DELETE FROM {table} WHERE trace = ?", keys)
    connection.executemany("DELETE FROM traces WHERE id = ?", keys)
    for digest in digests:
        if connection.execute("SELECT 1 FROM trace_messages WHERE digest = ?", digest).fetchone() is None:
            connection.execute("DELETE FROM messages WHERE digest = ?", digest)
            deleted.messages.update(digest)


def _sweep(connection: sqlite3.Connection, deleted: Deleted, instance: int, now_ns: int) -> None:
    """Messages whose reference never came (it was dropped), and processes long deleted that left no trace."""
    orphans = connection.execute(
        "SELECT digest FROM messages m WHERE added_ns < ? "
        "AND NOT EXISTS (SELECT 1 FROM trace_messages t WHERE t.digest = m.digest)",
        (now_ns - _ORPHAN_NS,),
    ).fetchall()
    connection.executemany("DELETE FROM messages WHERE digest = ?", orphans)
    deleted.messages.update(digest for (digest,) in orphans)
    idle = connection.execute(
        "SELECT id FROM instances i WHERE id <> ? AND heartbeat_ns < ? "
        "AND NOT EXISTS (SELECT 1 FROM trace_instances t WHERE t.instance = i.id)",
        (instance, now_ns - _IDLE_NS),
    ).fetchall()
    connection.executemany("DELETE FROM resources WHERE instance = ?", idle)
    connection.executemany("DELETE FROM drops WHERE instance = ?", idle)
    connection.executemany("DELETE FROM instances WHERE id = ?", idle)


def _shrink(connection: sqlite3.Connection) -> None:
    """Give free pages back to the file system. The file itself shrinks at the checkpoint."""
    free = pragma(connection, "freelist_count")
    if free * 16 <= pragma(connection, "page_count"):
        return  # the next spans will use them
    while free:
        # One row per page: all of them have to be fetched, or the vacuum stops after the first.
        with transaction(connection):
            connection.execute(f"PRAGMA incremental_vacuum({_PAGES_A_STEP})").fetchall()
        free, before = pragma(connection, "freelist_count"), free
        if free >= before:
            break
    checkpoint(connection, _CHECKPOINT_WAIT_MS)  # a long reader must not stop the recording


def used_bytes(connection: sqlite3.Connection) -> int:
    pages = pragma(connection, "page_count") - pragma(connection, "freelist_count")
    return pages * pragma(connection, "page_size")


def _path(connection: sqlite3.Connection) -> Path:
    return Path(connection.execute("PRAGMA database_list").fetchone()[2])


def pragma(connection: sqlite3.Connection, name: str) -> int:
    return int(connection.execute(f"PRAGMA {name}").fetchone()[0])
