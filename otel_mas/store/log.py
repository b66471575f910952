"""The log as a queue: read by key, with a durable cursor for each destination, and a lease to ship to it."""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from otel_mas.errors import NotAStore, StoreReplaced
from otel_mas.fork import background_imports
from otel_mas.otlp.framing import LogRow
from otel_mas.store.connection import BUSY_TIMEOUT_S, translated_errors
from otel_mas.store.log_reader import RATE_PERIOD_S, Origins, count_shippable, decayed, last_key
from otel_mas.store.open_store import OpenStore
from otel_mas.store.statements import transaction

if TYPE_CHECKING:
    from otel_mas.store.content import ContentAdder

_LONGEST_LEASE_NS = 3_600 * 10**9  # a lease that lasts longer was given by a clock that has been set back since
_MOST_REJECTIONS = 10_000  # that are kept of a destination


class LeaseLost(Exception):
    """Another process ships to this destination now: a chunk that was read must not be acknowledged."""


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to ship to one destination. The epoch tells it from every earlier and later one."""

    destination: str
    owner: str
    epoch: int


@dataclass(frozen=True, slots=True)
class LogChunk:
    """The next spans of the log for a destination.

    `upto` is the last key that is dealt with when `rows` are. `not_consented` and `exported_by_app` count spans in
    between that are not to be shipped: without consent to leave, or sent there by the app itself.
    """

    rows: list[LogRow]
    upto: int
    is_history: bool = False
    not_consented: int = 0
    exported_by_app: int = 0


@dataclass(frozen=True, slots=True)
class Progress:
    """Counts of spans since the cursor was moved last."""

    shipped: int = 0
    rejected: int = 0
    not_consented: int = 0
    exported_by_app: int = 0
    withheld: int = 0
    set_aside: tuple[tuple[int, str], ...] = ()
    """Key and reason of those of the rejected spans that are known one by one."""


class Log:
    """The store's log, for a shipper. One thread uses it at a time.

    Args:
        clock: now, in ns since the epoch.

    Raises:
        NotAStore, StoreTooNew, StoreReadOnly, StoreLocked, StoreCorrupt, StoreError
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        clock: Callable[[], int] = time.time_ns,
        timeout_s: float = BUSY_TIMEOUT_S,
    ) -> None:
        self.path = Path(path).expanduser().absolute()
        self._clock = clock
        self._timeout_s = timeout_s
        self._destinations: set[str] = set()
        self._opened_ns = time.time_ns()
        self._opened: OpenStore | None = self._open()
        self._origins = Origins()
        self._adders: dict[int, ContentAdder] = {}
        self.in_use = threading.Lock()
        """Held while the connection is busy: a fork takes it, and calls `release`."""

    def add(self, destination: str, *, from_start: bool = False) -> int | None:
        """Make a destination known: spans committed from now on are for it.

        Args:
            from_start: spans recorded before are to be shipped, too.

        Returns:
            How many spans it begins behind (and will not get), where it is new; else None.
        """
        self._destinations.add(destination)
        with self.transaction() as connection:
            return self._add(connection, destination, from_start)

    def _add(self, connection: sqlite3.Connection, destination: str, from_start: bool) -> int | None:
        known = connection.execute("SELECT 1 FROM destinations WHERE name = ?", (destination,)).fetchone()
        if known is None:
            start = 0 if from_start else last_key(connection)
            connection.execute(
                "INSERT INTO destinations (name, added_ns, start, cursor) VALUES (?, ?, ?, ?)",
                (destination, self._clock(), start, start),
            )
            return count_shippable(connection, 0, start)
        if from_start:
            connection.execute(
                "UPDATE destinations SET history = 0 WHERE name = ? AND history IS NULL AND start > 0",
                (destination,),
            )
        return None

    def lease(self, destination: str, owner: str, seconds: float) -> Lease | None:
        """Get, or keep, the right to ship to a destination; None while another process has it."""
        now_ns = self._clock()
        with self.transaction() as connection:
            row = connection.execute(
                """
                UPDATE destinations
                SET epoch = epoch + (owner IS NOT :owner OR lease_until_ns <= :now),
                  owner = :owner, lease_until_ns = :until
                WHERE name = :name
                  AND (owner IS NULL OR owner = :owner OR lease_until_ns <= :now OR lease_until_ns > :longest)
                RETURNING epoch
                """,
                {
                    "name": destination,
                    "owner": owner,
                    "now": now_ns,
                    "until": now_ns + int(seconds * 1e9),
                    "longest": now_ns + _LONGEST_LEASE_NS,
                },
            ).fetchall()
        return Lease(destination, owner, row[0][0]) if row else None

    def renew(self, lease: Lease, seconds: float) -> None:
        """Make a lease last for so long from now. Raises `LeaseLost`."""
        self._as_owner(lease, "UPDATE destinations SET lease_until_ns = ?", self._clock() + int(seconds * 1e9))

    def give_back(self, lease: Lease) -> None:
        """Let the next shipper begin at once; nothing where the lease is lost."""
        try:
            self._as_owner(lease, "UPDATE destinations SET owner = NULL, lease_until_ns = ?", 0)
        except LeaseLost:
            pass

    def read(self, destination: str, server: str, spans: int, size: int, content: int = 0) -> LogChunk | None:
        """The next spans, up to so many spans and bytes (but one span at least); None where there is none.

        Spans recorded since the destination is known come before its history.

        Args:
            server: of the destination, as `otel_mas.config.server_key` names it; "" where it is none.
            content: bytes of each attribute with recorded content that goes along; 0 for none.
        """
        with self.transaction("DEFERRED") as connection:
            found = connection.execute(
                "SELECT cursor, start, history FROM destinations WHERE name = ?", (destination,)
            ).fetchone()
            if found is None:
                return None
            cursor, start, history = found
            bounds = spans, size, content
            chunk = self.chunk(connection, server, cursor, last_key(connection), bounds)
            if chunk is None and history is not None and history < start:
                chunk = self.chunk(connection, server, history, start, bounds)
                # Nothing is left of the history: the cursor moves all the same.
                chunk = LogChunk([], start) if chunk is None else chunk
                return replace(chunk, is_history=True)
            return chunk

    def advance(self, lease: Lease, chunk: LogChunk, upto: int, progress: Progress) -> None:
        """Acknowledge: everything of the chunk up to this key is dealt with. Raises `LeaseLost`."""
        column = "history" if chunk.is_history else "cursor"
        sent = sum(row.key <= upto for row in chunk.rows)
        with self.transaction() as connection:
            first = chunk.rows[0].key if chunk.rows else upto + 1
            # Spans that retention deleted while they were under way were counted as lost, and are not.
            gone = max(0, sent - count_shippable(connection, first - 1, upto)) if sent else 0
            now_ns = self._clock()
            changed = connection.execute(
                f"""
                UPDATE destinations SET {column} = max({column}, :upto), shipped = shipped + :shipped,
                  rejected = rejected + :rejected, held_back = held_back + :not_consented,
                  elsewhere = elsewhere + :exported_by_app, withheld = withheld + :withheld,
                  lost = max(0, lost - :gone), rate = :rate,
                  sent_ns = CASE WHEN :shipped THEN :now ELSE sent_ns END,
                  error = CASE WHEN :shipped THEN NULL ELSE error END,
                  error_ns = CASE WHEN :shipped THEN NULL ELSE error_ns END
                WHERE name = :name AND epoch = :epoch
                """,
                {
                    **asdict(progress),
                    "set_aside": None,
                    "name": lease.destination,
                    "epoch": lease.epoch,
                    "upto": upto,
                    "gone": gone,
                    "now": now_ns,
                    "rate": _rate(connection, lease.destination, progress.shipped, now_ns),
                },
            ).rowcount
            if not changed:
                raise LeaseLost(lease.destination)
            if progress.set_aside:
                _keep_rejections(connection, lease.destination, progress.set_aside, now_ns)

    def failed(self, lease: Lease, reason: str) -> None:
        """Store the last error. Raises `LeaseLost`."""
        self._as_owner(lease, "UPDATE destinations SET error_ns = ?, error = ?", self._clock(), reason)

    def exports_itself(self, instance_id: bytes, servers: Iterable[str]) -> None:
        """Store that a recording process exports its spans to these servers by itself, from now on."""
        with self.transaction() as connection:
            connection.executemany(
                "INSERT OR IGNORE INTO own_exports (instance, server, after) "
                "SELECT id, ?, ? FROM instances WHERE instance_id = ?",
                [(server, last_key(connection), instance_id) for server in servers],
            )

    def release(self) -> None:
        """Close the connection; the next call opens it again (see `StoreWriter.release`)."""
        if self._opened is not None:
            self._opened.release()

    def close(self) -> None:
        """Close the connection."""
        self.release()

    def _open(self) -> OpenStore:
        if not self.path.exists():
            raise NotAStore(f"there is no store at {self.path}: record one with `otel-mas run -- python app.py`")
        return OpenStore(self.path, self._timeout_s)

    def _open_next(self) -> OpenStore:
        """Open the store that is at the path now, with the same destinations, which get all of a store that is new."""
        opened = self._open()
        connection = opened.connection()
        self._origins = Origins()
        self._adders = {}
        (created_ns,) = connection.execute("SELECT value FROM store WHERE name = 'created_ns'").fetchone()
        for destination in self._destinations:
            self._add(connection, destination, from_start=created_ns >= self._opened_ns)
        return opened

    def chunk(
        self,
        connection: sqlite3.Connection,
        server: str,
        after: int,
        upto: int,
        bounds: tuple[int, int, int],
        condition: str = "TRUE",
        values: Sequence[object] = (),
    ) -> LogChunk | None:
        """Spans between two keys for which a condition in SQL holds.

        Args:
            bounds: numbers of spans, bytes, and bytes of content, as in `read`.
        """
        spans, size, content = bounds
        # For each process that exports to the server by itself, the last key before it began to.
        exporting = connection.execute("SELECT instance, after FROM own_exports WHERE server = ?", (server,))
        own: dict[int, int] = dict(exporting.fetchall())
        adder = self._adder(content) if content else None
        rows: list[LogRow] = []
        not_consented = exported_by_app = last = used = 0
        found = connection.execute(
            "SELECT id, resource, scope, instance, trace, span_id, CASE WHEN may_ship AND sampled THEN body END "
            f"FROM spans WHERE id > ? AND id <= ? AND version = 0 AND {condition} ORDER BY id LIMIT ?",
            (after, upto, *values, 8 * spans),
        )
        for key, resource, scope, instance, trace, span_id, body in found:
            if body is None:
                not_consented += 1
            elif own and key > own.get(instance, key):
                exported_by_app += 1
            else:
                if adder is not None:
                    body = adder.add(connection, trace, span_id, body)
                used += len(body)
                if rows and used > size:
                    break
                rows.append(LogRow(key, *self._origins.both(connection, resource, scope), body))
            last = key
            if len(rows) >= spans:
                break
        found.close()
        return LogChunk(rows, last, not_consented=not_consented, exported_by_app=exported_by_app) if last else None

    def _adder(self, limit: int) -> ContentAdder:
        found = self._adders.get(limit)
        if found is None:
            with background_imports:
                from otel_mas.store.content import ContentAdder

            found = self._adders[limit] = ContentAdder(limit)
        return found

    def _as_owner(self, lease: Lease, update: str, *values: object) -> None:
        with self.transaction() as connection:
            changed = connection.execute(
                f"{update} WHERE name = ? AND epoch = ?", (*values, lease.destination, lease.epoch)
            ).rowcount
            if not changed:
                raise LeaseLost(lease.destination)

    @contextmanager
    def transaction(self, kind: str = "IMMEDIATE") -> Iterator[sqlite3.Connection]:
        with self.in_use, translated_errors(self.path):
            if self._opened is None:
                self._opened = self._open_next()
            try:
                connection = self._opened.connection()
            except StoreReplaced:
                self._opened = None  # the next call goes on in the store that is at the path then
                raise
            with transaction(connection, kind):
                yield connection


