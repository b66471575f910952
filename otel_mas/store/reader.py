"""Reading the store: a read-only view that sees the commits of other processes."""

from __future__ import annotations

import hashlib
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from itertools import chain, count, repeat
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import orjson

from otel_mas.errors import StoreError, TraceNotFound, UnsupportedQuery
from otel_mas.errors.log import logger
from otel_mas.model import (
    STATUSES,
    Content,
    Message,
    MessageRef,
    PartialList,
    Query,
    RunSummary,
    SpanBody,
    Trace,
    TraceSummary,
)
from otel_mas.model.dropped import describe_dropped
from otel_mas.model.search import Match, TextSearch
from otel_mas.model.trace_id import beginning_of_id
from otel_mas.otlp.decode import decode_body
from otel_mas.store.carried import CarriedContent, carrying_traces
from otel_mas.store.connection import open_for_reading, reading
from otel_mas.store.files import replaced
from otel_mas.store.liveness import FRESH_NS
from otel_mas.store.log_cursor import LogCursor
from otel_mas.store.losses import read_dropped
from otel_mas.store.search import search
from otel_mas.store.spans import read_spans
from otel_mas.store.statements import select
from otel_mas.store.summaries import EVERYTHING, statement_of, summaries, summaries_of, trace_incomplete
from otel_mas.store.trace_version import trace_version

if TYPE_CHECKING:
    from otel_mas.store.query_sql import Rows, SqlNames

_DIGEST = 16
_UNREADABLE = object()
_NEAR = 64
"""Bodies that are asked for one after the other lie this near to each other in the log."""
_DIRECTIONS = ("input", "output")


