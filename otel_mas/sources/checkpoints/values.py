"""Decoder of the values in LangGraph's checkpoints: plain data only, whatever the file names.

LangGraph's own serializer imports modules and calls what a value names. A checkpoint file may come from anybody, so
nothing of that serializer is used here: of the objects in a value only their names and arguments are looked at.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from otel_mas.errors import MissingExtra

READABLE = frozenset(("null", "bytes", "bytearray", "json", "msgpack"))
"""The types of values that can be decoded; `pickle` is not among them, since unpickling runs code."""

MOST_BYTES = 2**28
"""Bytes of one value."""
_DEEPEST = 64
# LangGraph's msgpack extension types that hold (module, name, argument or arguments, ...).
_SINGLE, _POSITIONAL, _KEYWORDS = 0, 1, 2


def plain_value(kind: str, data: bytes | str) -> Any:
    """Decode one value.

    Raises:
        ValueError, TypeError, RecursionError: it is damaged, too large or nested too deep.
        MissingExtra: ormsgpack, which LangGraph brings, is not installed.
    """
    if not isinstance(data, bytes | str):  # SQLite keeps a value of any type in any column
        raise TypeError("it is a number")
    if len(data) > MOST_BYTES:
        raise ValueError(f"it is larger than {MOST_BYTES >> 20} MiB")
    if kind == "json":
        return json.loads(data, object_hook=_from_json)
    if kind == "msgpack":
        return _from_msgpack(data.encode() if isinstance(data, str) else data, 0)
    return None if kind == "null" else data


def _from_json(found: dict[str, Any]) -> Any:
    """Reduce an object that LangGraph (`lc` 2) or LangChain (`lc` 1) would construct; keep any other mapping."""
    path = found.get("id")
    if found.get("lc") not in (1, 2) or found.get("type") != "constructor" or not isinstance(path, list) or not path:
        return found
    positional = found.get("args")
    return _reduced(path[-1], positional if isinstance(positional, list) else [], found.get("kwargs"))


def _from_msgpack(data: bytes, depth: int) -> Any:
    try:
        import ormsgpack
    except ImportError:
        raise MissingExtra(
            "reading LangGraph's checkpoints needs LangGraph: pip install 'otel-mas[langgraph]'"
        ) from None
    if depth > _DEEPEST:
        raise ValueError(f"it is nested more than {_DEEPEST} objects deep")

    def plain(code: int, inner: bytes) -> Any:
        if code not in (_SINGLE, _POSITIONAL, _KEYWORDS):
            return None
        found = _from_msgpack(inner, depth + 1)
        if not isinstance(found, Sequence) or len(found) < 3:
            return None
        given = found[2]
        if code == _KEYWORDS:
            return _reduced(found[1], [], given)
        return _reduced(found[1], given if code == _POSITIONAL and isinstance(given, Sequence) else [given], None)

    return ormsgpack.unpackb(data, ext_hook=plain, option=ormsgpack.OPT_NON_STR_KEYS)


def _reduced(name: object, positional: Sequence[Any], keywords: object) -> Any:
    """A set as a tuple, a `Send` as its node's name, an `Interrupt` as its id; nothing of any other object is needed.

    A set's members are not hashed: integers can be chosen so that all of them collide.
    """
    named: Mapping[Any, Any] = keywords if isinstance(keywords, Mapping) else {}
    first = positional[0] if positional else None
    if name in ("set", "frozenset"):
        return tuple(first) if isinstance(first, Sequence) else ()
    if name == "Send":
        return first if positional else named.get("node")
    if name == "Interrupt":
        return named.get("id") or named.get("interrupt_id")
    return None
