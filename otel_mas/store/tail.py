"""Spans of a store as they are committed: those that have ended, in the order of the log, and those that have begun."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import chain
from typing import Any

from otel_mas.dialects import OWN_SCOPE
from otel_mas.errors import UnsupportedQuery
from otel_mas.model import Changes, Content, Message, MessageRef, Span, SpanBody, SpanKind, StatusCode
from otel_mas.model.changes import ContentProgress
from otel_mas.otlp.decode import decode_body
from otel_mas.otlp.span_content import TraceContent
from otel_mas.store.columns import attributes_of
from otel_mas.store.connection import is_copy
from otel_mas.store.liveness import FRESH_NS, refuse_while_recording
from otel_mas.store.log_cursor import LogCursor
from otel_mas.store.reader import StoreReader, refs_in
from otel_mas.store.spans import Emitters, open_keys, open_rows, open_span
from otel_mas.store.statements import COLUMN_LIST, select
from otel_mas.store.table import KINDS

_MOST_SPANS = 2_000
"""Ended spans that are read at once; the others come with the next look."""
_MOST_TRACES = 20_000
"""Traces of which the ids are remembered."""
_CHECK_S = 1.0
"""Within this time a process that died without a commit is noticed."""
_KEY = ("trace", "span_id")
_ROWS = f"""
SELECT id, trace, instance, span_id, parent_span_id, name, kind, start_ns, end_ns, status, resource, scope, body,
  {COLUMN_LIST}
