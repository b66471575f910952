"""Content made to fit a size: JSON values and messages, shortened until their text is no longer than that."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import orjson

CUT: Final = "cut"
"""Type of a part in place of messages that were left out, or of a message that was not read."""
_STEPS = ((8192, 400), (2048, 100), (512, 40), (128, 16), (32, 6))
"""Characters of a text, and items of a list or mapping, that are left at each try."""


def fit(value: Any, limit: int) -> tuple[str, bool]:
    """JSON text of at most `limit` bytes, and whether the value was cut for it.

    Of a text its beginning is kept; of a list or mapping its first items.
    """
    text = _json(value)
    if len(text) <= limit:
        return text.decode(), False
    for characters, items in _STEPS:
        shorter = _json(_shortened(value, characters, items))
        if len(shorter) <= limit:
            return shorter.decode(), True
    return _json(f"cut: {len(text):,} bytes").decode(), True


def fit_messages(messages: list[dict[str, Any]], limit: int) -> tuple[str, bool]:
    """JSON text of messages, as `fit`: texts are shortened, then the oldest messages left out, the first one last."""
    text = _json(messages)
    if len(text) <= limit:
        return text.decode(), False
    for characters, items in _STEPS:
        shorter = [_shortened(message, characters, items) for message in messages]
        sizes = [len(_json(message)) + 1 for message in shorter]
        room = limit - sizes[0] - len(_json([left_out(messages)])) - 1
        kept = len(shorter)
        while kept > 1 and room >= sizes[kept - 1]:
            kept -= 1
            room -= sizes[kept]
        if room >= 0 and (kept < len(shorter) or len(shorter) == 1):
            between = [left_out(messages[1:kept])] if kept > 1 else []
            return _json([shorter[0], *between, *shorter[kept:]]).decode(), True
    return _json([left_out(messages)]).decode(), True


def left_out(messages: Sequence[dict[str, Any]], more: int = 0) -> dict[str, Any]:
    """A message in place of those that were left out, and of those that had been before."""
    counts = (part.get("messages", 1) if (part := _cut_part(message)) else 1 for message in messages)
    return {"role": "system", "parts": [{"type": CUT, "messages": more + sum(counts)}]}


def _cut_part(message: dict[str, Any]) -> dict[str, Any] | None:
    return next((part for part in message["parts"] if isinstance(part, dict) and part.get("type") == CUT), None)


def _shortened(value: Any, characters: int, items: int) -> Any:
    if isinstance(value, str):
        gone = len(value) - characters
        return value if gone <= 0 else f"{value[:characters]}… (cut: {gone:,} more characters)"
    if isinstance(value, list):
        kept = [_shortened(item, characters, items) for item in value[:items]]
        return kept if len(value) <= items else [*kept, f"cut: {len(value) - items:,} more"]
    if isinstance(value, dict):
        pairs = list(value.items())
        short = {key[:characters]: _shortened(item, characters, items) for key, item in pairs[:items]}
        return short if len(pairs) <= items else {**short, "…": f"cut: {len(pairs) - items:,} more"}
    return value


def _json(value: Any) -> bytes:
    return orjson.dumps(value)


__all__ = ["CUT", "fit", "fit_messages", "left_out"]
