"""What content looks like when it is taken down: immutable parts by reference, containers copied, sizes known."""

from __future__ import annotations

import base64
import datetime
import decimal
import enum
import gc
import pathlib
import uuid
from collections import UserDict, deque
from collections.abc import Callable, Iterable
from itertools import islice
from types import GetSetDescriptorType, MappingProxyType, MemberDescriptorType
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

    __slots__ = ("_inside", "cut", "limit", "nodes", "size")

    def __init__(self, limit: int = _MAX_NODES) -> None:
        self.limit = limit
        self.nodes = 0
        self.size = 0
        self.cut = False
        self._inside: set[int] = set()

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
        # By its type, never by `isinstance`, which asks the value for its class; read by the methods of the built-in
        # types, never by its own: those are app code. For the same reason no other mappings, sequences and sets.
        kind = type(value)
        if id(value) in self._inside:
            self.cut = True
            return _CYCLE
        self._inside.add(id(value))
        try:
            for base, read in _BASES:
                if issubclass(kind, base):
                    return read(self, value, depth)
            return self._object(value, depth)
        except RuntimeError:  # changed meanwhile by another thread
            self.cut = True
            return _CUT
        finally:
            self._inside.discard(id(value))

    def _object(self, value: Any, depth: int) -> Any:
        own = own_fields(value)
        kind = type(value)
        fields = _declared(kind, "__dataclass_fields__")
        if fields is not None:
            return self._mapping({name: own[name] for name in fields if name in own}, depth)
        if any(_declared(kind, name) is not None for name in _MODEL_FIELDS):  # pydantic's: its fields are its __dict__
            return self._mapping({name: own[name] for name in own if not name.startswith("__")}, depth)
        return self._opaque(value)

    def _opaque(self, value: Any) -> Any:
        # Never its repr: that is app code, which may be slow, have effects, or fail.
        kind = type(value)
        module = _MODULE(kind)
        return f"<{module if type(module) is str else '?'}.{_QUALNAME(kind)}>"

    def _mapping(self, value: dict[Any, Any], depth: int) -> dict[str, Any]:
        copied: dict[str, Any] = {}
        for key, item in list(islice(dict.items(value), self.limit + 1)):
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


_CYCLE = "… (a cycle: cut by otel-mas)"
_MODEL_FIELDS = ("__pydantic_fields__", "model_fields", "__fields__")
_MRO = type.__dict__["__mro__"].__get__
_NAMESPACE = type.__dict__["__dict__"].__get__
_MODULE = type.__dict__["__module__"].__get__
_QUALNAME = type.__dict__["__qualname__"].__get__


def own_fields(value: Any) -> dict[str, Any]:
    """What an object keeps in its `__dict__` and its slots, without running its code: properties, `__getattr__`."""
    kind, found = type(value), {}
    for base in reversed(_MRO(kind)):
        for name, member in list(_NAMESPACE(base).items()):
            if type(member) is MemberDescriptorType:
                try:
                    found[name] = member.__get__(value, kind)
                except AttributeError:  # not set
                    pass
            elif name == "__dict__" and type(member) is GetSetDescriptorType:
                own = member.__get__(value, kind)
                if type(own) is dict:
                    found |= own
    return found


def _declared(kind: type, name: str) -> dict[str, Any] | None:
    fields = next((space[name] for base in _MRO(kind) if name in (space := _NAMESPACE(base))), None)
    return fields if type(fields) is dict else None


def _tuple(copy: Copy, value: Any, depth: int) -> Any:
    kind = type(value)
    names = next((space["_fields"] for base in _MRO(kind) if "_fields" in (space := _NAMESPACE(base))), None)
    if type(names) is tuple and len(names) == tuple.__len__(value):  # a namedtuple
        return copy._mapping(dict(zip(names, tuple.__iter__(value), strict=True)), depth)
    return copy._items(tuple.__iter__(value), depth)


def _number_or_bytes(copy: Copy, value: Any, depth: int) -> Any:
    kind = type(value)
    if issubclass(kind, int):
        return copy.of(int.__add__(value, 0), depth + 1)
    if issubclass(kind, float):
        return copy.of(float.__add__(value, 0.0), depth + 1)
    return copy.of(bytes(value) if kind in (bytearray, memoryview) else bytes.__add__(value, b""), depth + 1)


def _as_text(copy: Copy, value: Any, depth: int) -> Any:
    kind = type(value)
    zone = type(getattr(value, "tzinfo", None)) if kind in (datetime.datetime, datetime.time) else type(None)
    known = kind.__module__ in _STANDARD and zone.__module__ in _STANDARD
    return copy.of(str(value), depth + 1) if known else copy._opaque(value)


# How values are read, by the first type in this order that theirs is or inherits from.
_STANDARD = frozenset(("builtins", "decimal", "uuid", "datetime", "pathlib", "pathlib._local", "zoneinfo"))
_Read = Callable[[Copy, Any, int], Any]
_BASES: tuple[tuple[Any, _Read], ...] = (
    (dict, lambda copy, value, depth: copy._mapping(value, depth)),
    (list, lambda copy, value, depth: copy._items(list.__iter__(value), depth)),
    (tuple, lambda copy, value, depth: _tuple(copy, value, depth)),
    (set, lambda copy, value, depth: copy._items(set.__iter__(value), depth)),
    (frozenset, lambda copy, value, depth: copy._items(frozenset.__iter__(value), depth)),
    (deque, lambda copy, value, depth: copy._items(deque.__iter__(value), depth)),
    (enum.Enum, lambda copy, value, depth: copy.of(own_fields(value).get("_value_"), depth + 1)),
    (str, lambda copy, value, depth: copy.of(str.__str__(value), depth + 1)),
    ((int, float, bytes, bytearray, memoryview), _number_or_bytes),
    (UserDict, lambda copy, value, depth: copy.of(own_fields(value).get("data"), depth + 1)),
    (MappingProxyType, lambda copy, value, depth: copy.of(gc.get_referents(value)[0], depth + 1)),
    (_AS_TEXT, _as_text),
)


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


__all__ = ["Copy", "cut_texts", "own_fields", "snapshot", "tagged", "to_json"]