FROM spans"""
_PROCESSES = "SELECT id, instance_id, finished_ns, heartbeat_ns, contents_recorded, contents_done FROM instances"


class StoreTail(StoreReader):
    """Reads what other processes commit, on a connection of its own.

    Args:
        path: of the store.
        trace_id: only this trace, or the one that begins like this. The first look then has all of it; otherwise all of
            the traces that run.
        from_start: begin with the first span of the log: of a store that was not there before.
        after: the `Changes.cursor` to go on from: the first look has the spans that ended since, and all that are open.

    Raises:
        StoreLocked: a process of an older version records into the store, whose layout it would not know any more.
        UnsupportedQuery: `after` is no cursor of this store.
        TraceNotFound, StoreError
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        trace_id: str | None = None,
        *,
        from_start: bool = False,
        after: str | None = None,
        clock: Callable[[], int] = time.time_ns,
    ) -> None:
        super().__init__(path, clock=clock)
        with self._snapshot() as connection:
            if is_copy(connection):
                refuse_while_recording(connection, self.path, self._clock())
        self._ids: dict[int, str] = {}
        self._keys: dict[str, int] = {}
        self._known: set[tuple[int, bytes]] = set()
        self._recording: set[int] = set()
        self._position: int | None = 0 if from_start else None
        self._carried_messages: Mapping[str, Message] = {}
        self._version = -1
        self._checked = 0.0
        self._only: int | None = None
        self._lost = False
        if after is not None:
            self._position = self._placed(after)
        if trace_id is not None:
            with self._snapshot() as connection:
                self._only = self._found(connection, trace_id)[0]
                self._identify(connection, [self._only])

    def changes(self) -> Changes | None:
        """Spans that have begun or ended since the last look; None where nothing was committed."""
        version, now = self._data_version(), time.monotonic()
        if version == self._version and now - self._checked < _CHECK_S:
            return None
        self._version, self._checked = version, now
        fresh_ns = self._clock() - FRESH_NS
        with self._snapshot() as connection:
            keys = [key for key in open_keys(connection, fresh_ns) if self._only in (None, key[0])]
            ended = self._ended_since(connection, {key[0] for key in keys})
            self._identify(connection, {key[0] for key in keys} | {row[1] for row in ended})
            emitters = Emitters(connection)
            known, self._known = self._known, {key[:2] for key in keys}
            rows = open_rows(connection, (key[:2] for key in keys if key[:2] not in known), fresh_ns)
            more = len(ended) == _MOST_SPANS
            if more:
                self._version = -1
            lost, self._lost = self._lost, False
            return Changes(
                cursor=str(LogCursor(self.log_id, self._position or 0)),
                more=more,
                lost=lost,
                opened=tuple(open_span(row, self._ids[row[0]], emitters) for row in rows),
                ended=tuple(_ended(row, self._ids[row[1]], emitters) for row in ended),
                running=frozenset(self._ids[trace] for trace, *_, stopped in keys if not stopped),
                stopped=frozenset(self._ids[trace] for trace, *_, stopped in keys if stopped),
                contents=self._progress(connection, [*(key[2] for key in keys), *(row[2] for row in ended)], fresh_ns),
            )

    def contents_of(self, spans: Sequence[Span]) -> tuple[list[MessageRef], list[Content]]:
        """The messages of these spans and the content beside them, as far as it is stored by now."""
        values = [value for span in spans for value in (self._keys[span.trace_id], bytes.fromhex(span.span_id))]
        with self._snapshot() as connection:
            lists = select(
                connection, "SELECT trace, span_id, direction, position, digests FROM message_lists", _KEY, values
            )
            found = select(connection, "SELECT trace, span_id, name, value FROM contents", _KEY, values)
            refs = [ref for trace, *row in lists for ref in refs_in(self._ids[trace], *row)]
            contents = [one for trace, *row in found for one in self._contents(self._ids[trace], [row])]
        # Spans of other instrumentation carry theirs.
        carried = TraceContent.of(span for span in spans if span.end_ns is not None and span.scope.name != OWN_SCOPE)
        self._carried_messages = carried.messages
        return refs + carried.refs, contents + list(chain.from_iterable(carried.contents.values()))

    def messages(self, digests: Iterable[str], trace_id: str | None = None) -> dict[str, Message]:
        """The messages with these digests, also those that the spans carry of which the content was asked for last."""
        asked, carried = list(digests), self._carried_messages
        stored = super().messages([one for one in asked if one not in carried], trace_id)
        return stored | {one: carried[one] for one in asked if one in carried}

    def _placed(self, after: str) -> int:
        """The key of a cursor. Raises `UnsupportedQuery` where it is none of this store."""
        place = LogCursor.parse(after)
        with self._snapshot() as connection:
            # The table of the last keys knows those of deleted spans, too.
            least, last = connection.execute(
                "SELECT (SELECT min(id) FROM spans), (SELECT seq FROM sqlite_sequence WHERE name = 'spans')"
            ).fetchone()
        last = last or 0
        if place.store != self.log_id or place.key > last:
            raise UnsupportedQuery(f"{after!r} is a cursor of another store than {self.path}: begin anew, without one")
        self._lost = place.key < (last if least is None else least - 1)
        return place.key

    def _data_version(self) -> int:
        """A number that another connection's commit changes: https://sqlite.org/pragma.html#pragma_data_version."""
        with self._lock:
            connection = self._open_connection()
            (version,) = connection.execute("PRAGMA data_version").fetchone()
        return int(version)

    def _ended_since(self, connection: sqlite3.Connection, running: set[int]) -> list[tuple[Any, ...]]:
        """The ended spans since the last look, the oldest first; in the first look all of the traces in question."""
        if self._position is None:
            (self._position,) = connection.execute("SELECT coalesce(max(id), 0) FROM spans").fetchone()
            return select(connection, _ROWS, ("trace",), sorted(running if self._only is None else {self._only}))
        rows = connection.execute(f"{_ROWS} WHERE id > ? ORDER BY id LIMIT {_MOST_SPANS}", (self._position,)).fetchall()
        if rows:
            self._position = rows[-1][0]
        return rows if self._only is None else [row for row in rows if row[1] == self._only]

    def _progress(
        self, connection: sqlite3.Connection, instances: Iterable[int], fresh_ns: int
    ) -> dict[str, ContentProgress]:
        """Progress of the processes that are alive, of those whose spans have been met."""
        self._recording.update(instances)
        rows = [
            row
            for row in select(connection, _PROCESSES, ("id",), list(self._recording))
            if row[2] is None and row[3] >= fresh_ns
        ]
        self._recording = {key for key, *_ in rows}
        return {instance.hex(): ContentProgress(recorded, done) for _, instance, _, _, recorded, done in rows}

    def _identify(self, connection: sqlite3.Connection, traces: Iterable[int]) -> None:
        unknown = [trace for trace in traces if trace not in self._ids]
        if len(self._ids) > _MOST_TRACES:
            for key in list(self._ids)[: len(self._ids) - _MOST_TRACES // 2]:
                del self._keys[self._ids.pop(key)]
            unknown = [trace for trace in traces if trace not in self._ids]
        for key, trace_id in select(connection, "SELECT id, trace_id FROM traces", ("id",), unknown):
            self._ids[key] = trace_id.hex()
            self._keys[trace_id.hex()] = key


def _ended(row: tuple[Any, ...], trace_id: str, emitters: Emitters) -> Span:
    """An ended span of its row."""
    _, _, _, span_id, parent, name, kind, start_ns, end_ns, status, resource, scope, encoded, *columns = row
    process = emitters.processes[resource]
    try:
        body = decode_body(encoded)
    except (ValueError, TypeError):  # damaged: `otel-mas store check` lists it
        body = SpanBody()
    return Span(
        trace_id,
        span_id.hex(),
        None if parent is None else parent.hex(),
        name or "",
        start_ns,
        end_ns,
        KINDS.get(kind, SpanKind.UNSPECIFIED),
        StatusCode(status) if status in (0, 1, 2) else StatusCode.UNSET,
        process.service,
        body.links,
        attributes_of(columns),
        process.resource,
        emitters.scopes[scope],
        _body=body,
    )
