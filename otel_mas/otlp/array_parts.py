"""Long string arrays in several attributes of a span, since backends refuse or cut a long value.

In the store an array is whole. It is split when a span leaves, and joined when one is read or imported.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from otel_mas.otlp.wire import delimited, fields, text
from otel_mas.semconv import STRING_ARRAYS
from otel_mas.semconv import attributes as names

PART_BYTES = 8192
"""Size of an array in one attribute. Jaeger's badger takes 65,000 bytes of JSON text, in which escapes take up to six
bytes for one; and 10,000 causes fit in 75 attributes."""

# Tags of opentelemetry/proto/{trace,common}/v1: field number << 3 | wire type.
_ATTRIBUTE, _KEY, _VALUE, _ARRAY = 9 << 3 | 2, 1 << 3 | 2, 2 << 3 | 2, 5 << 3 | 2
_ATTRIBUTE_TAG, _KEY_TAG, _VALUE_TAG, _ARRAY_TAG = b"\x4a", b"\x0a", b"\x12", b"\x2a"
_PREFIX = f"{names.MAS_PART}."
FIRST_PARTS = frozenset(f"{_PREFIX}{name}.1" for name in STRING_ARRAYS)
"""Names of attributes of which one is in every span with an array that can be joined."""
_ENCODED_PREFIX = _PREFIX.encode()


def with_split_arrays(body: bytes) -> bytes:
    """An OTLP `Span` message without string arrays of the registry that are longer than `PART_BYTES`.

    In the place of such an attribute are `mas.part.<name>.1`, `mas.part.<name>.2`, and so on. Bytes that are no span
    stay as they are.
    """
    if len(body) <= PART_BYTES:
        return body
    kept: list[bytes] = []
    since = 0
    try:
        for tag, start, value, end in fields(body):
            if tag == _ATTRIBUTE and end - value > PART_BYTES:
                parts = _parts(body[value:end])
                if parts:
                    kept += (body[since:start], *parts)
                    since = end
    except ValueError:
        return body
    return b"".join((*kept, body[since:])) if kept else body


def with_joined_arrays(span: Any, encoded: bytes) -> bytes:
    """Join the parts of arrays in a parsed OTLP `Span`, which is changed.

    Args:
        encoded: the span's bytes.

    Returns:
        The span's bytes then.
    """
    if _ENCODED_PREFIX not in encoded:
        return encoded
    from opentelemetry.proto.common.v1.common_pb2 import AnyValue

    parts: dict[str, dict[int, list[str]]] = defaultdict(dict)
    for pair in span.attributes:
        place = _place(pair.key)
        if place is not None and (items := _items(pair.value)) is not None:
            parts[place[0]][place[1]] = items
    whole = {name: found for name, found in parts.items() if sorted(found) == list(range(1, len(found) + 1))}
    if not whole:
        return encoded
    pairs = list(span.attributes)
    del span.attributes[:]
    for pair in pairs:
        name, number = _place(pair.key) or ("", 0)
        if name not in whole:
            span.attributes.append(pair)
        elif number == 1:
            joined = span.attributes.add(key=name).value.array_value
            for _, items in sorted(whole[name].items()):
                joined.values.extend(AnyValue(string_value=item) for item in items)
    changed: bytes = span.SerializeToString()
    return changed


def _parts(pair: bytes) -> list[bytes]:
    """The attributes that a long one is split into; none where it is no string array of the registry."""
    key = array = b""
    for tag, _, value, end in fields(pair):
        if tag == _KEY:
            key = pair[value:end]
        elif tag == _VALUE:
            inner = pair[value:end]
            array = next((inner[at:stop] for of, _, at, stop in fields(inner) if of == _ARRAY), b"")
    name = key.decode("utf-8", "replace")
    if not array or name not in STRING_ARRAYS:
        return []
    return [
        delimited(
            _ATTRIBUTE_TAG,
            text(_KEY_TAG, f"{_PREFIX}{name}.{number}") + delimited(_VALUE_TAG, delimited(_ARRAY_TAG, part)),
        )
        for number, part in enumerate(_chunks(array), 1)
    ]


def _chunks(array: bytes) -> Iterator[bytes]:
    """Encoded items of an array, as many at a time as fit in a part."""
    since = last = 0
    for _, start, _, end in fields(array):
        if end - since > PART_BYTES and start > since:
            yield array[since:start]
            since = start
        last = end
    yield array[since:last]


def _place(key: str) -> tuple[str, int] | None:
    """The array's name and the number of the part; None where the attribute is no part."""
    if not key.startswith(_PREFIX):
        return None
    name, _, number = key.removeprefix(_PREFIX).rpartition(".")
    return (name, int(number)) if name in STRING_ARRAYS and number.isascii() and number.isdecimal() else None


def _items(value: Any) -> list[str] | None:
    """The items of a part: an array, or JSON text, which is how Jaeger keeps arrays in badger."""
    if value.WhichOneof("value") == "array_value":
        return [item.string_value for item in value.array_value.values]
    try:
        items = json.loads(value.string_value)
    except (ValueError, RecursionError):
        return None
    return items if isinstance(items, list) and all(isinstance(item, str) for item in items) else None


__all__ = ["FIRST_PARTS", "PART_BYTES", "with_joined_arrays", "with_split_arrays"]
