"""Protobuf's wire format: fields read and written one by one, without decoding a message.

A tag is a field's number and wire type, `number << 3 | type`: an integer where fields are read, encoded where they are
written.
"""

from __future__ import annotations

from collections.abc import Iterator

VARINT, EIGHT_BYTES, DELIMITED, FOUR_BYTES = 0, 1, 2, 5
"""Wire types."""

_ONE_BYTE = tuple(bytes((n,)) for n in range(128))


def tag(field: int, kind: int = DELIMITED) -> bytes:
    """The encoded tag of a field."""
    return varint(field << 3 | kind)


def varint(number: int) -> bytes:
    """A non-negative number below 2**64, seven bits a byte, the low ones first."""
    if number < 128:
        return _ONE_BYTE[number]
    if number < 16_384:
        return bytes((number & 0x7F | 0x80, number >> 7))
    out = bytearray()
    while number > 127:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def number(tag: bytes, value: int) -> bytes:
    """A number field, or a boolean; nothing where it is 0, the default in protobuf."""
    return tag + varint(value) if value else b""


def delimited(tag: bytes, data: bytes) -> bytes:
    """A field that holds bytes, text or a message."""
    return tag + varint(len(data)) + data


def text(tag: bytes, value: str) -> bytes:
    """A text field."""
    return delimited(tag, utf8(value))


def utf8(value: str) -> bytes:
    """The text in UTF-8, a lone surrogate as `?`: protobuf allows nothing else."""
    try:
        return value.encode()
    except UnicodeEncodeError:
        return value.encode(errors="replace")


def timestamp(tag: bytes, time_ns: int) -> bytes:
    """A field with a `google.protobuf.Timestamp`."""
    seconds, nanos = divmod(time_ns, 10**9)
    return delimited(tag, number(b"\x08", seconds) + number(b"\x10", nanos))


def fields(data: bytes | memoryview) -> Iterator[tuple[int, int, int, int]]:
    """The fields of a message as they come: tag, and the places where the field, its value and the next field start.

    Raises:
        ValueError: it is no message, or only the beginning of one.
    """
    at, end = 0, len(data)
    while at < end:
        start = at
        tag, at = read_varint(data, at)
        kind = tag & 7
        if kind == DELIMITED:
            length, at = read_varint(data, at)
            stop = at + length
        elif kind == VARINT:
            _, stop = read_varint(data, at)
        elif kind == EIGHT_BYTES:
            stop = at + 8
        elif kind == FOUR_BYTES:
            stop = at + 4
        else:
            raise ValueError(f"not a protobuf message: there is no wire type {kind}")
        if stop > end:
            raise ValueError("the message ends in the middle")
        yield tag, start, at, stop
        at = stop


def values(encoded: bytes) -> Iterator[tuple[int, int | memoryview]]:
    """The fields of a message by number: varints as integers, anything else as bytes. Raises ValueError as `fields`."""
    view = memoryview(encoded)
    for tag, _, start, end in fields(encoded):
        yield tag >> 3, read_varint(encoded, start)[0] if tag & 7 == VARINT else view[start:end]


def read_varint(data: bytes | memoryview, at: int) -> tuple[int, int]:
    """A number, and the place where it ends. Raises ValueError where it does not end."""
    value = shift = 0
    try:
        while True:
            byte = data[at]
            at += 1
            value |= (byte & 127) << shift
            if byte < 128:
                return value, at
            shift += 7
            if shift > 63:
                raise ValueError("not a protobuf message: a number of more than 64 bits")
    except IndexError:
        raise ValueError("the message ends in the middle") from None