class StoreReader:
    """Reads the store at `path`. Threads may share one reader; they take turns.

    Bodies of spans are decoded when they are asked for, also after `close` as long as the file is there.

    Args:
        clock: now, in ns since the epoch; decides which recording processes count as alive.

    Raises:
        NotAStore, StoreTooNew, StoreReadOnly, StoreLocked, StoreCorrupt, StoreError
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        clock: Callable[[], int] = time.time_ns,
    ) -> None:
        self.path = Path(path).expanduser()
        self._clock = clock
        self._lock = threading.RLock()
        self._carried = CarriedContent()
        self._ahead: dict[int, tuple[bytes, bytes]] = {}
        self._last_body = -_NEAR - 1
        self._connection: sqlite3.Connection | None = open_for_reading(self.path)
        try:
            with self._snapshot() as connection:
                (self.store_id,) = connection.execute("SELECT value FROM store WHERE name = 'id'").fetchone()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def traces(self, query: Query) -> list[TraceSummary]:
        """The summaries of the traces that match, the newest first.

        Raises:
            UnsupportedQuery: there is no such status.
        """
        if query.status is not None and query.status not in STATUSES:
            raise UnsupportedQuery(f"no trace has status {query.status!r}: ask for one of {', '.join(STATUSES)}")
        with self._snapshot() as connection:
            return summaries(connection, query, self._clock())

    def trace(self, trace_id: str) -> Trace:
        """All spans of one trace, named by its hex id or by the first 4 or more digits of it.

        Raises:
            TraceNotFound: no trace has that id, or several begin like that.
        """
        with self._snapshot() as connection:
            return self._trace(connection, *self._found(connection, trace_id))

    def version(self, trace_id: str) -> tuple[Any, ...]:
        """A value that changes whenever something of a trace does. Raises `TraceNotFound` as `trace`."""
        with self._snapshot() as connection:
            key, full_id = self._found(connection, trace_id)
            return (self.store_id, full_id, *trace_version(connection, key, self._clock() - FRESH_NS))

    def summaries_of(self, trace_ids: Sequence[str]) -> list[TraceSummary]:
        """The summaries of the traces with these ids, the newest first."""
        with self._snapshot() as connection:
            return summaries_of(connection, trace_ids, self._clock())

    def cursor(self) -> str:
        """The end of the log by now, for `tail`."""
        with self._snapshot() as connection:
            (last,) = connection.execute("SELECT coalesce(max(id), 0) FROM spans").fetchone()
            return str(LogCursor(self.log_id, last))

    @property
    def log_id(self) -> str:
        """Beginning of the hash of the store's id, by which cursors tell stores apart."""
        return hashlib.sha256(self.store_id.encode()).hexdigest()[:8]

    def conversation(self, thread: str, service: str | None = None) -> list[Trace]:
        """The traces of a conversation, the oldest first; with `service` only those that this service took part in."""
        query = Query(conversation_id=thread, service=service, limit=EVERYTHING)
        with self._snapshot() as connection:
            listed = summaries(connection, query, self._clock())
            return [self._trace(connection, *self._found(connection, one.trace_id)) for one in reversed(listed)]

    def may_ship(self, trace_id: str) -> bool:
        """Whether spans of a trace may leave the machine, as was decided when they were recorded."""
        with self._snapshot() as connection:
            key, _ = self._found(connection, trace_id)
            asked = "SELECT 1 FROM spans WHERE trace = ? AND may_ship AND sampled LIMIT 1"
            return connection.execute(asked, (key,)).fetchone() is not None

    def message_refs(self, trace_id: str) -> list[MessageRef]:
        """The references of the trace's spans to the messages that they consumed and produced."""
        with self._snapshot() as connection:
            trace, full_id = self._found(connection, trace_id)
            rows = connection.execute(
                "SELECT span_id, direction, position, digests FROM message_lists WHERE trace = ? ORDER BY id, position",
                (trace,),
            ).fetchall()
            carried = self._carried.of(connection, trace, full_id)
        found = [ref for row in rows for ref in refs_in(full_id, *row)]
        stored = {(ref.span_id, ref.direction) for ref in found} if carried.refs else ()
        return found + [ref for ref in carried.refs if (ref.span_id, ref.direction) not in stored]

    def messages(self, digests: Iterable[str], trace_id: str | None = None) -> dict[str, Message]:
        """The messages with these hex digests; those that the store does not have are left out.

        Args:
            digests: of 32 digits; or 40, of what a span of other instrumentation carries.
            trace_id: whose spans these are: messages of other instrumentation are found by it only.
        """
        asked = list(dict.fromkeys(digests))
        wanted = [bytes.fromhex(digest) for digest in asked]
        found: dict[str, Message] = {}
        with self._snapshot() as connection:
            for digest, role, body in select(
                connection, "SELECT digest, role, body FROM messages", ("digest",), wanted
            ):
                content = None if body is None else self._json(body, f"message {digest.hex()}")
                found[digest.hex()] = Message(digest.hex(), role, None if content is _UNREADABLE else content)
            if trace_id is not None:
                carried = self._carried.of(connection, *self._found(connection, trace_id)).messages
                for digest in asked if carried else ():
                    if digest in carried and (digest not in found or found[digest].body is None):
                        found[digest] = carried[digest]
        return found

    def carrying_traces(self) -> list[str]:
        """Ids of the traces with spans that carry their content: of other instrumentation, or imported."""
        with self._snapshot() as connection:
            return carrying_traces(connection)

    def carried_messages(self, trace_id: str) -> Mapping[str, Message]:
        """By digest the messages that spans of a trace carry; none where the trace is gone."""
        with self._snapshot() as connection:
            try:
                trace, full_id = self._found(connection, trace_id)
            except TraceNotFound:
                return {}
            return self._carried.of(connection, trace, full_id).messages

    def contents(self, trace_id: str, span_id: str | None = None) -> list[Content]:
        """Content that was recorded beside the spans of a trace, or beside one of them, in the order of recording.

        Then what spans of other instrumentation carry.
        """
        wanted = None if span_id is None else bytes.fromhex(span_id)
        with self._snapshot() as connection:
            trace, full_id = self._found(connection, trace_id)
            rows = connection.execute(
                "SELECT span_id, name, value FROM contents WHERE trace = :trace "
                "AND (:span IS NULL OR span_id = :span) ORDER BY id",
                {"trace": trace, "span": wanted},
            ).fetchall()
            found = self._contents(full_id, rows)
            carried = self._carried.of(connection, trace, full_id).contents
        stored = {(content.span_id, content.name) for content in found} if carried else ()
        others = carried.values() if span_id is None else [carried.get(span_id, [])]
        return found + [one for one in chain.from_iterable(others) if (one.span_id, one.name) not in stored]

    def search(self, text: str, query: Query, limit: int) -> PartialList[Match]:
        """Messages and other content that hold a text, in any case, of the traces that match; the newest first.

        All traces that match are looked in, whatever the limit of the query.
        """
        with self._snapshot() as connection:
            traces = None
            if query.asked():
                statement, values = statement_of(connection, replace(query, limit=EVERYTHING), self._clock())
                traces = {key for key, *_ in connection.execute(statement, values)}
            return PartialList(search(connection, TextSearch(text), traces, limit))

    def now_ns(self) -> int:
        """Now, in ns since the epoch."""
        return self._clock()

    def sql(self, query: str, parameters: Sequence[Any] | Mapping[str, Any] = (), limit: int | None = None) -> Rows:
        """The rows of an SQL query, read-only, over the views and functions that `sql_names` lists.

        Raises:
            UnsupportedQuery: SQLite refuses it, or it is no query.
        """
        from otel_mas.store.query_sql import query_sql

        with reading(self.path):
            return query_sql(self, query, parameters, limit)

    def sql_names(self) -> SqlNames:
        """Names that an SQL query may use."""
        from otel_mas.store.query_sql import sql_names

        with reading(self.path):
            return sql_names(self)

    def run(self, run_id: str) -> RunSummary:
        """The summary of one `otel-mas run`, over all of its processes; empty where it recorded nothing."""
        now_ns = self._clock()
        with self._snapshot() as connection:
            listed = summaries(connection, Query(run_id=run_id, limit=EVERYTHING), now_ns)
            dropped = read_dropped(connection, "WHERE run_id = ?", run_id)
            processes, withheld, stopped = connection.execute(
                "SELECT count(*), coalesce(sum(withheld), 0), "
                "coalesce(sum(finished_ns IS NULL AND heartbeat_ns < ?), 0) FROM instances WHERE run_id = ?",
                (now_ns - FRESH_NS, run_id),
            ).fetchone()
        problems = [f"trace {trace.trace_id}: {trace.incomplete}" for trace in listed if trace.incomplete]
        if lost := describe_dropped(dropped):
            problems.append(lost)
        if withheld:
            problems.append(f"{withheld} contents were withheld because they could not be redacted")
        if stopped:
            problems.append(
                f"{stopped} of {processes} processes have not said that they ended: "
                "what they recorded last may be missing"
            )
        spans = sum(one.spans for one in dropped)
        return RunSummary(run_id, tuple(reversed(listed)), spans, withheld, processes, tuple(problems))

    def _contents(self, trace_id: str, rows: Iterable[Sequence[Any]]) -> list[Content]:
        return [
            Content(trace_id, span.hex(), name, content)
            for span, name, value in rows
            if (content := self._json(value, f"{name} of span {span.hex()}")) is not _UNREADABLE
        ]

    @contextmanager
    def _snapshot(self) -> Iterator[sqlite3.Connection]:
        """One read transaction: all queries within see the same state."""
        with self._lock, reading(self.path):
            connection = self._open_connection()
            if connection.in_transaction:
                yield connection
                return
            connection.execute("BEGIN")
            try:
                yield connection
            finally:
                connection.execute("ROLLBACK")

    def _open_connection(self) -> sqlite3.Connection:
        if self._connection is None:
            raise StoreError(f"the store at {self.path} was closed: read inside its `with` block")
        return self._connection

    def _found(self, connection: sqlite3.Connection, trace_id: str) -> tuple[int, str]:
        """The key and the full id of the only trace that begins like that."""
        prefix = beginning_of_id(trace_id)
        rows = connection.execute(
            "SELECT id, trace_id FROM traces WHERE trace_id BETWEEN ? AND ? LIMIT 3",
            (bytes.fromhex(prefix.ljust(32, "0")), bytes.fromhex(prefix.ljust(32, "f"))),
        ).fetchall()
        if not rows:
            raise TraceNotFound(f"no trace {trace_id} in {self.path}: `otel-mas traces` lists what is there")
        if len(rows) > 1:
            raise TraceNotFound(f"several traces in {self.path} begin with {trace_id}: give more digits")
        return rows[0][0], rows[0][1].hex()

    def _trace(self, connection: sqlite3.Connection, trace: int, trace_id: str) -> Trace:
        spans = read_spans(connection, trace, trace_id, self._body, self._clock() - FRESH_NS)
        if not spans:
            raise TraceNotFound(f"no span of trace {trace_id} is in {self.path} yet, only what was logged in it")
        opened = [spans[number] for number in spans.open_spans]
        return Trace(trace_id, spans, trace_incomplete(connection, trace, opened))

    def _body(self, key: int) -> SpanBody:
        with self._lock:
            row = self._ahead.pop(key, None) or self._encoded(key)
        if row is None:
            raise StoreError(f"this span has been deleted from {self.path} since it was read: open its trace again")
        try:
            return decode_body(row[0])
        except (ValueError, TypeError):
            self._warn_unreadable(f"what span {row[1].hex()} has beyond its columns")
            return SpanBody()

    def _encoded(self, key: int) -> tuple[bytes, bytes] | None:
        """The body and the id of a span. Of one that is asked for after a neighbour the next ones are read too."""
        with reading(self.path):
            connection = self._connection or open_for_reading(self.path)
            try:
                if connection.execute("SELECT value FROM store WHERE name = 'id'").fetchone() != (self.store_id,):
                    raise replaced(self.path)
                if abs(key - self._last_body) <= _NEAR:
                    self._read_ahead(connection, key)
                self._last_body = key
                row: tuple[bytes, bytes] | None = (
                    self._ahead.pop(key, None)
                    or connection.execute("SELECT body, span_id FROM spans WHERE id = ?", (key,)).fetchone()
                )
                return row
            finally:
                if connection is not self._connection:
                    connection.close()

    def _read_ahead(self, connection: sqlite3.Connection, key: int) -> None:
        """Read the bodies around one at once; a damaged one of them does not keep the others from being read."""
        try:
            rows = connection.execute(
                "SELECT id, body, span_id FROM spans WHERE id BETWEEN ? AND ?", (key - _NEAR, key + 2 * _NEAR)
            ).fetchall()
        except sqlite3.Error:
            rows = []
        self._ahead = {one: (body, span_id) for one, body, span_id in rows}

    def _json(self, value: bytes, what: str) -> Any:
        try:
            return orjson.loads(value)
        except ValueError:
            self._warn_unreadable(what)
            return _UNREADABLE

    def _warn_unreadable(self, what: str) -> None:
        """Warn of a damaged item, which does not keep the others from being read."""
        logger.warning("otel-mas: %s cannot be decoded, and is left out: `otel-mas store check` lists all such", what)


def refs_in(trace_id: str, span_id: bytes, direction: int, position: int, digests: bytes) -> list[MessageRef]:
    """References to messages that lie in one row, from a position on."""
    span, side, digits, size = span_id.hex(), _DIRECTIONS[direction], digests.hex(), 2 * _DIGEST
    each = [digits[at : at + size] for at in range(0, len(digits) - size + 1, size)]
    return list(map(_REF, zip(repeat(trace_id), repeat(span), repeat(side), count(position), each, strict=False)))


_REF = partial(tuple.__new__, MessageRef)
"""`MessageRef._make` without a frame for each: a run of long prompts has a million."""