def _rate(connection: sqlite3.Connection, destination: str, shipped: int, now_ns: int) -> float:
    """The rate of a destination, once it has taken so many spans more; as of the last time where it took none."""
    found = connection.execute("SELECT rate, sent_ns FROM destinations WHERE name = ?", (destination,)).fetchone()
    rate, sent_ns = found or (0.0, None)
    return float(decayed(rate, sent_ns, now_ns) + shipped / RATE_PERIOD_S if shipped else rate)


def _keep_rejections(
    connection: sqlite3.Connection, destination: str, reasons: Iterable[tuple[int, str]], now_ns: int
) -> None:
    """Store which spans (keys in the log) a destination refused, and why; the oldest go where there are too many."""
    connection.executemany(
        "INSERT OR REPLACE INTO rejections (destination, span, trace_id, span_id, name, reason, rejected_ns) "
        "SELECT d.id, s.id, lower(hex(t.trace_id)), lower(hex(s.span_id)), coalesce(s.name, ''), ?, ? "
        "FROM destinations d JOIN spans s ON s.id = ? JOIN traces t ON t.id = s.trace WHERE d.name = ?",
        [(reason, now_ns, key, destination) for key, reason in reasons],
    )
    connection.execute(
        "DELETE FROM rejections WHERE destination = (SELECT id FROM destinations WHERE name = :name) AND span <= "
        "(SELECT span FROM rejections WHERE destination = (SELECT id FROM destinations WHERE name = :name) "
        "ORDER BY span DESC LIMIT 1 OFFSET :kept)",
        {"name": destination, "kept": _MOST_REJECTIONS},
    )
