"""Reading the log: the spans of a trace as they leave, and how far each destination is. The store may be read-only."""

from __future__ import annotations

import math
import os
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from otel_mas.otlp.encode import encode_scope
from otel_mas.otlp.framing import LogRow, Origin
from otel_mas.store.connection import open_for_reading, reading
from otel_mas.store.statements import select

if TYPE_CHECKING:
    from otel_mas.store.content import ContentAdder

RATE_PERIOD_S = 60.0
"""The time over which the rate of a destination is taken."""
_MAX_ORIGINS = 4096
_MOST_REJECTIONS = 100
_ROWS_AT_ONCE = 1000
_SHIPPABLE = "version = 0 AND may_ship AND sampled"
_NO_ORIGIN = Origin(0, b"")


@dataclass(frozen=True, slots=True)
class Rejection:
    """A span that a destination refused for good. Ids are hex, `key` is its key in the log."""

    key: int
    trace_id: str
    span_id: str
    name: str
    reason: str
    rejected_ns: int


@dataclass(frozen=True, slots=True)
class DestinationStatus:
    """The progress of a destination. `waiting` counts spans, `behind_ns` is the age of the oldest of them.

    `not_consented` counts spans that may not leave, `exported_by_app` those that the app sends there itself, `withheld`
    the values taken out as content, `lost` the spans deleted before they were shipped, `set_aside` the rejected spans
    that can be sent again. `rate` is in spans a second, over the last minute.
    """

    name: str
    cursor: int
    waiting: int
    behind_ns: int
    history_waiting: int
    shipped: int
    rate: float
    rejected: int
    set_aside: int
    not_consented: int
    exported_by_app: int
    withheld: int
    lost: int
    added_ns: int
    sent_ns: int | None
    error: str | None
    error_ns: int | None
    shipping: bool
    """True while a process holds the lease."""
    rejections: tuple[Rejection, ...] = ()
    """The latest spans that it refused, the last one first."""


class LogReader:
    """The log of the store at `path`.

    Raises:
        NotAStore, StoreTooNew, StoreReadOnly, StoreLocked, StoreCorrupt, StoreError
    """

    def __init__(self, path: str | os.PathLike[str], *, clock: Callable[[], int] = time.time_ns) -> None:
        self.path = Path(path).expanduser()
        self._clock = clock
        self._connection = open_for_reading(self.path)
        self._origins = Origins()

    def trace(self, trace_id: str, content: int = 0) -> Iterator[LogRow]:
        """The ended spans of a trace in the order in which they were written, the latest version of each.

        Args:
            content: bytes of each attribute with messages that goes along, other content is whole; 0 for none.
        """
        adder = _adder(content) if content else None
        with reading(self.path):
            found = self._connection.execute(
                "SELECT s.id FROM spans s JOIN traces t ON t.id = s.trace WHERE t.trace_id = ? AND s.version = 0 "
                "ORDER BY s.id",
                (bytes.fromhex(trace_id),),
            ).fetchall()
        # Some at a time: a statement that waits for our caller would keep a read transaction open.
        for at in range(0, len(found), _ROWS_AT_ONCE):
            yield from self._rows([key for (key,) in found[at : at + _ROWS_AT_ONCE]], adder)

    def _rows(self, keys: Sequence[int], adder: ContentAdder | None) -> list[LogRow]:
        connection = self._connection
        with reading(self.path):
            found = select(connection, "SELECT id, resource, scope, trace, span_id, body FROM spans", ("id",), keys)
            rows = []
            for key, resource, scope, trace, span_id, body in sorted(found, key=itemgetter(0)):
                if adder is not None:
                    body = adder.add(connection, trace, span_id, body)
                rows.append(LogRow(key, *self._origins.both(connection, resource, scope), body))
            return rows

    def destinations(self) -> list[DestinationStatus]:
        """Every destination that this store knows, in the order in which they were added."""
        now_ns = self._clock()
        with reading(self.path):
            cursor = self._connection.execute(
                "SELECT name, cursor, shipped, rate, rejected, "
                "(SELECT count(*) FROM rejections WHERE destination = destinations.id) AS set_aside, "
                "held_back AS not_consented, elsewhere AS exported_by_app, "
                "withheld, lost, added_ns, sent_ns, error, error_ns, "
                "owner IS NOT NULL AND lease_until_ns > ? AS shipping, start, history FROM destinations ORDER BY id",
                (now_ns,),
            )
            fields = [name for name, *_ in cursor.description]
            return [self._status(now_ns, **dict(zip(fields, row, strict=True))) for row in cursor.fetchall()]

    def _status(
        self, now_ns: int, *, start: int, history: int | None, shipping: int, cursor: int, rate: float, **columns: Any
    ) -> DestinationStatus:
        connection = self._connection
        oldest = connection.execute(
            f"SELECT end_ns FROM spans WHERE id > ? AND {_SHIPPABLE} ORDER BY id LIMIT 1", (cursor,)
        ).fetchone()
        return DestinationStatus(
            cursor=cursor,
            waiting=count_shippable(connection, cursor, last_key(connection)),
            behind_ns=0 if oldest is None else max(0, now_ns - oldest[0]),
            history_waiting=0 if history is None else count_shippable(connection, history, start),
            shipping=bool(shipping),
            rate=decayed(rate, columns["sent_ns"], now_ns),
            rejections=self.rejections(columns["name"], _MOST_REJECTIONS) if columns["set_aside"] else (),
            **columns,
        )

    def rejections(self, destination: str, most: int = -1, trace: str = "") -> tuple[Rejection, ...]:
        """The spans that are set aside for a destination, the last one first.

        Args:
            most: of them; by default all.
            trace: the beginning of the trace's id.
        """
        rows = self._connection.execute(
            "SELECT r.span, r.trace_id, r.span_id, r.name, r.reason, r.rejected_ns FROM rejections r "
            "JOIN destinations d ON d.id = r.destination WHERE d.name = ? AND r.trace_id LIKE ? "
            "ORDER BY r.span DESC LIMIT ?",
            (destination, f"{trace.lower()}%", most),
        )
        return tuple(Rejection(*row) for row in rows)

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


