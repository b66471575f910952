"""Search for a text in all messages and other content of the store.

Everything is read once, and parsed only where it may hold the text: 0.2 s of CPU for 100 MB. An index of trigrams would
be as large as the texts and cost 78 µs for each message, on the writer's thread or with the first search
(docs/decisions.md).
"""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import orjson

from otel_mas.dialects import OWN_SCOPE
from otel_mas.model import Message
from otel_mas.model.search import Match, TextSearch
from otel_mas.store.carried import CARRY_CONTENT, CarriedContent
from otel_mas.store.statements import select

_DIGEST = 16  # bytes
_INPUT, _OUTPUT = 0, 1
_Place = tuple[bytes, str, bytes]
_MANY = 5_000
"""Messages that may hold the text, above which a table is read once rather than asked for each."""
_SIDES = {_INPUT: "input", _OUTPUT: "output"}


@dataclass(slots=True)
class _Candidates:
    """Messages and other content of one trace that may hold the text."""

    digests: set[bytes] = field(default_factory=set)
    contents: list[int] = field(default_factory=list)
    """Keys of contents."""
    by_others: bool = False
    """Spans of other instrumentation."""


def search(
    connection: sqlite3.Connection, wanted: TextSearch, traces: Collection[int] | None, limit: int
) -> Iterator[Match]:
    """Matches, those of the newest trace first, up to so many.

    Args:
        traces: keys of the traces to look in; None for all.
    """
    found = _candidates(connection, wanted)
    keys = [key for key in found if traces is None or key in traces]
    rows = select(connection, "SELECT id, trace_id, start_ns FROM traces", ("id",), keys)
    left = limit
    for key, trace_id, _ in sorted(rows, key=lambda row: (-row[2], row[0])):
        for match in _of_trace(connection, wanted, key, trace_id.hex(), found[key]):
            if not left:
                return
            left -= 1
            yield match


def _candidates(connection: sqlite3.Connection, wanted: TextSearch) -> dict[int, _Candidates]:
    """By trace."""
    found: dict[int, _Candidates] = defaultdict(_Candidates)
    for key, trace, value in connection.execute("SELECT id, trace, value FROM contents"):
        if wanted.may_be_in(value):
            found[trace].contents.append(key)
    messages = connection.execute("SELECT digest, body FROM messages WHERE body IS NOT NULL")
    digests = {digest for digest, body in messages if wanted.may_be_in(body)}
    if len(digests) > _MANY:
        for trace, digest in connection.execute("SELECT trace, digest FROM trace_messages"):
            if digest in digests:
                found[trace].digests.add(digest)
    else:
        for trace, digest in select(connection, "SELECT trace, digest FROM trace_messages", ("digest",), list(digests)):
            found[trace].digests.add(digest)
    for trace in _others(connection, wanted):
        found[trace].by_others = True
    return found


def _others(connection: sqlite3.Connection, wanted: TextSearch) -> list[int]:
    """Traces in which the body of a span that carries content may hold the text."""
    if connection.execute(f"SELECT 1 FROM spans s WHERE {CARRY_CONTENT} LIMIT 1", (OWN_SCOPE,)).fetchone() is None:
        return []
    rows = connection.execute(f"SELECT s.trace, s.body FROM spans s WHERE {CARRY_CONTENT}", (OWN_SCOPE,))
    return list(dict.fromkeys(trace for trace, body in rows if wanted.may_be_in(body)))


def _of_trace(
    connection: sqlite3.Connection, wanted: TextSearch, trace: int, trace_id: str, found: _Candidates
) -> list[Match]:
    snippets = dict(_messages(connection, wanted, found.digests))
    contents = list(_contents(connection, wanted, found.contents))
    places = list(_placed(connection, trace, snippets))
    times = _times(connection, trace, {span_id for span_id, *_ in (*places, *contents)})
    matches = []
    for span_id, where, digest in places:
        if span_id in times:
            at_ns = times[span_id][where == _SIDES[_OUTPUT]]
            matches.append(Match(trace_id, span_id.hex(), where, at_ns, snippets[digest], digest=digest.hex()))
    for span_id, name, snippet in contents:
        if span_id in times:
            matches.append(Match(trace_id, span_id.hex(), "content", times[span_id][0], snippet, name=name))
    if found.by_others:
        carried = CarriedContent().of(connection, trace, trace_id)
        known = {(match.span_id, match.digest, match.name) for match in matches}
        matches += [one for one in carried.search(wanted) if (one.span_id, one.digest, one.name) not in known]
    return sorted(matches, key=lambda match: match.at_ns)


def _messages(
    connection: sqlite3.Connection, wanted: TextSearch, digests: Collection[bytes]
) -> Iterator[tuple[bytes, str]]:
    """Digest and snippet of each message that does hold the text."""
    for digest, role, body in select(connection, "SELECT digest, role, body FROM messages", ("digest",), list(digests)):
        parsed = _json(body)
        snippet = wanted.in_message(Message("", role, parsed)) if isinstance(parsed, dict) else None
        if snippet:
            yield digest, snippet


def _contents(
    connection: sqlite3.Connection, wanted: TextSearch, keys: Sequence[int]
) -> Iterator[tuple[bytes, str, str]]:
    """Span id, name and snippet of each content that does hold the text."""
    for span_id, name, value in select(connection, "SELECT span_id, name, value FROM contents", ("id",), keys):
        if snippet := wanted.in_content(_json(value)):
            yield span_id, name, snippet


def _placed(
    connection: sqlite3.Connection, trace: int, digests: Collection[bytes]
) -> Iterator[tuple[bytes, str, bytes]]:
    """Span id, direction and digest of each message: where it is written first, else where it is read first."""
    if not digests:
        return
    first: dict[tuple[int, bytes], bytes] = {}
    rows = connection.execute(
        "SELECT span_id, direction, digests FROM message_lists WHERE trace = ? ORDER BY id, position", (trace,)
    )
    for span_id, direction, held in rows:
        for at in range(0, len(held), _DIGEST):
            digest = held[at : at + _DIGEST]
            if digest in digests:
                first.setdefault((direction, digest), span_id)
    for (direction, digest), span_id in first.items():
        if direction == _OUTPUT or (_OUTPUT, digest) not in first:
            yield span_id, _SIDES[direction], digest
    listed = {digest for _, digest in first}
    for digest in sorted(set(digests) - listed):  # values of a state, which spans name themselves
        row = connection.execute(
            "SELECT span_id FROM spans WHERE trace = ? AND instr(body, ?) ORDER BY start_ns, id LIMIT 1",
            (trace, digest.hex().encode()),
        ).fetchone()
        if row is not None:
            yield row[0], "state", digest


def _times(connection: sqlite3.Connection, trace: int, spans: Iterable[bytes]) -> dict[bytes, tuple[int, int]]:
    values = [value for span_id in spans for value in (trace, span_id)]
    key = ("trace", "span_id")
    still_open = select(connection, "SELECT span_id, start_ns, start_ns FROM open_spans", key, values)
    ended = select(connection, "SELECT span_id, start_ns, end_ns FROM spans", key, values)
    return {span_id: (start_ns, end_ns) for span_id, start_ns, end_ns in (*still_open, *ended)}


def _json(value: bytes) -> object:
    try:
        return orjson.loads(value)
    except ValueError:
        return None
