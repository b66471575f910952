"""Values of a record: those of JSON, and the bytes, numbers and texts that JSON has no form for.

In JSON, a value without a form of its own is an object with one key, as in the store (docs/messages.md):
`{"$bytes": base64}`, `{"$float": "nan"}`, `{"$int": digits}` beyond 64 bits. Records have two more: `{"$text": base64}`
of text that UTF-8 cannot hold (lone surrogates), and `{"$map": [[key, value], ...]}` of an object that has a key
beginning with `$`.
"""

from __future__ import annotations

import math
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable, Mapping
from enum import Enum
from typing import Any, Final

import orjson

MAX_DEPTH: Final = 64
"""Levels of lists and mappings in a value."""

_INT64 = range(-(2**63), 2**64)
_ODD_FLOATS: Final = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}
_MAX_BITS: Final = 14_000  # Python converts no longer integer to digits; hexadecimal ones have no limit
_TAG = "$"
SCALARS: Final = frozenset({str, int, float, bool, bytes, type(None)})
"""Types of values that hold no others."""


def plain(value: Any, depth: int = 0) -> Any:
    """A copy of plain types: text, numbers, booleans, bytes, None, lists, and mappings with texts as keys.

    Raises:
        ValueError: it holds anything else, or is nested deeper than `MAX_DEPTH`.
    """
    kind = type(value)
    if kind in SCALARS:
        return value
    if depth > MAX_DEPTH:
        raise ValueError(f"it is nested deeper than {MAX_DEPTH} levels")
    depth += 1
    # Scalars are looked at here: a call for each would double the time of a record.
    if (kind is list or kind is tuple) and SCALARS.issuperset(map(type, value)):
        return list(value)
    if kind is dict or isinstance(value, Mapping):
        return {
            key if type(key) is str else _key(key): item if type(item) in SCALARS else plain(item, depth)
            for key, item in value.items()
        }
    if kind is list or isinstance(value, (list, tuple)):
        return [item if type(item) in SCALARS else plain(item, depth) for item in value]
    if isinstance(value, Enum):
        return plain(value.value, depth)
    if isinstance(value, str):
        return text(value)
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return float(value)
    if isinstance(value, bytes | bytearray):
        return bytes(value)
    raise ValueError(f"it holds a {kind.__name__}: give text, numbers, booleans, bytes, None, lists and mappings")


def is_shallow(value: Any, levels: int = MAX_DEPTH) -> bool:
    """Whether a value of plain types is nested no deeper than `MAX_DEPTH`."""
    inner: Iterable[Any] = value.values() if type(value) is dict else value if type(value) is list else ()
    return all(levels and is_shallow(item, levels - 1) for item in inner if type(item) not in SCALARS)


def text(value: Any) -> str:
    """The value, which must be a text; it may hold anything."""
    if type(value) is str:
        return value
    if isinstance(value, str):
        return str.__str__(value)
    raise ValueError(f"it is no text but a {type(value).__name__}")


def tagged(value: Any) -> Any:
    """A plain value as JSON can hold it; the same object where it can already."""
    kind = type(value)
    if kind is str:
        return value if value.isascii() or _is_utf8(value) else {"$text": _base64(value)}
    if kind is int:
        return value if value in _INT64 else {"$int": str(value) if value.bit_length() < _MAX_BITS else hex(value)}
    if kind is float:
        return value if math.isfinite(value) else {"$float": str(value)}
    if kind is list:
        return [tagged(item) for item in value]
    if kind is dict:
        names = "".join(value)
        odd = _TAG in names or not names.isascii()
        if odd and any(key[:1] == _TAG or not _is_utf8(key) for key in value):
            return {"$map": [[tagged(key), tagged(item)] for key, item in value.items()]}
        return {key: tagged(item) for key, item in value.items()}
    return {"$bytes": b64encode(value).decode()} if kind is bytes else value


def untagged(value: Any) -> Any:
    """The value that `tagged` was given. An object that is no tag of ours stays as it is."""
    if type(value) is list:
        return [untagged(item) for item in value]
    if type(value) is not dict:
        return value
    if len(value) == 1:
        ((key, content),) = value.items()
        decode = _DECODERS.get(key)
        if decode is not None:
            try:
                return decode(content)
            except (ValueError, TypeError, KeyError, AttributeError):
                pass  # an object of another program that looks like one of ours
    return {key: untagged(item) for key, item in value.items()}


def _key(key: Any) -> str:
    if isinstance(key, str):
        return text(key)
    if key is None or isinstance(key, bool | int | float):  # as JSON libraries write them
        return orjson.dumps(key).decode() if key is None or isinstance(key, bool) else str(key)
    raise ValueError(f"a mapping in it has a {type(key).__name__} as a key: give text")


def _is_utf8(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _base64(value: str) -> str:
    return b64encode(value.encode("utf-8", "surrogatepass")).decode()


def _map(pairs: Any) -> dict[str, Any]:
    return {text(untagged(key)): untagged(item) for key, item in pairs}


_DECODERS: Final[dict[str, Callable[[Any], Any]]] = {
    "$bytes": lambda content: b64decode(content, validate=True),
    "$float": _ODD_FLOATS.__getitem__,
    "$int": lambda content: int(content, 0),
    "$text": lambda content: b64decode(content, validate=True).decode("utf-8", "surrogatepass"),
    "$map": _map,
}
