"""Messages and other content as text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

_WITHHELD = "$withheld"


def written(body: Mapping[str, Any]) -> str:
    """A message's parts as text: what was said, which tools were called with what, what they answered."""
    parts = body.get("parts")
    if not isinstance(parts, (list, tuple)):
        return text_of(body.get("content"))
    return "\n".join(filter(None, (_part(part) for part in parts)))


def _part(part: Any) -> str:
    if not isinstance(part, Mapping):
        return text_of(part)
    kind = part.get("type")
    if kind == "tool_call":
        return f"calls {text_of(part.get('name'))}({text_of(part.get('arguments'))})"
    if kind == "tool_call_response":
        return text_of(part.get("response", part.get("result")))
    if "content" in part:
        content = text_of(part["content"])
        return content if kind == "text" else f"[{text_of(kind)}] {content}"
    return f"[{text_of(kind) or 'part'}] {text_of({name: part[name] for name in part if name != 'type'})}"


def text_of(value: Any) -> str:
    """A recorded value as text: strings as they are, anything else as JSON."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    try:
        return orjson.dumps(value, default=str, option=orjson.OPT_NON_STR_KEYS).decode()
    except (TypeError, ValueError, RecursionError):
        return str(value)


def lines_of(value: Any) -> str:
    """A recorded value as lines: one for each item of a list, or for each field of a mapping."""
    if isinstance(value, Mapping):
        return "\n".join(f"{text_of(name)}: {text_of(field)}" for name, field in value.items())
    if isinstance(value, (list, tuple)):
        return "\n".join(lines_of(one) if len(value) == 1 else text_of(one) for one in value)
    return text_of(value)


def withheld(value: Any) -> str | None:
    """The reason why content was withheld; None where it was not."""
    reason = value.get(_WITHHELD) if isinstance(value, Mapping) and len(value) == 1 else None
    return None if reason is None else text_of(reason)


__all__ = ["lines_of", "text_of", "withheld", "written"]
