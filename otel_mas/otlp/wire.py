"""The little of protobuf's wire format that stored messages are framed and looked into with, without decoding them."""

from __future__ import annotations

from collections.abc import Iterator

VARINT, EIGHT_BYTES, DELIMITED, FOUR_BYTES = 0, 1, 2, 5


def varint(number: int) -> bytes:
    """A non-negative number, seven bits a byte, the low ones first."""
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    out.append(number)
    return bytes(out)


def delimited(tag: bytes, data: bytes) -> bytes:
    """A field that holds bytes, text or a message."""
    return tag + varint(len(data)) + data


def fields(data: bytes | memoryview) -> Iterator[tuple[int, int, int, int]]:
    """The fields of a message as they come: (tag, where it starts, where its value starts, where it ends).

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


def read_varint(data: bytes | memoryview, at: int) -> tuple[int, int]:
    """A number, and where it ends. Raises ValueError where it does not end."""
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
