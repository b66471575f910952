"""Copy content: immutable parts by reference, containers copied within bounds, sizes counted."""

from __future__ import annotations

import datetime
import decimal
import enum
import gc
import pathlib
import uuid
import zoneinfo
from collections import UserDict, deque
from collections.abc import Callable, Iterable
from itertools import islice
from types import MappingProxyType
from typing import Any

import orjson

from otel_mas.privacy.plain_values import more_note, tagged
from otel_mas.record.content.fields import declared, field_of, own_fields

_MAX_NODES = 20_000  # of one content: 2 ms on the app's thread; longer lists are cut, and say so
_MAX_DEPTH = 32
_MAX_BITS = 14_000  # of an integer: Python refuses to write out one of more than 4,300 digits
_MAX_COPIED_BYTES = 1 << 20  # of bytes that must be copied, since they can change
_CUT = "… (cut by otel-mas)"
_INT64 = range(-(2**63), 2**63)
_AS_TEXT = (decimal.Decimal, uuid.UUID, datetime.date, datetime.time, datetime.timedelta, pathlib.PurePath, complex)
_PLAIN_KEYS = frozenset((int, float, bool, type(None)))
_PATHS = (pathlib.PurePath, pathlib.PurePosixPath, pathlib.PureWindowsPath, pathlib.PosixPath, pathlib.WindowsPath)
_STANDARD = frozenset((decimal.Decimal, uuid.UUID, datetime.date, datetime.timedelta, complex, *_PATHS))
_ZONES = frozenset((type(None), datetime.timezone, zoneinfo.ZoneInfo))
_MAX_KEY = 1024
_MAX_KEY_PARTS = 8
_MAX_KEY_DEPTH = 2  # of tuples in a key; each level has up to _MAX_KEY_PARTS times as many parts
_NODE = 16  # bytes a node costs beyond its text


class Copy:
    """One copy being made: its nodes, about how many bytes, and whether anything was cut."""

    __slots__ = ("_ancestors", "cut", "limit", "nodes", "size")

    def __init__(self, limit: int = _MAX_NODES) -> None:
        self.limit = limit
        self.nodes = 0
        self.size = 0
        self.cut = False
        self._ancestors: set[int] = set()

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
            return value if value in _INT64 else self._large(value)
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
        if id(value) in self._ancestors:
            self.cut = True
            return _CYCLE
        self._ancestors.add(id(value))
        try:
            for base, read in _BASES:
                if issubclass(kind, base):
                    return read(self, value, depth)
            return self._object(value, depth)
        except (RuntimeError, ValueError):  # changed meanwhile by another thread; a memoryview that was released
            self.cut = True
            return _CUT
        finally:
            self._ancestors.discard(id(value))

    def _large(self, value: int) -> Any:
        if value.bit_length() <= _MAX_BITS:
            return {"$int": str(value)}
        self.cut = True
        return f"<int of {value.bit_length():,} bits>"

    def _object(self, value: Any, depth: int) -> Any:
        own = own_fields(value)
        kind = type(value)
        fields = declared(kind, "__dataclass_fields__")
        if type(fields) is dict:
            return self._mapping({name: own[name] for name in fields if name in own}, depth)
        if any(type(declared(kind, name)) is dict for name in _MODEL_FIELDS):  # pydantic's: its fields are its __dict__
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
            if self.nodes >= self.limit:
                self.cut = True
                copied[more_note(dict.__len__(value) - len(copied))] = None
                break
            copied[self._key(key)] = self.of(item, depth + 1)
        return copied

    def _items(self, values: Iterable[Any], count: int, depth: int) -> list[Any]:
        copied: list[Any] = []
        for item in list(islice(values, self.limit + 1)):
            if self.nodes >= self.limit:
                self.cut = True
                copied.append(more_note(count - len(copied)))
                break
            copied.append(self.of(item, depth + 1))
        return copied

    def _key(self, key: Any) -> str:
        if type(key) is not str:
            key = self._key_text(key)
        self.size += len(key) + _NODE
        return str(key)

    def _key_text(self, key: Any, depth: int = 0) -> str:
        """The key as text. Secrets are recognized by names, so those of bytes, enums and tuples are kept."""
        kind = type(key)
        if issubclass(kind, enum.Enum):
            key = field_of(key, "_value_") if type(field_of(key, "_value_")) is str else field_of(key, "_name_")
            return str(key) if type(key) is str else f"<{_QUALNAME(kind)}>"
        if issubclass(kind, str):
            return str.__str__(key)
        if kind is bytes and len(key) <= _MAX_KEY:
            return str(key.decode("utf-8", "replace"))
        if kind in _PLAIN_KEYS and (kind is not int or key.bit_length() <= _MAX_BITS):
            return str(key)
        base = tuple if issubclass(kind, tuple) else frozenset
        if issubclass(kind, base) and base.__len__(key) <= _MAX_KEY_PARTS and depth < _MAX_KEY_DEPTH:
            return f"({', '.join(self._key_text(part, depth + 1) for part in base.__iter__(key))})"
        return _standard_text(key) or f"<{_QUALNAME(kind)}>"


