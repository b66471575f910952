"""The policy for content, by the names of attributes, where content is not wanted.

It holds for the store with `OTEL_MAS_CONTENT=none` and for spans that leave the machine, for attributes of spans,
events, links, resources and scopes alike. The names are in `semconv/model` and `semconv/dialects.toml`.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import Any

from otel_mas.semconv import ContentClass, content_class


class Rule(enum.Enum):
    """The treatment of the values under a name."""

    KEEP = enum.auto()
    """Structure or an id: keep all of it."""
    WITHHOLD_TEXT = enum.auto()
    """The name is unknown: keep numbers and booleans, alone or in a list."""
    WITHHOLD = enum.auto()
    """Content: keep nothing."""


def rule(name: str) -> Rule:
    """The rule for an attribute of this name."""
    kind = content_class(name)
    if kind is None:
        return Rule.WITHHOLD_TEXT
    return Rule.WITHHOLD if kind is ContentClass.CONTENT else Rule.KEEP


def holds_text(value: Any) -> bool:
    """Tell whether there is text or bytes in an attribute's value; the keys of a mapping are text."""
    if isinstance(value, str | bytes | bytearray):
        return len(value) > 0
    if isinstance(value, Mapping):
        return len(value) > 0
    if isinstance(value, tuple | list):
        return any(map(holds_text, value))
    return not isinstance(value, bool | int | float | None)


__all__ = ["Rule", "holds_text", "rule"]