def _adder(limit: int) -> ContentAdder:
    from otel_mas.store.content import ContentAdder

    return ContentAdder(limit, whole=True)


class Origins:
    """Resources and scopes by key, as messages; they never change, and few are in use at a time."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, int], Origin] = {}
        self._last: tuple[int | None, int | None, tuple[Origin, Origin]] | None = None

    def both(self, connection: sqlite3.Connection, resource: int | None, scope: int | None) -> tuple[Origin, Origin]:
        """The resource and the scope of a span."""
        if self._last is None or self._last[0] != resource or self._last[1] != scope:
            found = self._origin(connection, "resources", resource), self._origin(connection, "scopes", scope)
            self._last = resource, scope, found
        return self._last[2]

    def _origin(self, connection: sqlite3.Connection, table: str, key: int | None) -> Origin:
        if key is None:
            return _NO_ORIGIN
        known = self._known.get((table, key))
        if known is None:
            named = "name, version" if table == "scopes" else "'', ''"
            row = connection.execute(f"SELECT body, schema_url, {named} FROM {table} WHERE id = ?", (key,)).fetchone()
            # A scope without attributes is stored as its columns alone.
            known = _NO_ORIGIN if row is None else Origin(key, row[0] or encode_scope(row[2], row[3], {}), row[1])
            if len(self._known) >= _MAX_ORIGINS:
                self._known.clear()
            self._known[table, key] = known
        return known


def decayed(rate: float, sent_ns: int | None, now_ns: int) -> float:
    """A rate as of `sent_ns`, now."""
    return 0.0 if sent_ns is None else rate * math.exp(-max(0, now_ns - sent_ns) / 1e9 / RATE_PERIOD_S)


def last_key(connection: sqlite3.Connection) -> int:
    """The last key that was given, also where its row is gone."""
    row = connection.execute("SELECT seq FROM sqlite_sequence WHERE name = 'spans'").fetchone()
    return int(row[0]) if row else 0


def count_shippable(connection: sqlite3.Connection, after: int, upto: int) -> int:
    """The number of spans between two keys that may be shipped."""
    (number,) = connection.execute(
        f"SELECT count(*) FROM spans WHERE id > ? AND id <= ? AND {_SHIPPABLE}", (after, upto)
    ).fetchone()
    return int(number)