_PLAIN = orjson.OPT_PASSTHROUGH_SUBCLASS | orjson.OPT_PASSTHROUGH_DATACLASS | orjson.OPT_PASSTHROUGH_DATETIME
_CYCLE = "… (a cycle: cut by otel-mas)"
_MODEL_FIELDS = ("__pydantic_fields__", "model_fields", "__fields__")
_MODULE = type.__dict__["__module__"].__get__
_QUALNAME = type.__dict__["__qualname__"].__get__


def _tuple(copy: Copy, value: Any, depth: int) -> Any:
    kind = type(value)
    names = declared(kind, "_fields")
    if type(names) is tuple and len(names) == tuple.__len__(value):  # a namedtuple
        return copy._mapping(dict(zip(names, tuple.__iter__(value), strict=True)), depth)
    return copy._items(tuple.__iter__(value), tuple.__len__(value), depth)


def _number_or_bytes(copy: Copy, value: Any, depth: int) -> Any:
    kind = type(value)
    if issubclass(kind, int):
        return copy.of(int.__add__(value, 0), depth + 1)
    if issubclass(kind, float):
        return copy.of(float.__add__(value, 0.0), depth + 1)
    if issubclass(kind, bytes):
        return copy.of(bytes.__getitem__(value, slice(None)), depth + 1)
    own = issubclass(kind, bytearray)
    size = bytearray.__len__(value) if own else value.nbytes
    if size > _MAX_COPIED_BYTES:
        copy.cut = True
        return f"<{'bytearray' if own else 'memoryview'} of {size:,} bytes>"
    return copy.of(bytes(bytearray.__getitem__(value, slice(None)) if own else value), depth + 1)


def _as_text(copy: Copy, value: Any, depth: int) -> Any:
    text = _standard_text(value)
    return copy._opaque(value) if text is None else copy.of(text, depth + 1)


def _standard_text(value: Any) -> str | None:
    """The text of a value of the standard library; None for one of another type, a subclass among them."""
    kind = type(value)
    if kind is datetime.datetime or kind is datetime.time:
        return str(value) if type(value.tzinfo) in _ZONES else None
    return str(value) if kind in _STANDARD else None


# How values are read, by the first type in this order that theirs is or inherits from.
_Read = Callable[[Copy, Any, int], Any]
_BASES: tuple[tuple[Any, _Read], ...] = (
    (dict, lambda copy, value, depth: copy._mapping(value, depth)),
    (list, lambda copy, value, depth: copy._items(list.__iter__(value), list.__len__(value), depth)),
    (tuple, lambda copy, value, depth: _tuple(copy, value, depth)),
    (set, lambda copy, value, depth: copy._items(set.__iter__(value), set.__len__(value), depth)),
    (frozenset, lambda copy, value, depth: copy._items(frozenset.__iter__(value), frozenset.__len__(value), depth)),
    (deque, lambda copy, value, depth: copy._items(deque.__iter__(value), deque.__len__(value), depth)),
    (enum.Enum, lambda copy, value, depth: copy.of(field_of(value, "_value_"), depth + 1)),
    (str, lambda copy, value, depth: copy.of(str.__str__(value), depth + 1)),
    ((int, float, bytes, bytearray, memoryview), _number_or_bytes),
    (UserDict, lambda copy, value, depth: copy.of(field_of(value, "data"), depth + 1)),
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


def type_name(value: Any) -> str:
    """The class of an object, with its module unless that is `builtins`."""
    kind = type(value)
    module, name = _MODULE(kind), str(_QUALNAME(kind))
    return f"{module}.{name}" if type(module) is str and module != "builtins" else name


class Json(bytes):
    """A snapshot as JSON text."""

    __slots__ = ()


def json_snapshot(value: Any) -> tuple[Any, int]:
    """A snapshot as `Json`; as `snapshot` makes it where that is not possible. Only of values that are small.

    Returns:
        The copy, and about how many bytes it keeps alive.
    """
    try:
        copied = Json(orjson.dumps(value, option=_PLAIN))
    except (TypeError, ValueError, RuntimeError):  # something else than plain values, or changed by another thread
        return snapshot(value)
    return copied, len(copied)


def plain(value: Any) -> Any:
    """A snapshot as plain values."""
    return orjson.loads(bytes(value)) if type(value) is Json else value


def identifier(value: Any) -> str:
    """An id or a name of the app's as text, whatever it is."""
    return Copy()._key(value)


def to_json(value: Any) -> bytes:
    """A snapshot, redacted or not, as JSON. Bytes become `{"$bytes": base64}`."""
    try:
        return orjson.dumps(value, default=_default)
    except TypeError:  # lone surrogates, which UTF-8 and so JSON cannot hold
        return orjson.dumps(_without_surrogates(value), default=_default)


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


__all__ = ["Copy", "identifier", "json_snapshot", "plain", "snapshot", "to_json", "type_name"]
