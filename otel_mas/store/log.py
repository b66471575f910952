"""The log as a queue: read by key, with a durable cursor for each destination and a lease for whoever ships to it."""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from operator import itemgetter
from pathlib import Path

from otel_mas.errors import NotAStore, StoreReplaced
from otel_mas.otlp.encode import encode_scope
from otel_mas.otlp.framing import LogRow, Origin
from otel_mas.store import rejections
from otel_mas.store.bulk import select
from otel_mas.store.connection import BUSY_TIMEOUT_S, open_for_reading, reading, told_apart
from otel_mas.store.content import with_content
from otel_mas.store.opened import OpenStore
from otel_mas.store.rejections import Rejection

_LONGEST_LEASE_NS = 3_600 * 10**9  # a lease that lasts longer was given by a clock that has been set back since
_MAX_ORIGINS = 4096
_MOST_REJECTIONS = 100
_ROWS_AT_ONCE = 1000
_SHIPPABLE = "version = 0 AND may_ship AND sampled"
_NOTHING = Origin(0, b"")


class LeaseLost(Exception):
    """Somebody else ships to this destination now: what was read must not be acknowledged."""


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to ship to one destination. The epoch tells it from every earlier and later one."""

    destination: str
    owner: str
    epoch: int


@dataclass(frozen=True, slots=True)
class Piece:
    """What comes next in the log for a destination.

    `upto` is the last key that is dealt with when `rows` are. `held_back` and `elsewhere` count spans in between
    that are not to be shipped: without consent, or sent there by the app itself.
    """

    rows: list[LogRow]
    upto: int
    is_history: bool = False
    held_back: int = 0
    elsewhere: int = 0


@dataclass(frozen=True, slots=True)
class Progress:
    """What has become of spans since the cursor was moved last."""

    shipped: int = 0
    rejected: int = 0
    held_back: int = 0
    elsewhere: int = 0
    withheld: int = 0
    set_aside: tuple[tuple[int, str], ...] = ()
    """Those of the rejected that are known one by one: key and reason."""


@dataclass(frozen=True, slots=True)
class DestinationStatus:
    """How far a destination is. `waiting` counts spans, `behind_ns` the age of the oldest of them."""

    name: str
    cursor: int
    waiting: int
    behind_ns: int
    history_waiting: int
    shipped: int
    rejected: int
    held_back: int
    elsewhere: int
    withheld: int
    lost: int
    added_ns: int
    sent_ns: int | None
    error: str | None
    error_ns: int | None
    shipping: bool
    """Somebody holds the lease."""
    rejections: tuple[Rejection, ...] = ()
    """The latest spans that it refused, the last one first."""


class Log:
    """The store's log, for one that ships it. One thread uses it at a time.

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
        self._begun_ns = time.time_ns()
        self._opened: OpenStore | None = self._open()
        self._origins = _Origins()
        self.in_use = threading.Lock()
        """Held while the connection is busy: whoever forks takes it, and calls `release`."""

    def add(self, destination: str, *, from_start: bool = False) -> int | None:
        """Make a destination known: what is committed from now on is for it.

        Args:
            from_start: what was recorded before it was made known is to be shipped, too.

        Returns:
            How many spans it begins behind (and will not get), where it is new; else None.
        """
        self._destinations.add(destination)
        with self._transaction() as connection:
            return self._add(connection, destination, from_start)

    def _add(self, connection: sqlite3.Connection, destination: str, from_start: bool) -> int | None:
        known = connection.execute("SELECT 1 FROM destinations WHERE name = ?", (destination,)).fetchone()
        if known is None:
            start = 0 if from_start else _last_key(connection)
            connection.execute(
                "INSERT INTO destinations (name, added_ns, start, cursor) VALUES (?, ?, ?, ?)",
                (destination, self._clock(), start, start),
            )
            return _count(connection, 0, start)
        if from_start:
            connection.execute(
                "UPDATE destinations SET history = 0 WHERE name = ? AND history IS NULL AND start > 0",
                (destination,),
            )
        return None

    def lease(self, destination: str, owner: str, seconds: float) -> Lease | None:
        """Get, or keep, the right to ship to a destination; None while somebody else has it."""
        now_ns = self._clock()
        with self._transaction() as connection:
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
        """Let the next one ship at once; nothing where the lease is lost."""
        try:
            self._as_owner(lease, "UPDATE destinations SET owner = NULL, lease_until_ns = ?", 0)
        except LeaseLost:
            pass

    def read(self, destination: str, server: str, spans: int, size: int, content: int = 0) -> Piece | None:
        """What comes next, up to so many spans and bytes (but one span at least); None where there is nothing.

        What was recorded since the destination is known comes before its history.

        Args:
            server: of the destination, as `otel_mas.config.server_key` names it; "" where it is none.
            content: bytes of each attribute with content that lies beside a span and goes along; 0 for none.
        """
        with self._transaction("DEFERRED") as connection:
            found = connection.execute(
                "SELECT cursor, start, history FROM destinations WHERE name = ?", (destination,)
            ).fetchone()
            if found is None:
                return None
            cursor, start, history = found
            own = self._own_exports(connection, server)
            bounds = spans, size, content
            piece = self._piece(connection, cursor, _last_key(connection), own, *bounds)
            if piece is None and history is not None and history < start:
                piece = self._piece(connection, history, start, own, *bounds)
                # Nothing is left of it: that, too, is worth remembering.
                piece = Piece([], start) if piece is None else piece
                return replace(piece, is_history=True)
            return piece

    def advance(self, lease: Lease, piece: Piece, upto: int, progress: Progress) -> None:
        """Acknowledge: everything of the piece up to this key is dealt with. Raises `LeaseLost`."""
        column = "history" if piece.is_history else "cursor"
        sent = sum(row.key <= upto for row in piece.rows)
        with self._transaction() as connection:
            first = piece.rows[0].key if piece.rows else upto + 1
            # What retention has deleted while it was under way was counted as lost, and is not.
            gone = max(0, sent - _count(connection, first - 1, upto)) if sent else 0
            changed = connection.execute(
                f"""
                UPDATE destinations SET {column} = max({column}, :upto), shipped = shipped + :shipped,
                  rejected = rejected + :rejected, held_back = held_back + :held_back,
                  elsewhere = elsewhere + :elsewhere, withheld = withheld + :withheld, lost = max(0, lost - :gone),
                  sent_ns = CASE WHEN :shipped THEN :now ELSE sent_ns END,
                  error = CASE WHEN :shipped THEN NULL ELSE error END,
                  error_ns = CASE WHEN :shipped THEN NULL ELSE error_ns END
                WHERE name = :name AND epoch = :epoch
                """,
                {
                    "name": lease.destination,
                    "epoch": lease.epoch,
                    "upto": upto,
                    "shipped": progress.shipped,
                    "rejected": progress.rejected,
                    "held_back": progress.held_back,
                    "elsewhere": progress.elsewhere,
                    "withheld": progress.withheld,
                    "gone": gone,
                    "now": self._clock(),
                },
            ).rowcount
            if not changed:
                raise LeaseLost(lease.destination)
            if progress.set_aside:
                rejections.keep(connection, lease.destination, progress.set_aside, self._clock())

    def failed(self, lease: Lease, reason: str) -> None:
        """Remember what went wrong last. Raises `LeaseLost`."""
        self._as_owner(lease, "UPDATE destinations SET error_ns = ?, error = ?", self._clock(), reason)

    def exports_itself(self, instance_id: bytes, servers: Iterable[str]) -> None:
        """A recording process sends its spans to these servers by itself, from now on."""
        with self._transaction() as connection:
            connection.executemany(
                "INSERT OR IGNORE INTO own_exports (instance, server, after) "
                "SELECT id, ?, ? FROM instances WHERE instance_id = ?",
                [(server, _last_key(connection), instance_id) for server in servers],
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
        """After the store was replaced: with the same destinations, which get all of a store that is new."""
        opened = self._open()
        connection = opened.connection()
        self._origins = _Origins()
        (created_ns,) = connection.execute("SELECT value FROM store WHERE name = 'created_ns'").fetchone()
        for destination in self._destinations:
            self._add(connection, destination, from_start=created_ns >= self._begun_ns)
        return opened

    @staticmethod
    def _own_exports(connection: sqlite3.Connection, server: str) -> dict[int, int]:
        """By process that exports to the server by itself, the last key before it began to."""
        return dict(
            connection.execute("SELECT instance, after FROM own_exports WHERE server = ?", (server,)).fetchall()
        )

    def _piece(
        self,
        connection: sqlite3.Connection,
        after: int,
        upto: int,
        own: dict[int, int],
        spans: int,
        size: int,
        content: int,
        condition: str = "TRUE",
        values: Sequence[object] = (),
    ) -> Piece | None:
        """Spans between two keys, for which a condition in SQL holds."""
        rows: list[LogRow] = []
        held_back = elsewhere = last = used = 0
        found = connection.execute(
            "SELECT id, resource, scope, instance, trace, span_id, CASE WHEN may_ship AND sampled THEN body END "
            f"FROM spans WHERE id > ? AND id <= ? AND version = 0 AND {condition} ORDER BY id LIMIT ?",
            (after, upto, *values, 8 * spans),
        )
        for key, resource, scope, instance, trace, span_id, body in found:
            if body is None:
                held_back += 1
            elif key > own.get(instance, key):
                elsewhere += 1
            else:
                if content:
                    body = with_content(connection, trace, span_id, body, content)
                used += len(body)
                if rows and used > size:
                    break
                origins = self._origins
                rows.append(LogRow(key, origins.resource(connection, resource), origins.scope(connection, scope), body))
            last = key
            if len(rows) >= spans:
                break
        found.close()
        return Piece(rows, last, held_back=held_back, elsewhere=elsewhere) if last else None

    def _as_owner(self, lease: Lease, update: str, *values: object) -> None:
        with self._transaction() as connection:
            changed = connection.execute(
                f"{update} WHERE name = ? AND epoch = ?", (*values, lease.destination, lease.epoch)
            ).rowcount
            if not changed:
                raise LeaseLost(lease.destination)

    @contextmanager
    def _transaction(self, kind: str = "IMMEDIATE") -> Iterator[sqlite3.Connection]:
        with self.in_use, told_apart(self.path):
            if self._opened is None:
                self._opened = self._open_next()
            try:
                connection = self._opened.connection()
            except StoreReplaced:
                self._opened = None  # the next call goes on in the store that is at the path then
                raise
            connection.execute(f"BEGIN {kind}")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise


class LogReader:
    """The log of a store that may be read-only: what is in it of some traces, and how far its destinations are."""

    def __init__(self, path: str | os.PathLike[str], *, clock: Callable[[], int] = time.time_ns) -> None:
        self.path = Path(path).expanduser()
        self._clock = clock
        self._connection = open_for_reading(self.path)
        self._origins = _Origins()

    def trace(self, trace_id: str, content: int = 0) -> Iterator[LogRow]:
        """The ended spans of a trace in the order in which they were written, the latest version of each.

        Args:
            content: as in `Log.read`.
        """
        with reading(self.path):
            found = self._connection.execute(
                "SELECT s.id FROM spans s JOIN traces t ON t.id = s.trace WHERE t.trace_id = ? AND s.version = 0 "
                "ORDER BY s.id",
                (bytes.fromhex(trace_id),),
            ).fetchall()
        # Some at a time: a statement that waits for our caller would keep a read transaction open.
        for at in range(0, len(found), _ROWS_AT_ONCE):
            yield from self._rows([key for (key,) in found[at : at + _ROWS_AT_ONCE]], content)

    def _rows(self, keys: Sequence[int], content: int) -> list[LogRow]:
        origins, connection = self._origins, self._connection
        with reading(self.path):
            found = select(connection, "SELECT id, resource, scope, trace, span_id, body FROM spans", ("id",), keys)
            rows = []
            for key, resource, scope, trace, span_id, body in sorted(found, key=itemgetter(0)):
                if content:
                    body = with_content(connection, trace, span_id, body, content)
                origin = origins.resource(connection, resource)
                rows.append(LogRow(key, origin, origins.scope(connection, scope), body))
            return rows

    def destinations(self) -> list[DestinationStatus]:
        """Every destination that this store knows, in the order in which they were added."""
        now_ns = self._clock()
        with reading(self.path):
            rows = self._connection.execute(
                "SELECT name, cursor, shipped, rejected, held_back, elsewhere, withheld, lost, added_ns, sent_ns, "
                "error, error_ns, owner IS NOT NULL AND lease_until_ns > ?, start, history "
                "FROM destinations ORDER BY id",
                (now_ns,),
            ).fetchall()
            return [self._status(now_ns, *row) for row in rows]

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def _status(
        self, now_ns: int, name: str, cursor: int, shipped: int, rejected: int, held_back: int, elsewhere: int,
        withheld: int, lost: int, added_ns: int, sent_ns: int | None, error: str | None, error_ns: int | None,
        shipping: int, start: int, history: int | None,
    ) -> DestinationStatus:  # fmt: skip
        last = _last_key(self._connection)
        oldest = self._connection.execute(
            f"SELECT end_ns FROM spans WHERE id > ? AND {_SHIPPABLE} ORDER BY id LIMIT 1", (cursor,)
        ).fetchone()
        return DestinationStatus(
            name=name,
            cursor=cursor,
            waiting=_count(self._connection, cursor, last),
            behind_ns=0 if oldest is None else max(0, now_ns - oldest[0]),
            history_waiting=0 if history is None else _count(self._connection, history, start),
            shipped=shipped,
            rejected=rejected,
            held_back=held_back,
            elsewhere=elsewhere,
            withheld=withheld,
            lost=lost,
            added_ns=added_ns,
            sent_ns=sent_ns,
            error=error,
            error_ns=error_ns,
            shipping=bool(shipping),
            rejections=rejections.kept(self._connection, name, _MOST_REJECTIONS) if rejected else (),
        )


class _Origins:
    """Resources and scopes by key, as messages; they never change, and few are in use at a time."""

    def __init__(self) -> None:
        self._resources: dict[int, Origin] = {}
        self._scopes: dict[int, Origin] = {}

    def resource(self, connection: sqlite3.Connection, key: int | None) -> Origin:
        if key is None:
            return _NOTHING
        known = self._resources.get(key)
        if known is None:
            row = connection.execute("SELECT body, schema_url FROM resources WHERE id = ?", (key,)).fetchone()
            known = _NOTHING if row is None else Origin(key, *row)
            self._keep(self._resources, key, known)
        return known

    def scope(self, connection: sqlite3.Connection, key: int | None) -> Origin:
        if key is None:
            return _NOTHING
        known = self._scopes.get(key)
        if known is None:
            row = connection.execute(
                "SELECT name, version, body, schema_url FROM scopes WHERE id = ?", (key,)
            ).fetchone()
            known = _NOTHING if row is None else Origin(key, row[2] or encode_scope(row[0], row[1], {}), row[3])
            self._keep(self._scopes, key, known)
        return known

    @staticmethod
    def _keep(origins: dict[int, Origin], key: int, origin: Origin) -> None:
        if len(origins) >= _MAX_ORIGINS:
            origins.clear()
        origins[key] = origin


def _last_key(connection: sqlite3.Connection) -> int:
    """The last key that was given, also where its row is gone."""
    row = connection.execute("SELECT seq FROM sqlite_sequence WHERE name = 'spans'").fetchone()
    return int(row[0]) if row else 0


def _count(connection: sqlite3.Connection, after: int, upto: int) -> int:
    """How many spans that may be shipped lie between two keys."""
    (number,) = connection.execute(
        f"SELECT count(*) FROM spans WHERE id > ? AND id <= ? AND {_SHIPPABLE}", (after, upto)
    ).fetchone()
    return int(number)
