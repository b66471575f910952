"""What content looks like when it is taken down: immutable parts by reference, containers copied, sizes known."""

from __future__ import annotations

import base64
import dataclasses
import datetime
import decimal
import enum
import pathlib
import uuid
from collections import UserDict, deque
from collections.abc import Iterable, Mapping
from itertools import islice
from types import MappingProxyType
from typing import Any

import orjson

_MAX_NODES = 20_000  # of one content: 2 ms on the app's thread; longer lists are cut, and say so
_MAX_DEPTH = 32
_CUT = "… (cut by otel-mas)"
_INT64 = range(-(2**63), 2**63)
_AS_TEXT = (decimal.Decimal, uuid.UUID, datetime.date, datetime.time, datetime.timedelta, pathlib.PurePath, complex)
_KEYS = (str, int, float, type(None), *_AS_TEXT)
_MAX_KEY = 1024
_MAX_KEY_PARTS = 8
_NODE = 16  # bytes a node costs beyond its text


class Copy:
    """One copy under way: how many nodes it has so far, about how many bytes, and whether any of it was left out."""

    __slots__ = ("cut", "limit", "nodes", "size")

    def __init__(self, limit: int = _MAX_NODES) -> None:
        self.limit = limit
        self.nodes = 0
        self.size = 0
        self.cut = False

    def of(self, value: Any, depth: int = 0) -> Any:
        self.nodes += 1
        self.size += _NODE
        if self.nodes > self.limit or depth > _MAX_DEPTH:
            self.cut = True
            return _CUT
        kind = type(value)
        if kind is str:
            self.size += len(value)
            return value
        if kind is bool or value is None:
            return value
        if kind is int:
            return value if value in _INT64 else {"$int": str(value)}
        if kind is float:
            return value if value - value == 0 else {"$float": str(value)}
        if kind is bytes:
            self.size += len(value)
            return value
        return self._other(value, depth)

    def _other(self, value: Any, depth: int) -> Any:
        # No other mappings, sequences and sets: what reads a file or a database is app code.
        if isinstance(value, dict | MappingProxyType | UserDict):
            return self._mapping(value, depth)
        if isinstance(value, list | tuple | set | frozenset | deque):
            fields = getattr(type(value), "_fields", None) if isinstance(value, tuple) else None
            if type(fields) is tuple and len(fields) == len(value):  # a named tuple: its names say what is secret
                return self._mapping(dict(zip(fields, value, strict=True)), depth)
            return self._items(value, depth)
        if isinstance(value, enum.Enum):
            return self.of(value.value, depth + 1)
        if isinstance(value, str):
            return self.of(str.__str__(value), depth + 1)
        if isinstance(value, bytearray | memoryview):
            return self.of(bytes(value), depth + 1)
        if isinstance(value, int | float):
            return self.of(int(value) if isinstance(value, int) else float(value), depth + 1)
        if isinstance(value, _AS_TEXT):
            return self.of(str(value), depth + 1)
        return self._object(value, depth)

    def _object(self, value: Any, depth: int) -> Any:
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            fields = {field.name: getattr(value, field.name, None) for field in dataclasses.fields(value)}
            return self._mapping(fields, depth)
        if hasattr(type(value), "model_fields"):  # pydantic's: its fields are its __dict__
            return self._mapping(value.__dict__, depth)
        return self._opaque(value)

    def _opaque(self, value: Any) -> Any:
        # Never its repr: that is app code, which may be slow, have effects, or fail.
        kind = type(value)
        return f"<{kind.__module__}.{kind.__qualname__}>"

    def _mapping(self, value: Mapping[Any, Any], depth: int) -> dict[str, Any]:
        copied: dict[str, Any] = {}
        for key, item in list(islice(value.items(), self.limit + 1)):
            if self.nodes > self.limit:
                self.cut = True
                copied[_CUT] = None
                break
            copied[self._key(key)] = self.of(item, depth + 1)
        return copied

    def _items(self, value: Iterable[Any], depth: int) -> list[Any]:
        items = list(islice(value, self.limit + 1))
        if len(items) > self.limit:
            items[self.limit :] = [_CUT]
            self.cut = True
        copied = []
        for item in items:
            copied.append(self.of(item, depth + 1))
            if self.nodes > self.limit:
                self.cut = True
                break
        return copied

    def _key(self, key: Any) -> str:
        if type(key) is not str:
            key = self._key_text(key)
        self.size += len(key) + _NODE
        return str(key)

    def _key_text(self, key: Any, depth: int = 0) -> str:
        """The key as text: what is secret is told by names, so those of bytes, enums and tuples are kept."""
        kind = type(key)
        if kind is bytes:
            return key.decode("utf-8", "replace") if len(key) <= _MAX_KEY else f"<{kind.__qualname__}>"
        if isinstance(key, enum.Enum):
            return key._value_ if type(key._value_) is str else key._name_
        if isinstance(key, tuple | frozenset) and len(key) <= _MAX_KEY_PARTS and depth < _MAX_KEY_PARTS:
            return f"({', '.join(self._key_text(part, depth + 1) for part in key)})"
        return str(key) if isinstance(key, _KEYS) else f"<{kind.__qualname__}>"


