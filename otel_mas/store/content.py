"""Content that the store keeps beside a span → attributes of the GenAI conventions, on spans that leave with it.

Values too large for a backend are shortened, carry a note of that, and are still JSON. Messages that the conventions
have no attribute for are in `mas.message.bodies`, each with the span that names it first.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import orjson

from otel_mas.model.fit import CUT, fit, fit_messages, left_out
from otel_mas.otlp.decode import decode_body
from otel_mas.otlp.encode import key_value
from otel_mas.otlp.span_content import MISSING, PLAIN
from otel_mas.otlp.wire import delimited
from otel_mas.privacy.policy import Rule, rule
from otel_mas.semconv import Operation
from otel_mas.semconv import attributes as names
from otel_mas.store.message_bodies import FirstMentions, bodies, named

_ATTRIBUTE = b"\x4a"  # of an OTLP span

_WITH_MESSAGES = frozenset(
    {
        Operation.CHAT,
        Operation.GENERATE_CONTENT,
        Operation.TEXT_COMPLETION,
        Operation.INVOKE_AGENT,
        Operation.INVOKE_WORKFLOW,
    }
)
"""The operations that the conventions give `gen_ai.input.messages` and `gen_ai.output.messages`."""
_OF_EXCEPTIONS = frozenset({names.EXCEPTION_MESSAGE, names.EXCEPTION_STACKTRACE})
"""Attributes of the span's exception event where the process put content on spans; else they are the span's."""
_INPUT, _OUTPUT = 0, 1
_DIGEST = 16  # bytes
_MESSAGE_DIGEST = re.compile("[0-9a-f]{32}")
_MAX_BODY = 2**20  # bytes of one body: longer ones are not read to be cut
_READ_AT_MOST = 8  # times the limit, of all messages of a span
_CHUNK = 100

_Message = dict[str, Any] | None


class ContentAdder:
    """Adds the content that the store has beside spans to the spans that leave.

    Args:
        limit: bytes of one attribute at most.
        whole: the limit holds only for messages in the attributes of the conventions, which repeat themselves; all else
            is whole. For files, which no backend cuts.
    """

    def __init__(self, limit: int, *, whole: bool = False) -> None:
        self._limit = limit
        self._other_limit = _MAX_BODY if whole else limit
        self._bodies_limit = 0 if whole else limit
        self._first = FirstMentions()

    def add(self, connection: sqlite3.Connection, trace: int, span_id: bytes, body: bytes) -> bytes:
        """An OTLP `Span` message with the content recorded beside it.

        Attributes of the span itself stay as they are. `mas.content.cut` names the shortened ones. A span or a content
        that cannot be read stays without.
        """
        added: list[bytes] = []
        cut: list[str] = []
        try:
            decoded = decode_body(body)
            attributes = decoded.attributes
            on_events = {name for event in decoded.events for name in _OF_EXCEPTIONS if name in event.attributes}
            for name, text, shortened in self._attributes(connection, trace, span_id, attributes):
                if name not in attributes and name not in on_events:
                    added.append(delimited(_ATTRIBUTE, key_value(name, text)))
                    if shortened:
                        cut.append(name)
        except (ValueError, TypeError, RecursionError):
            pass
        if cut:
            added.append(delimited(_ATTRIBUTE, key_value(names.MAS_CONTENT_CUT, cut)))
        return body + b"".join(added) if added else body

    def _attributes(
        self, connection: sqlite3.Connection, trace: int, span_id: bytes, attributes: Any
    ) -> Iterator[tuple[str, str, bool]]:
        """Name, text, and whether it was cut."""
        contents = connection.execute(
            "SELECT name, CASE WHEN length(value) <= ? THEN value END, length(value) FROM contents "
            "WHERE trace = ? AND span_id = ? ORDER BY id",
            (_MAX_BODY, trace, span_id),
        )
        for name, (value, size) in _by_name(contents).items():
            if rule(name) is Rule.WITHHOLD:
                yield name, *_content(name, value, size, self._other_limit)
        if attributes.get(names.MAS_STATE_DIGESTS):
            yield from _state(connection, attributes[names.MAS_STATE_DIGESTS], self._other_limit)
        messages = named(attributes)
        if not messages:
            return
        carried: set[bytes] = set()
        if attributes.get(names.GEN_AI_OPERATION_NAME) in _WITH_MESSAGES:
            yield from self._of_conventions(connection, trace, span_id, attributes, carried)
        first = self._first.of(connection, trace, messages)
        here = [digest for digest in messages if first.get(digest) == span_id and digest not in carried]
        text, left_out = bodies(connection, here, self._bodies_limit)
        if text is not None:
            yield names.MAS_MESSAGE_BODIES, text, left_out

    def _of_conventions(
        self, connection: sqlite3.Connection, trace: int, span_id: bytes, attributes: Any, carried: set[bytes]
    ) -> Iterator[tuple[str, str, bool]]:
        """Adds to `carried` the digests of the messages that are whole in these attributes."""
        lists = connection.execute(
            "SELECT direction, digests FROM message_lists WHERE trace = ? AND span_id = ? AND direction IN (?, ?) "
            "ORDER BY direction, position",
            (trace, span_id, _INPUT, _OUTPUT),
        ).fetchall()
        for direction in (_INPUT, _OUTPUT):
            digests = b"".join(part for found, part in lists if found == direction)
            if digests:
                yield from _messages(connection, direction, digests, attributes, self._limit, carried)


def _by_name(contents: Iterable[tuple[str, bytes | None, int]]) -> dict[str, tuple[bytes | None, int]]:
    """The last content of each name, with its size; of log records all, as one array."""
    last: dict[str, tuple[bytes | None, int]] = {}
    logs: list[bytes] = []
    for name, value, size in contents:
        if name != names.MAS_LOG_RECORDS:
            last[name] = value, size
        elif value is not None:
            logs.append(value)
    if logs:
        whole = b"[" + b",".join(logs) + b"]"
        last[names.MAS_LOG_RECORDS] = whole, len(whole)
    return last


def _state(connection: sqlite3.Connection, digests: Sequence[str], limit: int) -> Iterator[tuple[str, str, bool]]:
    """The values written to a state, by digest, with the messages that stand in them as digests."""
    known = _by_digest(connection, [digest for digest in digests if len(digest) == 2 * _DIGEST])
    inside = [one for body in known.values() for one in _digests_in(body.get("value"))]
    known |= {digest: body for digest, body in _by_digest(connection, inside).items() if "parts" in body}
    if known:
        yield names.MAS_STATE_VALUES, *fit(known, limit)


def _by_digest(connection: sqlite3.Connection, digests: Sequence[str]) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for start in range(0, len(digests), _CHUNK):
        chunk = [bytes.fromhex(digest) for digest in digests[start : start + _CHUNK]]
        rows = connection.execute(
            f"SELECT digest, role, body FROM messages WHERE digest IN ({', '.join('?' * len(chunk))})"
            " AND length(body) <= ?",
            (*chunk, _MAX_BODY),
        )
        found |= {digest.hex(): {"role": role, **orjson.loads(body)} for digest, role, body in rows}
    return found


def _digests_in(value: Any) -> list[str]:
    """The texts in a list that could be digests of messages."""
    texts = value if isinstance(value, list) else []
    return [one for one in texts if isinstance(one, str) and _MESSAGE_DIGEST.fullmatch(one)]


def _content(name: str, value: bytes | None, size: int, limit: int) -> tuple[str, bool]:
    if value is None:
        return fit(f"cut: {size:,} bytes", limit)[0], True
    found = orjson.loads(value)
    text, cut = fit(found, limit)
    return (orjson.loads(text), cut) if name in PLAIN and isinstance(found, str) else (text, cut)


def _messages(
    connection: sqlite3.Connection, direction: int, digests: bytes, attributes: Any, limit: int, carried: set[bytes]
) -> Iterator[tuple[str, str, bool]]:
    each = [digests[at : at + _DIGEST] for at in range(0, len(digests), _DIGEST)]
    first, latest, between = _read(connection, each, _READ_AT_MOST * limit)
    if all(message is None for message in (*first, *latest)):
        return  # the store keeps no content
    known = [message or {"role": "", "parts": [{"type": MISSING}]} for message in (*first, *latest)]
    of = [*each[:1], *each[len(each) - len(latest) :]]
    if between:
        known.insert(1, left_out((), between))
    if direction == _OUTPUT:
        reasons = attributes.get(names.GEN_AI_RESPONSE_FINISH_REASONS) or ()
        for message, reason in zip(known, reasons if isinstance(reasons, Sequence) else (), strict=False):
            message["finish_reason"] = reason
        text, cut = fit_messages(known, limit)
        yield names.GEN_AI_OUTPUT_MESSAGES, text, cut
        carried.update(() if cut else of)
        return
    instructions = []
    while known and known[0]["role"] == "system":
        instructions += known.pop(0)["parts"]
    if instructions:
        text, cut = fit(instructions, limit)
        yield names.GEN_AI_SYSTEM_INSTRUCTIONS, text, cut
        carried.update(() if cut or between or len(of) - len(known) > 1 else of[:1])
    if known:
        text, cut = fit_messages(known, limit)
        yield names.GEN_AI_INPUT_MESSAGES, text, cut
        carried.update(() if cut or between else of[len(of) - len(known) :])


def _read(
    connection: sqlite3.Connection, digests: list[bytes], most: int
) -> tuple[list[_Message], list[_Message], int]:
    """The first message, the latest ones with at most so many bytes in all, and how many lie between."""
    first = [message for message, _ in _bodies(connection, digests[:1])]
    latest: list[_Message] = []
    end, used = len(digests), 0
    while end > 1 and used < most:
        start = max(1, end - _CHUNK)
        for message, size in reversed(_bodies(connection, digests[start:end])):
            if used >= most:
                break
            latest.append(message)
            used += size
            end -= 1
    return first, latest[::-1], end - 1 if end > 1 else 0


def _bodies(connection: sqlite3.Connection, digests: list[bytes]) -> list[tuple[_Message, int]]:
    rows = connection.execute(
        "SELECT digest, role, CASE WHEN length(body) <= ? THEN body END, length(body) FROM messages "
        f"WHERE digest IN ({', '.join('?' * len(digests))})",
        (_MAX_BODY, *digests),
    )
    found = {digest: (_message(role, body, size), size or 0) for digest, role, body, size in rows}
    return [found.get(digest, (None, 0)) for digest in digests]


def _message(role: str, body: bytes | None, size: int | None) -> _Message:
    if body is None:
        return None if size is None else {"role": role, "parts": [{"type": CUT, "bytes": size}]}
    message: dict[str, Any] = orjson.loads(body)
    return {"role": role, **message, "parts": [_part(part) for part in message.get("parts", ())]}


def _part(part: Any) -> Any:
    """A part as the conventions have it: an image or a sound is a file, named by its digest."""
    if isinstance(part, dict) and part.get("type") == "blob":
        return {**part, "type": "file", "file_id": f"blake2b:{part.get('digest')}"}
    return part
