"""Messages that leave with the spans that name them first, where no other attribute has them.

The conventions give messages to model calls, agents and workflows only. Tasks, tools and checks name theirs by digest;
so a message that no model read would not leave at all.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, Final

import orjson

from otel_mas.semconv import attributes as names
from otel_mas.store.statements import select

_DIGEST = 16  # bytes
_MAX_TRACES: Final = 16
"""Traces whose first mentions are kept in memory; of another one they are read again."""

_First = dict[bytes, bytes]


class FirstMentions:
    """The span of a trace that names a message first, by digest: read once for each trace, and as it grows.

    The answer is the same whenever it is asked, so a span that is sent twice has the same content.
    """

    def __init__(self) -> None:
        self._known: dict[int, tuple[int, _First]] = {}

    def of(self, connection: sqlite3.Connection, trace: int, digests: Collection[bytes]) -> Mapping[bytes, bytes]:
        """Span ids by digest; of these digests, and of others."""
        last, first = self._known.pop(trace, (0, {}))
        if not all(digest in first for digest in digests):
            # A known trace has grown at the end of the table; `+` keeps SQLite from reading all of the trace again.
            grown = "id > ? AND +trace = ?" if last else "id > ? AND trace = ?"
            rows = connection.execute(
                f"SELECT id, span_id, digests FROM message_lists WHERE {grown} ORDER BY id", (last, trace)
            )
            for key, span_id, held in rows:
                last = key
                for at in range(0, len(held), _DIGEST):
                    first.setdefault(held[at : at + _DIGEST], span_id)
        self._known[trace] = last, first
        while len(self._known) > _MAX_TRACES:
            del self._known[next(iter(self._known))]
        return first


def named(attributes: Mapping[str, Any]) -> list[bytes]:
    """The digests of the messages that a span names."""
    return [*_digests(attributes, names.MAS_INPUT_MESSAGES), *_digests(attributes, names.MAS_OUTPUT_MESSAGES)]


def bodies(connection: sqlite3.Connection, digests: Sequence[bytes], limit: int) -> tuple[str | None, bool]:
    """JSON of these messages, at most `limit` bytes (0: no limit), and whether some were left out for it."""
    found: list[bytes] = []
    size, cut = 2, False
    for item in _items(connection, list(dict.fromkeys(digests))):
        size += len(item) + 1
        if limit and size > limit:
            size, cut = size - len(item) - 1, True
        else:
            found.append(item)
    return (f"[{b','.join(found).decode()}]" if found else None), cut


def _items(connection: sqlite3.Connection, digests: list[bytes]) -> Iterator[bytes]:
    rows = select(connection, "SELECT digest, role, body FROM messages", ("digest",), digests)
    stored = {digest: (role, body) for digest, role, body in rows}
    for digest in digests:
        if digest in stored:
            role, body = stored[digest]
            try:
                yield orjson.dumps(
                    {**(orjson.loads(body) if body is not None else {}), "digest": digest.hex(), "role": role}
                )
            except (ValueError, TypeError):
                continue


def _digests(attributes: Mapping[str, Any], name: str) -> list[bytes]:
    value = attributes.get(name)
    found = []
    for text in value if isinstance(value, tuple | list) else ():
        try:
            found.append(bytes.fromhex(text))
        except (ValueError, TypeError):
            continue
    return [digest for digest in found if len(digest) == _DIGEST]
