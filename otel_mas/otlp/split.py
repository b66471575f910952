"""OTLP export requests split into resources, scopes and items. Spans and log records stay bytes, as they came.

Requests of traces and of logs have the same shape: three levels of messages, of which field 1 is the resource or scope
(at the outermost level what repeats), field 2 what repeats, field 3 the schema URL. Nothing is decoded, so that a small
request cannot become many objects.
"""

from __future__ import annotations

from typing import NamedTuple

from otel_mas.otlp.wire import DELIMITED, fields, read_varint

_FIRST, _SECOND, _THIRD = (number << 3 | DELIMITED for number in (1, 2, 3))
_Place = tuple[int, int]


class ScopePart(NamedTuple):
    """The items of one scope: an OTLP `InstrumentationScope`, and `Span` or `LogRecord` messages."""

    scope: bytes
    schema_url: str
    items: list[bytes]


class ResourcePart(NamedTuple):
    """The items of one OTLP `Resource`, by scope."""

    resource: bytes
    schema_url: str
    scopes: list[ScopePart]


class TooManyItems(ValueError):
    """A request has more parts than the reader wants to see."""


def split_request(request: bytes, most: int = 1 << 62) -> list[ResourcePart]:
    """The parts of an export request, a `TracesData` or a `LogsData` message.

    Args:
        request: the message.
        most: the number of resources, scopes and items in it at most.

    Raises:
        TooManyItems: it has more.
        ValueError: it is no such message, or only the beginning of one.
    """
    found = []
    try:
        resources, _, _ = _parts(request, 0, len(request), _FIRST, most)
        left = most - len(resources)
        for at, end in resources:
            part, number = _resource_part(request, at, end, left)
            left -= number
            found.append(part)
    except IndexError:
        raise ValueError("the message ends in the middle") from None
    return found


def split_resource(message: bytes) -> ResourcePart:
    """The parts of a `ResourceSpans` or `ResourceLogs` message. Raises ValueError where it is none."""
    try:
        return _resource_part(message, 0, len(message), 1 << 62)[0]
    except IndexError:
        raise ValueError("the message ends in the middle") from None


def _resource_part(data: bytes, at: int, end: int, most: int) -> tuple[ResourcePart, int]:
    """One resource, and the number of its scopes and items."""
    places, resource, url = _parts(data, at, end, _SECOND, most)
    scopes, number = [], len(places)
    for start, stop in places:
        items, scope, scope_url = _parts(data, start, stop, _SECOND, most - number)
        number += len(items)
        scopes.append(ScopePart(scope, _text(scope_url), [data[first:last] for first, last in items]))
    return ResourcePart(resource, _text(url), scopes), number


def _parts(data: bytes, at: int, end: int, repeated: int, most: int) -> tuple[list[_Place], bytes, bytes]:
    """The places of the repeated field of a message, and its fields 1 and 3. A message in parts is their sum."""
    places: list[_Place] = []
    others = {_FIRST: b"", _THIRD: b""}
    while at < end:
        tag = data[at]
        if tag != repeated and tag not in others:
            _, _, _, stop = next(fields(memoryview(data)[at:end]))
            at += stop
            continue
        length = data[at + 1]
        at += 2
        if length > 127:
            high = data[at]
            if high < 128:
                length += (high << 7) - 128
                at += 1
            else:
                length, at = read_varint(data, at - 1)
        stop = at + length
        if stop > end:
            raise ValueError("the message ends in the middle")
        if tag == repeated:
            if len(places) >= most:
                raise TooManyItems("it has too many parts")
            places.append((at, stop))
        elif tag == _FIRST:
            others[tag] += data[at:stop]
        else:
            others[tag] = data[at:stop]
        at = stop
    return places, others[_FIRST], others[_THIRD]


def _text(url: bytes) -> str:
    """Raises ValueError where it is not UTF-8."""
    return url.decode() if url else ""


__all__ = ["ResourcePart", "ScopePart", "TooManyItems", "split_request", "split_resource"]
