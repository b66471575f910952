"""Writing messages, each once, and the references of spans to them."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable

from otel_mas.store.rows import Batch, MessageRefRow
from otel_mas.store.statements import insert, insert_values, present

_CHANGED = 2  # the value of a state: the span itself names it, the reference only keeps it from being deleted
_DIGEST = 16  # bytes
_KNOWN_TRACES = 64
_MESSAGE = "INTO messages (digest, role, added_ns, body)"
_IS_STORED = "ON CONFLICT (digest) DO UPDATE SET body = excluded.body WHERE body IS NULL"
_LIST = "INSERT OR REPLACE INTO message_lists (trace, span_id, direction, position, digests)"
_KNOWN_DIGESTS = 20_000


class MessageWriter:
    """Remembers which trace refers to which message already: a chat sends its whole history again every turn."""

    def __init__(self) -> None:
        self._known: dict[int, set[bytes]] = {}
        self._pending: list[tuple[int, bytes]] = []
        self._missing: set[bytes] = set()
        self._forgotten: set[bytes] = set()
        self._written: set[bytes] = set()

    def write(self, connection: sqlite3.Connection, batch: Batch, traces: dict[bytes, int], now_ns: int) -> None:
        """Store the batch's messages and references inside the caller's transaction."""
        self._pending, self._missing = [], set()
        self._written = {row.digest for row in batch.messages}  # also of spans that are stored already
        if batch.messages:
            rows = [
                (bytearray(row.digest), row.role, now_ns, None if row.body is None else bytearray(row.body))
                for row in batch.messages
            ]
            if insert(connection, f"INSERT OR IGNORE {_MESSAGE}", rows) < len(rows):
                insert(connection, f"INSERT {_MESSAGE}", rows, _IS_STORED)
        if batch.message_refs:
            lists: list[object] = []
            for ref in batch.message_refs:
                if ref.direction != _CHANGED:
                    span_id, digests = bytearray(ref.span_id), bytearray(ref.digests)
                    lists += (traces[ref.trace_id], span_id, ref.direction, ref.position, digests)
            insert_values(connection, _LIST, 5, lists)
            self._refer(connection, batch.message_refs, traces)

    def _refer(self, connection: sqlite3.Connection, refs: Iterable[MessageRefRow], traces: dict[bytes, int]) -> None:
        none: set[bytes] = set()
        new: dict[tuple[int, bytes], None] = {}
        for ref in refs:
            trace = traces[ref.trace_id]
            known = self._known.get(trace, none)
            for digest in _each(ref.digests):
                if digest not in known:
                    new[trace, digest] = None
        if not new:
            return
        values = [value for trace, digest in new for value in (trace, bytearray(digest))]
        insert_values(connection, "INSERT OR IGNORE INTO trace_messages (trace, digest)", 2, values)
        self._pending = list(new)
        wanted = {digest for _, digest in new}
        stored = present(connection, "messages", ("digest",), list(map(bytearray, wanted)))
        self._missing |= wanted.difference(*stored)

    def committed(self) -> None:
        """Remember that the last write was committed."""
        for trace, digest in self._pending:
            known = self._known.setdefault(trace, set())
            if len(known) >= _KNOWN_DIGESTS:
                known.clear()
            known.add(digest)
        while len(self._known) > _KNOWN_TRACES:
            del self._known[next(iter(self._known))]
        self._forgotten |= self._missing
        self._forgotten -= self._written
        self._pending, self._missing = [], set()

    def forget(self, digests: Iterable[bytes]) -> None:
        """Take note of messages that have been deleted."""
        self._forgotten.update(digests)

    def forgotten(self) -> frozenset[bytes]:
        """Messages that are referred to, or were, and are not in the store; each is returned once."""
        forgotten, self._forgotten = frozenset(self._forgotten), set()
        return forgotten


def _each(digests: bytes) -> Iterable[bytes]:
    if len(digests) == _DIGEST:
        return (digests,)
    return [digests[at : at + _DIGEST] for at in range(0, len(digests), _DIGEST)]
