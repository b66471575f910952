"""Withholding content from encoded spans that leave the machine.

Works on the wire format: a span without content keeps its bytes, one with content loses whole fields, and unknown
fields stay as they are.
"""

from __future__ import annotations

from dataclasses import replace

from otel_mas.otlp.framing import LogRow, Origin
from otel_mas.otlp.nesting import MAX_NESTING
from otel_mas.otlp.wire import delimited, fields
from otel_mas.privacy.policy import Rule, rule

# Tags of opentelemetry/proto/{trace,common,resource}/v1: field number << 3 | wire type.
_SPAN_ATTRIBUTE, _SPAN_EVENT, _SPAN_LINK, _SPAN_STATUS = 9 << 3 | 2, 11 << 3 | 2, 13 << 3 | 2, 15 << 3 | 2
_EVENT_ATTRIBUTE = 3 << 3 | 2
_LINK_ATTRIBUTE = 4 << 3 | 2
_STATUS_MESSAGE = 2 << 3 | 2
_RESOURCE_ATTRIBUTE, _SCOPE_ATTRIBUTE = 1 << 3 | 2, 3 << 3 | 2
_KEY, _VALUE = 1 << 3 | 2, 2 << 3 | 2
_STRING, _ARRAY, _KVLIST, _BYTES = 1 << 3 | 2, 5 << 3 | 2, 6 << 3 | 2, 7 << 3 | 2

_EVENT_TAG, _LINK_TAG, _STATUS_TAG = b"\x5a", b"\x6a", b"\x7a"

_MAX_KNOWN_PAIRS = 16_384
_MAX_PAIR_BYTES = 256
_MAX_KNOWN_ORIGINS = 4096


class Withholder:
    """Decides attribute by attribute, and remembers what repeats. One per thread.

    Withheld are attributes with content, of any instrumentation, text under unknown names (`otel_mas.privacy.policy`),
    and status messages, most of which are an exception's. Never withheld are ids, causes, links, and names of spans and
    events.
    """

    def __init__(self) -> None:
        self._pairs: dict[bytes, bool] = {}
        self._resources: dict[Origin, tuple[Origin, int]] = {}
        self._scopes: dict[Origin, tuple[Origin, int]] = {}

    def row(self, row: LogRow) -> tuple[LogRow, int]:
        """The row as it may leave, and the number of values withheld from its span.

        Raises:
            ValueError: its bytes are not an OTLP span.
        """
        body, withheld = self.span(row.body)
        resource, of_resource = self._origin(self._resources, row.resource, _RESOURCE_ATTRIBUTE)
        scope, of_scope = self._origin(self._scopes, row.scope, _SCOPE_ATTRIBUTE)
        if not withheld and not of_resource and not of_scope:
            return row, 0
        return LogRow(row.key, resource, scope, body), withheld

    def span(self, body: bytes) -> tuple[bytes, int]:
        """An OTLP `Span` message without content, and the number of values withheld."""
        kept: list[bytes] = []
        since = withheld = 0
        for tag, start, value, end in fields(body):
            if tag == _SPAN_ATTRIBUTE:
                if self._may_leave(body[value:end]):
                    continue
                new, went = b"", 1
            elif tag == _SPAN_EVENT:
                new, went = self._attributes(_EVENT_TAG, body[value:end], _EVENT_ATTRIBUTE)
            elif tag == _SPAN_LINK:
                new, went = self._attributes(_LINK_TAG, body[value:end], _LINK_ATTRIBUTE)
            elif tag == _SPAN_STATUS:
                new, went = _status(body[value:end])
            else:
                continue
            if went:
                kept += (body[since:start], new)
                since, withheld = end, withheld + went
        if not withheld:
            return body, 0
        kept.append(body[since:])
        return b"".join(kept), withheld

    def _origin(self, known: dict[Origin, tuple[Origin, int]], origin: Origin, attribute: int) -> tuple[Origin, int]:
        found = known.get(origin)
        if found is None:
            message, went = self._without(origin.message, attribute)
            found = (replace(origin, message=message) if went else origin), went
            if len(known) >= _MAX_KNOWN_ORIGINS:
                known.clear()
            known[origin] = found
        return found

    def _attributes(self, field: bytes, message: bytes, attribute: int) -> tuple[bytes, int]:
        without, went = self._without(message, attribute)
        return (delimited(field, without), went) if went else (b"", 0)

    def _without(self, message: bytes, attribute: int) -> tuple[bytes, int]:
        """A message without the attributes that may not leave."""
        kept: list[bytes] = []
        since = went = 0
        for tag, start, value, end in fields(message):
            if tag != attribute:
                continue
            if self._may_leave(message[value:end]):
                continue
            kept.append(message[since:start])
            since, went = end, went + 1
        kept.append(message[since:])
        return (b"".join(kept), went) if went else (message, 0)

    def _may_leave(self, pair: bytes) -> bool:
        known = self._pairs.get(pair)
        if known is None:
            known = _decide(pair)
            if len(pair) <= _MAX_PAIR_BYTES:
                if len(self._pairs) >= _MAX_KNOWN_PAIRS:
                    self._pairs.clear()
                self._pairs[pair] = known
        return known


def _decide(pair: bytes) -> bool:
    key, value = _key(pair)
    known = rule(key.decode("utf-8", "replace"))
    return known is Rule.KEEP or (known is Rule.WITHHOLD_TEXT and not _holds_text(value, 0))


def _key(pair: bytes) -> tuple[bytes, bytes]:
    """The key and the encoded value of a `KeyValue`; of a field that comes twice the last counts."""
    key = found = b""
    for tag, _, value, end in fields(pair):
        if tag == _KEY:
            key = pair[value:end]
        elif tag == _VALUE:
            found = pair[value:end]
    return key, found


def _holds_text(value: bytes, depth: int) -> bool:
    """`otel_mas.privacy.policy.holds_text` for an encoded `AnyValue`."""
    if depth > MAX_NESTING:
        return True
    for tag, _, start, end in fields(value):
        if tag in (_STRING, _BYTES, _KVLIST):
            if end > start:
                return True
        elif tag == _ARRAY:
            items = value[start:end]
            if any(_holds_text(items[at:stop], depth + 1) for _, _, at, stop in fields(items)):
                return True
    return False


def _status(status: bytes) -> tuple[bytes, int]:
    kept: list[bytes] = []
    went = 0
    for tag, start, value, end in fields(status):
        if tag == _STATUS_MESSAGE and end > value:
            went = 1
        else:
            kept.append(status[start:end])
    return (delimited(_STATUS_TAG, b"".join(kept)), went) if went else (b"", 0)


__all__ = ["Withholder"]
