"""The little of protobuf's wire format that asking without generated stubs needs."""

from __future__ import annotations

from collections.abc import Iterator

_VARINT, _EIGHT_BYTES, _DELIMITED, _FOUR_BYTES = 0, 1, 2, 5


def number(field: int, value: int) -> bytes:
    """A non-negative number, or a boolean; nothing where it is 0, which is how protobuf says 0."""
    return _varint(field << 3) + _varint(value) if value else b""


def text(field: int, value: str) -> bytes:
    """A string; nothing where it is empty."""
    return message(field, value.encode("utf-8", "replace")) if value else b""


def message(field: int, encoded: bytes) -> bytes:
    """A message inside a message. An empty one is there all the same."""
    return _varint(field << 3 | _DELIMITED) + _varint(len(encoded)) + encoded


def timestamp(field: int, time_ns: int) -> bytes:
    """A `google.protobuf.Timestamp`."""
    seconds, nanos = divmod(time_ns, 10**9)
    return message(field, number(1, seconds) + number(2, nanos))


def fields(encoded: bytes) -> Iterator[tuple[int, int | memoryview]]:
    """The fields of a message as they come: numbers as numbers, strings and messages as bytes.

    Raises:
        ValueError: it is no message, or only the beginning of one.
    """
    view, place = memoryview(encoded), 0
    while place < len(view):
        key, place = _read_varint(view, place)
        kind = key & 7
        if kind == _VARINT:
            value, place = _read_varint(view, place)
            yield key >> 3, value
            continue
        if kind == _DELIMITED:
            length, place = _read_varint(view, place)
        elif kind in (_EIGHT_BYTES, _FOUR_BYTES):
            length = 8 if kind == _EIGHT_BYTES else 4
        else:
            raise ValueError(f"not a protobuf message: there is no wire type {kind}")
        if place + length > len(view):
            raise ValueError("the message ends in the middle")
        yield key >> 3, view[place : place + length]
        place += length


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)


def _read_varint(view: memoryview, place: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        if place >= len(view) or shift > 63:
            raise ValueError("the message ends in the middle")
        byte = view[place]
        place += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, place
        shift += 7
