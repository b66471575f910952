"""Keeping the store under its caps: the oldest finished traces go, with everything that only they need."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from otel_mas.errors import StoreJournalFull
from otel_mas.model.rollup import NEVER
from otel_mas.store.journal import checkpoint, journal_bytes, keep_within_bound
from otel_mas.store.liveness import FRESH_NS

_DOWN_TO = 0.9  # of the cap: not to come back with the next batch
_SPANS_A_STEP = 5_000  # a transaction that others have to wait for
_PAGES_A_STEP = 1_000
_ORPHAN_NS = 3_600_000_000_000
_IDLE_NS = 7 * 24 * 3_600_000_000_000
_CHECKPOINT_WAIT_MS = 200

_NOT_RUNNING = """NOT EXISTS (
  SELECT 1 FROM open_spans o JOIN instances i ON i.id = o.instance
  WHERE o.trace = t.id AND i.finished_ns IS NULL AND i.heartbeat_ns >= :fresh)"""
_OF_A_TRACE = (
    "links", "spans", "open_spans", "message_lists", "trace_messages", "contents", "facets", "trace_instances",
    "trace_drops",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Caps:
    """How large the file and how old a trace may become; 0 is no cap."""

    max_bytes: int
    max_age_ns: int


@dataclass(slots=True)
class Gone:
    """What retention deleted: the number of traces, the digests of messages that nobody refers to any more."""

    traces: int = 0
    messages: set[bytes] = field(default_factory=set)


def retain(connection: sqlite3.Connection, caps: Caps, instance: int, now_ns: int) -> Gone:
    """Delete what is past the caps, one short transaction after the other, then shrink the file."""
    gone = Gone()
    path = _path(connection)
    try:
        keep_within_bound(connection, path)
    except StoreJournalFull:  # deleting would make it longer still
        return gone
    if caps.max_age_ns:
        while _step(connection, gone, now_ns, older_than_ns=now_ns - caps.max_age_ns):
            pass
    if caps.max_bytes and _used(connection) + journal_bytes(path) > caps.max_bytes:
        while _used(connection) > caps.max_bytes * _DOWN_TO and _step(connection, gone, now_ns):
            pass
    if gone.traces:
        _transact(connection, lambda: _sweep(connection, gone, instance, now_ns))
    _shrink(connection)
    return gone


def delete_traces(connection: sqlite3.Connection, trace_ids: Sequence[bytes], now_ns: int) -> int:
    """Delete finished traces by their ids, a short transaction each, then shrink the file; returns how many went."""
    gone = Gone()
    for trace_id in trace_ids:
        _transact(connection, lambda trace_id=trace_id: _delete_one(connection, trace_id, gone, now_ns))  # type: ignore[misc]
    _shrink(connection)
    return gone.traces


def _delete_one(connection: sqlite3.Connection, trace_id: bytes, gone: Gone, now_ns: int) -> None:
    row = connection.execute(
        f"SELECT id FROM traces t WHERE trace_id = :trace_id AND {_NOT_RUNNING}",
        {"trace_id": trace_id, "fresh": now_ns - FRESH_NS},
    ).fetchone()
    if row is not None:
        _delete(connection, row, gone)
        gone.traces += 1


def _step(connection: sqlite3.Connection, gone: Gone, now_ns: int, older_than_ns: int = NEVER) -> bool:
    """Delete some of the oldest finished traces; False where there is none to delete."""
    deleted = 0

    def work() -> None:
        nonlocal deleted
        traces = _oldest(connection, now_ns, older_than_ns)
        deleted = len(traces)
        _delete(connection, traces, gone)

    _transact(connection, work)
    gone.traces += deleted
    return deleted > 0


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


def _delete(connection: sqlite3.Connection, traces: Sequence[int], gone: Gone) -> None:
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
            gone.messages.update(digest)


def _sweep(connection: sqlite3.Connection, gone: Gone, instance: int, now_ns: int) -> None:
    """Messages whose reference never came (it was dropped), and processes long gone that left no trace."""
    orphans = connection.execute(
        "SELECT digest FROM messages m WHERE added_ns < ? "
        "AND NOT EXISTS (SELECT 1 FROM trace_messages t WHERE t.digest = m.digest)",
        (now_ns - _ORPHAN_NS,),
    ).fetchall()
    connection.executemany("DELETE FROM messages WHERE digest = ?", orphans)
    gone.messages.update(digest for (digest,) in orphans)
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
    free = _pragma(connection, "freelist_count")
    if free * 16 <= _pragma(connection, "page_count"):
        return  # the next spans will use them
    while free:
        # One row per page: all of them have to be fetched, or the vacuum stops after the first.
        connection.execute(f"PRAGMA incremental_vacuum({_PAGES_A_STEP})").fetchall()
        free, before = _pragma(connection, "freelist_count"), free
        if free >= before:
            break
    checkpoint(connection, _CHECKPOINT_WAIT_MS)  # a long reader must not stop the recording


def _used(connection: sqlite3.Connection) -> int:
    pages = _pragma(connection, "page_count") - _pragma(connection, "freelist_count")
    return pages * _pragma(connection, "page_size")


def _path(connection: sqlite3.Connection) -> Path:
    return Path(connection.execute("PRAGMA database_list").fetchone()[2])


def _pragma(connection: sqlite3.Connection, name: str) -> int:
    return int(connection.execute(f"PRAGMA {name}").fetchone()[0])


def _transact(connection: sqlite3.Connection, work: Callable[[], None]) -> None:
    connection.execute("BEGIN IMMEDIATE")
    try:
        work()
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
