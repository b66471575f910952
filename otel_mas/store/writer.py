"""Writing into the store: batches, each of them one transaction."""

from __future__ import annotations

import hashlib
import os
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import astuple, fields
from itertools import chain
from pathlib import Path
from typing import Any

from otel_mas.errors import StoreJournalFull
from otel_mas.model.dropped import Dropped
from otel_mas.model.processes import ProcessFigures
from otel_mas.otlp.encode import encode_resource, encode_scope
from otel_mas.semconv import attributes as names
from otel_mas.store.append import add_versions, append_contents, append_links, append_spans, recount
from otel_mas.store.columns import COLUMNS
from otel_mas.store.connection import BUSY_TIMEOUT_S, translated_errors
from otel_mas.store.files import is_settled
from otel_mas.store.journal import keep_within_bound
from otel_mas.store.losses import write_dropped, write_drops, write_redacted
from otel_mas.store.messages import MessageWriter
from otel_mas.store.open_store import OpenStore
from otel_mas.store.retention import Caps, retain
from otel_mas.store.rollup import roll_up, sum_up, trace_ids, trace_keys
from otel_mas.store.rows import Batch, OpenRow, SpanRow, sanitised
from otel_mas.store.statements import delete, insert_mappings, insert_values, present, transaction

BEAT_EVERY_NS = 500_000_000
_SPAN = ("trace", "span_id")
_FIGURES = ", ".join(f"{one.name} = ?" for one in fields(ProcessFigures))
_BEAT = f"UPDATE instances SET heartbeat_ns = ?, {_FIGURES} WHERE id = ?"
# Of what is remembered: a process has one resource, but a receiver gets those of all.
_MAX_RESOURCES, _MAX_RESOURCES_BYTES, _MAX_SCOPES = 16_384, 16 * 2**20, 4096
_UNSTORABLE = (sqlite3.InterfaceError, sqlite3.ProgrammingError, OverflowError, UnicodeError, TypeError, ValueError)


