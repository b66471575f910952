"""Plain values (dict, list, text, bytes, numbers): long texts are cut, and bytes are tagged, as JSON has none.

Texts are cut before they are redacted, so that redaction takes a bounded time. Loads no rules of redaction, since the
app's threads use it.
"""

from __future__ import annotations

import base64
from typing import Any


def cut_texts(value: Any, limit: int) -> Any:
    """A value, plain like a snapshot, with texts of no more than `limit` characters together.

    A cut text ends with the number of missing characters, a list or mapping with that of items.
    """
    return _cut(value, [limit])


def _cut(value: Any, left: list[int]) -> Any:
    kind = type(value)
    if kind is str or kind is bytes:
        size = len(value)
        if size > left[0]:
            mark = more_note(size - left[0])
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
            kept.append(more_note(len(value) - len(kept)))
            break
        kept.append(_cut(item, left))
    return kept if kind is list else tuple(kept)


def _cut_mapping(value: dict[Any, Any], left: list[int]) -> dict[Any, Any]:
    kept: dict[Any, Any] = {}
    for key, item in value.items():
        if not left[0]:
            kept[more_note(len(value) - len(kept))] = None
            break
        key = _cut(key, left)
        kept[key] = _cut(item, left)
    return kept


def more_note(count: int) -> str:
    """The mark for the rest of a list, a mapping or a text that was cut."""
    return f"… (cut by otel-mas: {count:,} more)"


def tagged(value: bytes) -> dict[str, str]:
    """Bytes as JSON holds them."""
    return {"$bytes": base64.b64encode(value).decode()}
