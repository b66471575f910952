"""Canonical form v1: the bytes of a message that its digest is taken over. Specified in docs/messages.md."""

from __future__ import annotations

import base64
import binascii
import json
import math
import struct
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from otel_mas.record.content.snapshot import snapshot

_MAGIC = b"otel-mas message 1\0"
_VALUE_MAGIC = b"otel-mas value 1\0"
_LENGTH = struct.Struct(">Q").pack
_DOUBLE = struct.Struct(">d").pack
_NAN = b"d\x7f\xf8\0\0\0\0\0\0"
_MAX_PARSED = 1 << 17  # characters of JSON: 3 ms on the app's thread
_NOT_FINITE = {text: float(text) for text in ("nan", "inf", "-inf")}
_EXACT = 2**53  # below it a float without a fraction is the same number as the integer

# The fields of a part that count, in this order; its other fields are transport.
_FIELDS: dict[str, tuple[str, ...]] = {
    "text": ("content",),
    "reasoning": ("content",),
    "tool_call": ("id", "name", "arguments"),
    "tool_call_response": ("id", "response"),
    "uri": ("modality", "uri"),
    "file": ("modality", "file_id"),
    "blob": ("modality", "mime_type", "content"),
}


def canonical_form(role: str, parts: Sequence[Mapping[str, Any]]) -> bytes:
    """The canonical bytes of a message.

    Args:
        role: `system`, `user`, `assistant`, `tool` or another.
        parts: as in GenAI semantic conventions: mappings with `type` and that type's fields, content unredacted.

    Returns:
        Bytes that are equal exactly if role and parts are.
    """
    if len(parts) == 1 and parts[0].get("type") == "text" and type(text := parts[0].get("content")) is str:
        data = text.encode("utf-8", "surrogatepass")  # most messages: in a third of the time
        return _before_text(role) + _LENGTH(len(data)) + data
    return _general_form(role, parts)


@lru_cache(maxsize=64)
def _before_text(role: str) -> bytes:
    return _general_form(role, [{"type": "text", "content": ""}])[: -len(_LENGTH(0))]


def _general_form(role: str, parts: Sequence[Mapping[str, Any]]) -> bytes:
    out = [_MAGIC, _text(role), _LENGTH(len(parts))]
    for part in parts:
        kind = str(part.get("type", ""))
        out.append(_text(kind))
        fields = _FIELDS.get(kind)
        if fields is None:
            out.append(_value({name: value for name, value in part.items() if name != "type"}))
            continue
        convert = _CONVERT.get(kind)
        for name in fields:
            value = part.get(name)
            out.append(_value(convert(name, value) if convert is not None else value))
    return b"".join(out)


def canonical_value(value: Any) -> bytes:
    """The canonical bytes of a value that is no message, such as one of a state: a snapshot, of what JSON can hold."""
    return _VALUE_MAGIC + _value(value)


def _arguments(name: str, value: Any) -> Any:
    """Arguments are the same whether they travel as JSON text or parsed."""
    if name != "arguments" or not isinstance(value, str) or len(value) > _MAX_PARSED:
        return value
    try:
        parsed = json.loads(value)
    except (ValueError, RecursionError):
        return value
    return snapshot(parsed)[0] if isinstance(parsed, dict) else value


def _blob(name: str, value: Any) -> Any:
    """Bytes are the same whether they travel as base64 or raw."""
    if name != "content" or not isinstance(value, str):
        return value
    try:
        return base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        return value


_CONVERT: dict[str, Callable[[str, Any], Any]] = {"tool_call": _arguments, "blob": _blob}


def _text(text: str) -> bytes:
    data = text.encode("utf-8", "surrogatepass")
    return b"s" + _LENGTH(len(data)) + data


def _value(value: Any) -> bytes:
    if isinstance(value, str):
        return _text(value)
    if value is None:
        return b"n"
    if isinstance(value, bool):
        return b"t" if value else b"f"
    if isinstance(value, int):
        digits = b"%d" % value
        return b"i" + _LENGTH(len(digits)) + digits
    if isinstance(value, float):
        return _float(value)
    if isinstance(value, bytes | bytearray | memoryview):
        data = bytes(value)
        return b"b" + _LENGTH(len(data)) + data
    if isinstance(value, Mapping):
        if len(value) == 1 and (number := _tagged(value)) is not None:
            return number
        pairs = sorted((_text(str(key)), _value(item)) for key, item in value.items())
        return b"m" + _LENGTH(len(pairs)) + b"".join(key + item for key, item in pairs)
    if isinstance(value, Sequence):
        return b"l" + _LENGTH(len(value)) + b"".join(map(_value, value))
    return _text(str(value))


def _tagged(value: Mapping[Any, Any]) -> bytes | None:
    """A number that JSON cannot hold, as a snapshot has it."""
    ((name, text),) = value.items()
    if name == "$int" and isinstance(text, str):
        digits = text.encode("utf-8", "surrogatepass")
        return b"i" + _LENGTH(len(digits)) + digits
    return _value(_NOT_FINITE[text]) if name == "$float" and text in _NOT_FINITE else None


def _float(value: float) -> bytes:
    if math.isnan(value):
        return _NAN
    if value.is_integer() and -_EXACT < value < _EXACT:
        return _value(int(value))
    return b"d" + _DOUBLE(value)


__all__ = ["canonical_form", "canonical_value"]