class StoreWriter:
    """Writes one process's spans into the store at `path`, which it creates and migrates where needed.

    Several processes may have a writer on the same file. One writer is used by one thread at a time.

    Args:
        instance_id: of this process; names the owner of its open spans.
        run_id: of the `otel-mas run` that it belongs to.
        max_bytes, max_age_ns: caps that `retain` enforces.
        clock: now, in ns since the epoch.
        timeout_s: how long a write waits for another process's transaction before it raises StoreLocked.
        digest_key: of the store, if it is created here; one that exists keeps its own.
        figures: measures this process, for its heartbeats.
        durable: whether a batch has reached the disk once it is committed, and so outlives a loss of power.
        autocheckpoint: whether a commit moves a long write-ahead log into the file; else a `Checkpointer` is to do it.

    Raises:
        NotAStore, StoreTooNew, StoreReadOnly, StoreLocked, StoreCorrupt, StoreReplaced, StoreError
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        instance_id: bytes,
        run_id: str | None,
        service: str,
        max_bytes: int,
        max_age_ns: int,
        clock: Callable[[], int] = time.time_ns,
        timeout_s: float = BUSY_TIMEOUT_S,
        digest_key: bytes | None = None,
        durable: bool = False,
        autocheckpoint: bool = True,
        figures: Callable[[], ProcessFigures] = ProcessFigures,
    ) -> None:
        self._opened = OpenStore(Path(path), timeout_s, digest_key, autocheckpoint=autocheckpoint)
        self._durable = durable
        self._figures = figures
        self.path = self._opened.path
        self._identity = (instance_id, run_id, service)
        self._caps = Caps(max_bytes, max_age_ns)
        self._clock = clock
        self._instance: int | None = None
        self._beat_ns = 0
        self._contents = (0, 0)
        self._resources: dict[bytes, tuple[int, str, str, bytes]] = {}
        self._resources_bytes = 0
        self._services: dict[int, str] = {}
        self._scopes: dict[tuple[str, str, str, bytes], int] = {}
        self._messages = MessageWriter()
        try:
            with self._transaction(self._clock()) as connection:
                stored = dict(connection.execute("SELECT name, value FROM store").fetchall())
        except BaseException:
            self.close()
            raise
        self.store_id: str = stored["id"]
        self.digest_key: bytes = stored["digest_key"]

    def resource(self, attributes: Mapping[str, Any], schema_url: str, body: bytes) -> int:
        """The key of a resource. `body` is the OTLP `Resource`; encoded from `attributes` where it is empty."""
        if not body and attributes:
            body = encode_resource(attributes)
        digest = hashlib.blake2b(schema_url.encode() + b"\0" + body, digest_size=16).digest()
        known = self._resources.get(digest)
        if known is not None:
            self._resources[digest] = self._resources.pop(digest)  # the last that may be forgotten
        else:
            service = str(attributes.get(names.SERVICE_NAME) or self._identity[2])
            with self._transaction(self._clock()) as connection:
                connection.execute(
                    "INSERT OR IGNORE INTO resources (instance, digest, service, schema_url, body) "
                    "VALUES (?, ?, ?, ?, ?)",
                    (self._instance, digest, service, schema_url, body),
                )
                key = _one(
                    connection, "SELECT id FROM resources WHERE instance = ? AND digest = ?", self._instance, digest
                )
            self._forget_resources(len(body))
            known = self._resources[digest] = (key, service, schema_url, body)
            self._services[key] = service
        return known[0]

    def scope(self, name: str, version: str, attributes: Mapping[str, Any], schema_url: str) -> int:
        """The key of an instrumentation scope."""
        body = encode_scope(name, version, attributes) if attributes else b""
        scope = (name, version, schema_url, body)
        key = self._scopes.get(scope)
        if key is None:
            digest = hashlib.blake2b(repr(scope).encode(), digest_size=16).digest()
            with self._transaction(self._clock()) as connection:
                connection.execute(
                    "INSERT OR IGNORE INTO scopes (digest, name, version, schema_url, body) VALUES (?, ?, ?, ?, ?)",
                    (digest, *scope),
                )
                key = _one(connection, "SELECT id FROM scopes WHERE digest = ?", digest)
            if len(self._scopes) >= _MAX_SCOPES:
                self._scopes.clear()
            self._scopes[scope] = key
        return key

    def _forget_resources(self, size: int) -> None:
        """Forget the resources that have not been asked for the longest, to make room for one of this size."""
        self._resources_bytes += size
        while self._resources and (
            len(self._resources) >= _MAX_RESOURCES or self._resources_bytes > _MAX_RESOURCES_BYTES
        ):
            key, *_, body = self._resources.pop(next(iter(self._resources)))
            self._resources_bytes -= len(body)
            self._services.pop(key, None)

    def write(self, batch: Batch) -> None:
        """Commit a batch, whole or not at all: after an error the same batch can be written again.

        Raises `StoreJournalFull` while another program keeps the write-ahead log from being emptied: try again later.
        An empty batch is a heartbeat, needed at least every few seconds while spans are open: a process without a fresh
        one is taken for dead.
        """
        now_ns = self._clock()
        contents = batch.contents_recorded, batch.contents_done
        if not batch and contents == self._contents and now_ns - self._beat_ns < BEAT_EVERY_NS:
            return
        if batch:
            self._bound_journal(now_ns)
        try:
            self._commit(batch, now_ns)
        except _UNSTORABLE:
            # SQLite cannot hold a value; the rest of the batch can still be saved.
            self._commit(sanitised(batch), now_ns)
        self._contents = contents

    def _bound_journal(self, now_ns: int) -> None:
        with translated_errors(self.path):
            connection = self._opened.connection()
            try:
                keep_within_bound(connection, self.path)
            except StoreJournalFull:
                with self._transaction(now_ns):
                    pass  # a heartbeat: this process is alive
                raise

    def forgotten(self) -> frozenset[bytes]:
        """Digests that spans refer to while the store has no such message (any more); each is returned once.

        Retention deletes messages that a caller may remember as sent: it should send these again.
        """
        return self._messages.forgotten()

    def retain(self) -> int:
        """Delete the oldest finished traces past the caps, and give the space back; returns how many traces went."""
        with translated_errors(self.path):
            gone = retain(self._opened.connection(), self._caps, self._instance or 0, self._clock())
        self._messages.forget(gone.messages)
        return gone.traces

    def finish(self, dropped: Sequence[Dropped], withheld: int) -> None:
        """Store that this process ended in good order, and the numbers of what it dropped and withheld."""
        now_ns = self._clock()
        with self._transaction(now_ns) as connection:
            connection.execute(
                "UPDATE instances SET finished_ns = ?, withheld = ? WHERE id = ?", (now_ns, withheld, self._instance)
            )
            write_dropped(connection, self._instance or 0, dropped)

    def interrupt(self, after_s: float = 0.0) -> None:
        """Roll back what another thread is in after so many seconds: it raises StoreLocked and can be done again."""
        self._opened.interrupt(after_s)

    def release(self) -> None:
        """Close the connection; the next call opens it again.

        For `os.register_at_fork(before=...)`: SQLite's bookkeeping of file locks must not be inherited by a child.
        """
        self._opened.release()

    def close(self) -> None:
        """Close the connection."""
        self.release()

    def verify(self) -> None:
        """Raise `StoreClosed` or `StoreReplaced`, now and later, once the store's files cannot be used any more."""
        self._opened.verify()

    def is_settled(self) -> bool:
        """Tell whether the file that replaced this store's is complete, as far as can be seen."""
        return is_settled(self.path)

    @contextmanager
    def _transaction(self, now_ns: int, *, durable: bool = False) -> Iterator[sqlite3.Connection]:
        with translated_errors(self.path):
            connection = self._opened.connection()
            if durable:  # then all that was committed before it has reached the disk, too
                connection.execute("PRAGMA synchronous = FULL")
            with transaction(connection):
                beats = now_ns - self._beat_ns >= BEAT_EVERY_NS
                if beats:
                    self._heartbeat(connection, now_ns)
                yield connection
            if durable:
                connection.execute("PRAGMA synchronous = NORMAL")
            self.verify()  # a commit to a file that had been removed is not stored
            if beats:
                self._beat_ns = now_ns

    def _heartbeat(self, connection: sqlite3.Connection, now_ns: int) -> None:
        if self._instance is not None:
            beaten = connection.execute(_BEAT, (now_ns, *astuple(self._figures()), self._instance))
            if beaten.rowcount:
                return
        # New, or asleep for so long that retention deleted its row: inserted with the ids that our callers hold.
        self._contents = (0, 0)
        connection.execute(
            "INSERT OR IGNORE INTO instances (id, instance_id, run_id, service, started_ns, heartbeat_ns) "
            "VALUES (?, ?, ?, ?, ?, ?)",
            (self._instance, *self._identity, now_ns, now_ns),
        )
        self._instance = _one(connection, "SELECT id FROM instances WHERE instance_id = ?", self._identity[0])
        connection.executemany(
            "INSERT OR IGNORE INTO resources (id, instance, digest, service, schema_url, body) "
            "VALUES (?, ?, ?, ?, ?, ?)",
            [(key, self._instance, digest, *rest) for digest, (key, *rest) in self._resources.items()],
        )

    def _commit(self, batch: Batch, now_ns: int) -> None:
        with self._transaction(now_ns, durable=self._durable and bool(batch)) as connection:
            if self._contents != (contents := (batch.contents_recorded, batch.contents_done)):
                connection.execute(
                    "UPDATE instances SET contents_recorded = ?, contents_done = ? WHERE id = ?",
                    (*contents, self._instance),
                )
            if not batch:
                return
            write_redacted(connection, batch.redacted)
            traces, new_from = trace_keys(connection, trace_ids(batch))
            here = [value for key in traces.values() for value in (key, self._instance)]
            insert_values(connection, "INSERT OR IGNORE INTO trace_instances (trace, instance)", 2, here)
            present_columns: dict[int, int] = {}
            counted, recounted = self._spans(connection, batch.spans, traces, present_columns)
            self._open_spans(connection, batch, traces)
            self._messages.write(connection, batch, traces, now_ns)
            if batch.drops:
                write_drops(connection, batch, traces, self._instance or 0)
            if batch.contents:
                append_contents(connection, batch.contents, traces, may_repeat=batch.contents_may_repeat)
            rollups = roll_up(batch, counted, traces)
            sum_up(connection, rollups, traces, present_columns, self._service, now_ns, new_from)
            for trace in recounted:
                recount(connection, trace, self._service)
        self._messages.committed()

    def _service(self, resource: int | None) -> str | None:
        return None if resource is None else self._services.get(resource)

    def _spans(
        self,
        connection: sqlite3.Connection,
        rows: list[SpanRow],
        traces: dict[bytes, int],
        present_columns: dict[int, int],
    ) -> tuple[list[SpanRow], set[int]]:
        """Append spans to the log. Returns the rows to count, and the traces to recount."""
        if not rows:
            return rows, set()
        last = connection.execute("SELECT seq FROM sqlite_sequence WHERE name = 'spans'").fetchone()
        first = last[0] + 1 if last else 1
        instance = self._instance or 0
        new, recounted = dict(enumerate(rows, first)), set[int]()
        if append_spans(connection, new, traces, instance, present_columns) != len(rows):
            new, recounted = add_versions(connection, new, traces, instance)
        append_links(connection, new, traces)
        if not recounted:
            return list(new.values()), recounted
        return [row for row in new.values() if traces[row.trace_id] not in recounted], recounted

    def _open_spans(self, connection: sqlite3.Connection, batch: Batch, traces: dict[bytes, int]) -> None:
        if batch.opened:
            opened = [self._open_row(row, traces[row.trace_id]) for row in batch.opened]
            insert_mappings(connection, "INSERT OR REPLACE INTO open_spans", opened)
            # A span that has ended is not opened by a start that comes late.
            late = present(connection, "spans", _SPAN, _keys(batch.opened, traces))
            delete(connection, "open_spans", _SPAN, list(chain.from_iterable(late)))
        if batch.spans and connection.execute("SELECT 1 FROM open_spans").fetchone():
            delete(connection, "open_spans", _SPAN, _keys(batch.spans, traces))

    def _open_row(self, row: OpenRow, trace: int) -> dict[str, object]:
        parent = row.parent_span_id
        return {
            "trace": trace,
            "span_id": bytearray(row.span_id),
            **({} if parent is None else {"parent_span_id": bytearray(parent)}),
            "name": row.name,
            "kind": row.kind,
            "start_ns": row.start_ns,
            "instance": self._instance,
            "resource": row.resource,
            "scope": row.scope,
            **{COLUMNS[place].name: value for place, value in row.columns.items()},
        }


def _keys(rows: Iterable[SpanRow | OpenRow], traces: dict[bytes, int]) -> list[object]:
    """The keys of the rows in the tables, trace and span id, one after the other."""
    return [value for row in rows for value in (traces[row.trace_id], bytearray(row.span_id))]


def _one(connection: sqlite3.Connection, sql: str, *parameters: object) -> int:
    return int(connection.execute(sql, parameters).fetchone()[0])
