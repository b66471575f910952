"""Requests and answers of services that we have no generated classes for."""

from __future__ import annotations

from collections.abc import Iterator

from otel_mas.otlp import wire
from otel_mas.otlp.wire import DELIMITED, VARINT, delimited, read_varint, varint


def number(field: int, value: int) -> bytes:
    """A non-negative number, or a boolean; nothing where it is 0, which is how protobuf says 0."""
    return varint(field << 3 | VARINT) + varint(value) if value else b""


def text(field: int, value: str) -> bytes:
    """A string; nothing where it is empty."""
    return message(field, value.encode("utf-8", "replace")) if value else b""


def message(field: int, encoded: bytes) -> bytes:
    """A message inside a message. An empty one is there all the same."""
    return delimited(varint(field << 3 | DELIMITED), encoded)


def timestamp(field: int, time_ns: int) -> bytes:
    """A `google.protobuf.Timestamp`."""
    seconds, nanos = divmod(time_ns, 10**9)
    return message(field, number(1, seconds) + number(2, nanos))


def fields(encoded: bytes) -> Iterator[tuple[int, int | memoryview]]:
    """The fields of a message as they come: numbers as numbers, strings and messages as bytes.

    Raises:
        ValueError: it is no message, or only the beginning of one.
    """
    view = memoryview(encoded)
    for tag, _, start, end in wire.fields(encoded):
        yield tag >> 3, read_varint(encoded, start)[0] if tag & 7 == VARINT else view[start:end]