def snapshot(value: Any) -> tuple[Any, int]:
    """A copy that later changes of `value` do not reach, made of dict, list, str, int, float, bool, None and bytes.

    Strings and bytes are shared with the original, not copied. Numbers that JSON cannot hold become `{"$int": text}` or
    `{"$float": text}`; objects that are neither data classes nor pydantic models become the name of their type.

    Returns:
        The copy, and about how many bytes it keeps alive.
    """
    copy = Copy()
    return copy.of(value), copy.size


def cut_texts(value: Any, limit: int) -> Any:
    """A value, plain like a snapshot, with texts of no more than `limit` characters together.

    A text that is cut says how many characters are left out, a list or mapping how many items.
    """
    return _cut(value, [limit])


def _cut(value: Any, left: list[int]) -> Any:
    kind = type(value)
    if kind is str or kind is bytes:
        size = len(value)
        if size > left[0]:
            mark = f"… (cut by otel-mas: {size - left[0]:,} more)"
            value = value[: left[0]] + (mark if kind is str else mark.encode())
        left[0] = max(0, left[0] - size)
        return value
    if kind is dict:
        return _cut_mapping(value, left)
    if kind is not list and kind is not tuple:
        return value
    kept: list[Any] = []
    for item in value:
        if not left[0]:
            kept.append(f"… (cut by otel-mas: {len(value) - len(kept):,} more)")
            break
        kept.append(_cut(item, left))
    return kept if kind is list else tuple(kept)


def _cut_mapping(value: dict[Any, Any], left: list[int]) -> dict[Any, Any]:
    kept: dict[Any, Any] = {}
    for key, item in value.items():
        if not left[0]:
            kept[f"… (cut by otel-mas: {len(value) - len(kept):,} more)"] = None
            break
        key = _cut(key, left)
        kept[key] = _cut(item, left)
    return kept


def to_json(value: Any) -> bytes:
    """A snapshot, redacted or not, as JSON. Bytes become `{"$bytes": base64}`."""
    try:
        return orjson.dumps(value, default=_default)
    except TypeError:  # lone surrogates, which UTF-8 and so JSON cannot hold
        return orjson.dumps(_without_surrogates(value), default=_default)


def tagged(value: bytes) -> dict[str, str]:
    """Bytes as JSON holds them."""
    return {"$bytes": base64.b64encode(value).decode()}


def _default(value: Any) -> Any:
    return tagged(value) if isinstance(value, bytes) else str(value)


def _without_surrogates(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode(errors="replace").decode()
    if isinstance(value, dict):
        return {_without_surrogates(key): _without_surrogates(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_without_surrogates(item) for item in value]
    return value


__all__ = ["Copy", "cut_texts", "snapshot", "tagged", "to_json"]
