"""The limit on nested attribute values, within which every decoder reads a message.

protobuf's decoder for Python (upb) refuses messages that are more than 100 deep. A mapping inside a mapping is three
messages deeper, so 31 levels of an attribute fit into a `TracesData`. Foreign spans may be deeper: their values are cut
here, and say so, before they are decoded.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from otel_mas.otlp.wire import delimited, fields

MAX_NESTING = 30
"""Levels of arrays and mappings in the value of an attribute."""
CUT = "… (nested too deep, cut by otel-mas)"

_CUT_VALUE = delimited(b"\x0a", CUT.encode())
_DEEPER = frozenset({"ArrayValue", "KeyValueList"})
# Of each OTLP message the fields, by tag, that lead to attribute values.
_MESSAGES: Mapping[str, Mapping[int, str]] = {
    "TracesData": {0x0A: "ResourceSpans"},
    "LogRecord": {0x2A: "AnyValue", 0x32: "KeyValue"},
    "ResourceSpans": {0x0A: "Resource", 0x12: "ScopeSpans"},
    "Resource": {0x0A: "KeyValue"},
    "ScopeSpans": {0x0A: "InstrumentationScope", 0x12: "Span"},
    "InstrumentationScope": {0x1A: "KeyValue"},
    "Span": {0x4A: "KeyValue", 0x5A: "Event", 0x6A: "Link"},
    "Event": {0x1A: "KeyValue"},
    "Link": {0x22: "KeyValue"},
    "KeyValue": {0x12: "AnyValue"},
    "AnyValue": {0x2A: "ArrayValue", 0x32: "KeyValueList"},
    "ArrayValue": {0x0A: "AnyValue"},
    "KeyValueList": {0x0A: "KeyValue"},
}


def parsed(message: Any, encoded: bytes) -> Any:
    """Decode an OTLP message into `message`, an empty one of its type; values past `MAX_NESTING` are cut if need be.

    Raises:
        ValueError: it is no such message, or only the beginning of one.
    """
    try:
        message.ParseFromString(encoded)
    except _decode_error() as error:  # loaded where there is one: spans are many
        name = message.DESCRIPTOR.name
        try:
            message.Clear()
            message.ParseFromString(cut_nesting(encoded, name))
        except (_decode_error(), ValueError):
            raise ValueError(f"not an OTLP {name} message: {error}") from error
    return message


def _decode_error() -> type[Exception]:
    from google.protobuf.message import DecodeError  # type: ignore[import-untyped]

    return DecodeError  # type: ignore[no-any-return]


def cut_nesting(encoded: bytes, name: str) -> bytes:
    """The encoded message with values past `MAX_NESTING` replaced by a text that says so. Raises ValueError."""
    return _cut(memoryview(encoded), name, 0)


def holds_more_than(most: int, encoded: bytes, name: str) -> bool:
    """Whether a message would become more than `most` objects: attributes, nested values, events, links.

    Raises:
        ValueError: it is no message, or only the beginning of one.
    """
    waiting = [(memoryview(encoded), name)]
    number = 0
    while waiting:
        data, name = waiting.pop()
        inner = _MESSAGES[name]
        for tag, _, at, end in fields(data):
            number += 1
            if number > most:
                return True
            field = inner.get(tag)
            if field is not None:
                waiting.append((data[at:end], field))
    return False


def _cut(data: memoryview, name: str, depth: int) -> bytes:
    inner = _MESSAGES[name]
    parts: list[bytes | memoryview] = []
    for tag, start, at, end in fields(data):
        field = inner.get(tag)
        if field is None:
            parts.append(data[start:end])
            continue
        deeper = depth + (field in _DEEPER)
        if deeper > MAX_NESTING:
            return _CUT_VALUE
        parts.append(delimited(bytes((tag,)), _cut(data[at:end], field, deeper)))
    return b"".join(parts)
