"""Encode and redact attributes, remembering the pairs: the same ones come on span after span."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Any

import orjson

from otel_mas.otlp.encode import alike, key_value
from otel_mas.otlp.wire import delimited, utf8
from otel_mas.privacy.stored import MAX_ID_CHARS, RANDOM_IDS, STRIPPED, Privacy
from otel_mas.store.columns import Column

_MAX_PAIRS = 16_384  # 10 MB at most, with the longest texts
_MAX_TEXT = 256  # characters; longer texts seldom repeat
_MAX_ITEMS = 8
_MAX_HEADS = 1024
_NO_PLACE = -1
_UNNAMED = "an attribute"  # whose name could not be redacted

_double = struct.Struct("<d").pack

_Encoded = tuple[type, bytes, int, object]
"""Type of the value, its field on the wire, its place among the columns (or -1), what the column holds."""


class AttributePairs:
    """Encodes attributes behind one tag of their message.

    Args:
        tag: of the field.
        privacy: decides what is stored.
        columns: of the store, whose values are wanted too.
    """

    __slots__ = ("_columns", "_heads", "_memo", "_privacy", "_tag")

    def __init__(self, tag: bytes, privacy: Privacy, columns: Sequence[Column] = ()) -> None:
        self._tag = tag
        self._privacy = privacy
        self._columns = {column.attribute: (place, column) for place, column in enumerate(columns)}
        self._memo: dict[tuple[str, Any], _Encoded] = {}
        # The bytes before those of a value that seldom repeats: the same for all of one name, type and size.
        self._heads: dict[tuple[str, type, int], tuple[bytes, int]] = {}

    def encode(
        self,
        attributes: Any,
        withheld: list[str],
        columns: dict[int, object],
    ) -> list[bytes]:
        """Encode a span's, event's or link's attributes.

        Args:
            attributes: the SDK's, or any mapping, or None.
            withheld: gets the names of those that could not be redacted; they are left out.
            columns: gets the columns' values, each in its place.
        """
        fields: list[bytes] = []
        # BoundedAttributes' own dict: its Python methods would cost more than the encoding.
        pairs = getattr(attributes, "_dict", attributes)
        if not pairs:
            return fields
        remembered = self._memo.get
        for pair in pairs.items():
            try:
                found = remembered(pair)
            except TypeError:  # a mapping inside
                found = None
            # 1 == True == 1.0, and the wire tells them apart.
            if found is None or found[0] is not type(pair[1]):
                found = self._new(pair, withheld)
            _, field, place, value = found
            fields.append(field)
            if place >= 0:
                columns[place] = value
        return fields

    def _new(self, pair: tuple[str, Any], withheld: list[str]) -> _Encoded:
        name, value = pair
        kind = type(value)
        data = _data(name, value, kind)
        nothing = (kind, b"", _NO_PLACE, None)
        shown = _UNNAMED
        try:
            shown = self._privacy.name(name)
            head = None if data is None else self._heads.get((name, kind, len(data)))
            if data is not None and head is not None and kind is float:
                return kind, head[0] + data, head[1], value
            stored = self._privacy.attribute(name, value)
        except Exception:
            withheld.append(shown)  # and not remembered: the next span has to say so too
            return nothing
        if data is not None and head is not None and stored is value:
            return kind, head[0] + data, head[1], value
        if stored is STRIPPED:
            return nothing
        try:
            field = delimited(self._tag, key_value(shown, stored))
        except (TypeError, ValueError):  # OTLP cannot hold it; the stock encoder leaves it out as well
            return nothing
        place, column = self._columns.get(name, (_NO_PLACE, None))
        held = None if column is None else _column_value(stored, column)
        if data is not None and stored is value and (column is None or held == value):
            if len(self._heads) >= _MAX_HEADS:
                self._heads.clear()
            self._heads[name, kind, len(data)] = field[: -len(data)], place
        encoded = (kind, field, place, held)
        if data is None and _repeats(value):
            if len(self._memo) >= _MAX_PAIRS:
                self._memo.clear()
            self._memo[pair] = encoded
        return encoded


def _data(name: str, value: Any, kind: type) -> bytes | None:
    """The last bytes of the field of a value that seldom repeats, the only ones that differ; None for other values."""
    if kind is float:
        return _double(value)
    if name not in RANDOM_IDS:
        return None
    if kind is str:
        return value.encode() if 0 < len(value) <= MAX_ID_CHARS and value.isascii() else None
    return alike(value) if kind is tuple else None


def _repeats(value: Any) -> bool:
    """Whether a value is worth remembering."""
    if isinstance(value, str):
        return len(value) <= _MAX_TEXT
    if isinstance(value, tuple):
        return len(value) <= _MAX_ITEMS and all(isinstance(item, str) and len(item) <= _MAX_TEXT for item in value)
    return isinstance(value, int)


def _column_value(value: Any, column: Column) -> object:
    """The value as SQLite can bind it."""
    if column.json or not isinstance(value, str | int | float | bytes):
        try:
            return orjson.dumps(value, default=str, option=orjson.OPT_NON_STR_KEYS).decode()
        except (TypeError, ValueError):
            return _repaired(value)
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, str):
        return utf8(value).decode()
    return value


def _repaired(value: Any) -> str | None:
    """A JSON array of texts without their lone surrogates; None for what no column can hold."""
    if isinstance(value, list | tuple) and all(isinstance(one, str) for one in value):
        return orjson.dumps([utf8(one).decode() for one in value]).decode()
    return None


__all__ = ["AttributePairs"]
