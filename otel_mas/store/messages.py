"""Writing messages, each once, and which span consumed or produced which."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable

from otel_mas.store.bulk import insert, present
from otel_mas.store.rows import Batch, MessageRefRow

_CHANGED = 2  # a state's value: the span itself names it, here it only keeps the value from being deleted
_DIGEST = 16  # bytes
_KNOWN_TRACES = 64
_KNOWN_DIGESTS = 20_000


class MessageWriter:
    """Remembers which trace refers to which message already: a chat sends its whole history again every turn."""

    def __init__(self) -> None:
        self._known: dict[int, set[bytes]] = {}
        self._pending: list[tuple[int, bytes]] = []
        self._missing: set[bytes] = set()
        self._forgotten: set[bytes] = set()

    def write(self, connection: sqlite3.Connection, batch: Batch, traces: dict[bytes, int], now_ns: int) -> None:
        """Store the batch's messages and references inside the caller's transaction."""
        self._pending, self._missing = [], set()
        if batch.messages:
            insert(
                connection,
                "INSERT INTO messages (digest, role, added_ns, body)",
                [
                    (bytearray(row.digest), row.role, now_ns, None if row.body is None else bytearray(row.body))
                    for row in batch.messages
                ],
                "ON CONFLICT (digest) DO UPDATE SET body = excluded.body WHERE body IS NULL",
            )
        if batch.message_refs:
            insert(
                connection,
                "INSERT OR REPLACE INTO message_lists (trace, span_id, direction, position, digests)",
                [
                    (
                        traces[ref.trace_id],
                        bytearray(ref.span_id),
                        ref.direction,
                        ref.position,
                        bytearray(ref.digests),
                    )
                    for ref in batch.message_refs
                    if ref.direction != _CHANGED
                ],
            )
            self._refer(connection, batch.message_refs, traces)

    def _refer(self, connection: sqlite3.Connection, refs: Iterable[MessageRefRow], traces: dict[bytes, int]) -> None:
        none: set[bytes] = set()
        digests: dict[bytes, set[bytes]] = {}
        for ref in refs:
            digests.setdefault(ref.trace_id, set()).update(_each(ref.digests))
        new = [
            (traces[trace_id], digest)
            for trace_id, found in digests.items()
            for digest in found - self._known.get(traces[trace_id], none)
        ]
        if not new:
            return
        insert(connection, "INSERT OR IGNORE INTO trace_messages (trace, digest)", new)
        self._pending = new
        wanted = {digest for _, digest in new}
        stored = present(connection, "messages", ("digest",), list(map(bytearray, wanted)))
        self._missing |= wanted.difference(*stored)

    def committed(self) -> None:
        """What was written last is in the store now."""
        for trace, digest in self._pending:
            known = self._known.setdefault(trace, set())
            if len(known) >= _KNOWN_DIGESTS:
                known.clear()
            known.add(digest)
        while len(self._known) > _KNOWN_TRACES:
            del self._known[next(iter(self._known))]
        self._forgotten |= self._missing
        self._pending, self._missing = [], set()

    def forget(self, digests: Iterable[bytes]) -> None:
        """Messages that have been deleted."""
        self._forgotten.update(digests)

    def forgotten(self) -> frozenset[bytes]:
        """Messages that are referred to, or were, and are not in the store; each is told once."""
        told, self._forgotten = frozenset(self._forgotten), set()
        return told


def _each(digests: bytes) -> Iterable[bytes]:
    if len(digests) == _DIGEST:
        return (digests,)
    return [digests[at : at + _DIGEST] for at in range(0, len(digests), _DIGEST)]
