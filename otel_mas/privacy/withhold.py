"""Withholding content from encoded spans that leave the machine.

Works on the wire format: a span without content keeps its bytes, one with content loses whole fields, and unknown
fields stay as they are.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import Any

from otel_mas.fork import background_imports
from otel_mas.otlp.framing import LogRow, Origin
from otel_mas.otlp.nesting import MAX_NESTING
from otel_mas.otlp.wire import fields
from otel_mas.privacy.policy import Rule, rule

# Tags of AnyValue in opentelemetry/proto/common/v1/common.proto: field number << 3 | wire type.
_STRING, _ARRAY, _KVLIST, _BYTES = 1 << 3 | 2, 5 << 3 | 2, 6 << 3 | 2, 7 << 3 | 2

_MAX_KNOWN_PAIRS = 16_384
_MAX_PAIR_BYTES = 256
_MAX_KNOWN_ORIGINS = 4096
_MAX_KNOWN_NAMES = 4096


class Withholder:
    """Decides attribute by attribute, and remembers what repeats. One per thread.

    Withheld are attributes with content, of any instrumentation, text under unknown names (`otel_mas.privacy.policy`),
    and status messages, most of which are an exception's. Never withheld are ids, causes, links, and names of spans and
    events.
    """

    def __init__(self) -> None:
        with background_imports:
            from otel_mas.otlp import shallow
        self._types = shallow
        self._parse = shallow.Span.FromString
        self._leaving: set[bytes] = set()
        """Encoded attributes that may leave: whole spans of them are recognised by one operation on sets."""
        self._resources: dict[Origin, Origin] = {}
        self._scopes: dict[Origin, Origin] = {}
        self._last: tuple[Origin, Origin, Origin, Origin] | None = None

    def row(self, row: LogRow) -> tuple[LogRow, int]:
        """The row as it may leave, and the number of values withheld from its span.

        Raises:
            ValueError: its bytes are not an OTLP span.
        """
        body, withheld = self.span(row.body)
        last = self._last
        if last is None or last[0] is not row.resource or last[1] is not row.scope:
            last = self._last = (
                row.resource,
                row.scope,
                self._origin(self._resources, row.resource, self._types.Resource),
                self._origin(self._scopes, row.scope, self._types.Scope),
            )
        _, _, resource, scope = last
        if not withheld and resource is row.resource and scope is row.scope:
            return row, 0
        return LogRow(row.key, resource, scope, body), withheld

    def span(self, body: bytes) -> tuple[bytes, int]:
        """An OTLP `Span` message without content, and the number of values withheld."""
        try:
            span = self._parse(body)
        except self._types.DecodeError as error:
            raise ValueError(f"not a protobuf message: {error}") from None
        withheld = self._attributes(span)
        for part in span.events:
            withheld += self._attributes(part)
        for part in span.links:
            withheld += self._attributes(part)
        if span.status.message:
            span.status.ClearField("message")
            withheld += 1
        return (span.SerializeToString(), withheld) if withheld else (body, 0)

    def _origin(self, known: dict[Origin, Origin], origin: Origin, kind: Any) -> Origin:
        found = known.get(origin)
        if found is None:
            try:
                message = kind.FromString(origin.message)
            except self._types.DecodeError as error:
                raise ValueError(f"not a protobuf message: {error}") from None
            found = replace(origin, message=message.SerializeToString()) if self._attributes(message) else origin
            if len(known) >= _MAX_KNOWN_ORIGINS:
                known.clear()
            known[origin] = found
        return found

    def _attributes(self, message: Any) -> int:
        """Take the attributes that may not leave out of a message, and count them."""
        pairs = message.attributes[:]
        if not pairs:
            return 0
        content = {pair for pair in set(pairs) - self._leaving if not self._may_leave(pair)}
        if not content:
            return 0
        kept = [pair for pair in pairs if pair not in content]
        del message.attributes[:]
        message.attributes.extend(kept)
        return len(pairs) - len(kept)

    def _may_leave(self, pair: bytes) -> bool:
        try:
            found = self._types.KeyValue.FromString(pair)
        except self._types.DecodeError as error:
            raise ValueError(f"not a protobuf message: {error}") from None
        known = _rule(found.key)
        if known is not Rule.KEEP and (known is Rule.WITHHOLD or _holds_text(found.value, 0)):
            return False
        if len(pair) <= _MAX_PAIR_BYTES:
            if len(self._leaving) >= _MAX_KNOWN_PAIRS:
                self._leaving.clear()
            self._leaving.add(pair)
        return True


@lru_cache(_MAX_KNOWN_NAMES)
def _rule(key: bytes) -> Rule:
    return rule(key.decode("utf-8", "replace"))


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


__all__ = ["Withholder"]
