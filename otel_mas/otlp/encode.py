"""Protobuf's wire encoding of OTLP attributes, by hand: the generated classes cost six times as much."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from typing import Any

from otel_mas.otlp.nesting import CUT, MAX_NESTING

_INT64_MIN, _INT64_END = -(2**63), 2**63
_TRUE, _FALSE = b"\x10\x01", b"\x10\x00"
_MANY = 8  # items of an array, from which on it pays to see whether they are alike
_double = struct.Struct("<d").pack
_ONE_BYTE = tuple(bytes((n,)) for n in range(128))
_SHORT_TEXT = tuple(bytes((0x0A, n + 2, 0x0A, n)) for n in range(126))  # before a text that is an item of an array
_SHORT_ASCII = tuple(before.decode() for before in _SHORT_TEXT)


def varint(number: int) -> bytes:
    """A non-negative number below 2**64, seven bits a byte, the low ones first."""
    if number < 128:
        return _ONE_BYTE[number]
    out = bytearray()
    while number > 127:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def number(tag: bytes, value: int) -> bytes:
    """A number field; nothing where it is 0, which is how protobuf says 0."""
    return tag + varint(value) if value else b""


def delimited(tag: bytes, data: bytes) -> bytes:
    """A field that holds bytes, text or a message."""
    return tag + varint(len(data)) + data


def text(tag: bytes, value: str) -> bytes:
    """A text field. What UTF-8 cannot hold (lone surrogates) becomes `?`: protobuf allows nothing else."""
    return delimited(tag, utf8(value))


def utf8(value: str) -> bytes:
    try:
        return value.encode()
    except UnicodeEncodeError:
        return value.encode(errors="replace")


def any_value(value: Any, depth: int = 0) -> bytes:
    """An OTLP AnyValue, `depth` levels of arrays and mappings inside of an attribute.

    Raises:
        ValueError: for an integer that 64 bits do not hold.
        TypeError: for what OTLP has no value for.
    """
    if isinstance(value, str):
        return text(b"\x0a", value)
    if value is None:
        return b""
    if isinstance(value, bool):
        return _TRUE if value else _FALSE
    if isinstance(value, int):
        return _integer(value)
    if isinstance(value, float):
        return b"\x21" + _double(value)
    if isinstance(value, bytes):
        return delimited(b"\x3a", value)
    depth += 1
    if isinstance(value, Sequence):
        if depth > MAX_NESTING:
            return text(b"\x0a", CUT)
        items = (len(value) >= _MANY and alike(value)) or b"".join([_item(item, depth) for item in value])
        return delimited(b"\x2a", items)
    if isinstance(value, Mapping):
        if depth > MAX_NESTING:
            return text(b"\x0a", CUT)
        pairs = [delimited(b"\x0a", key_value(str(key), item, depth)) for key, item in value.items()]
        return delimited(b"\x32", b"".join(pairs))
    raise TypeError(f"{type(value).__name__} is not a value that OTLP knows")


def alike(values: Sequence[Any]) -> bytes | None:
    """The items of an array of ASCII texts of one length, which digests are; None for any other.

    What stands before each is then ASCII as well, and the same: 50 digests cost 2 µs, not 12.
    """
    if not values or type(values[0]) is not str or len(values[0]) >= len(_SHORT_TEXT):
        return None
    before = _SHORT_ASCII[len(values[0])]
    try:
        if len(values) > 1 and len(set(map(len, values))) > 1:
            return None
        return (before + before.join(values)).encode("ascii")
    except (TypeError, UnicodeEncodeError):  # something else than a text, or than ASCII
        return None


def _item(value: Any, depth: int) -> bytes:
    if isinstance(value, str):
        data = utf8(value)
        if len(data) < len(_SHORT_TEXT):
            return _SHORT_TEXT[len(data)] + data
    return delimited(b"\x0a", any_value(value, depth))


def _integer(value: int) -> bytes:
    if not _INT64_MIN <= value < _INT64_END:
        raise ValueError("an integer beyond 64 bits")
    return b"\x18" + varint(value if value >= 0 else value + 2**64)


def key_value(key: str, value: Any, depth: int = 0) -> bytes:
    """An OTLP KeyValue."""
    encoded = delimited(b"\x12", any_value(value, depth))
    return text(b"\x0a", key) + encoded if key else encoded


__all__ = ["alike", "any_value", "delimited", "key_value", "number", "text", "utf8", "varint"]
