"""What of a span and of its content may be written down, by content mode."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import Any, Final

from otel_mas.config import Content
from otel_mas.model.content import Rule, holds_text, rule
from otel_mas.record.snapshot import tagged
from otel_mas.semconv import attributes as names
from otel_mas.store.redact import is_secret_key, redact_text, redact_value

# Made by machines of ids, digests and enum members: nothing to find in them, and a new one on every span.
_GENERATED: Final = frozenset(
    {
        names.GEN_AI_RESPONSE_ID,
        names.GEN_AI_TOOL_CALL_ID,
        names.MAS_CAUSE_KINDS,
        names.MAS_CAUSE_SPANS,
        names.MAS_CHECKPOINT_ID,
        names.MAS_CHECKPOINT_LAST_ID,
        names.MAS_ERROR_SPAN,
        names.MAS_INPUT_MESSAGES,
        names.MAS_INTERRUPT_IDS,
        names.MAS_LINK_KIND,
        names.MAS_OUTPUT_MESSAGES,
        names.MAS_RECORD_KIND,
        names.MAS_STATE_DIGESTS,
        names.MAS_TASK_ID,
    }
)
DRAWN: Final = _GENERATED - {names.MAS_CAUSE_KINDS, names.MAS_LINK_KIND, names.MAS_RECORD_KIND}
"""Attributes of ids and digests: their values seldom come back, and are stored as they are."""
ID: Final = 128
"""Characters: what is longer than an id is looked at all the same."""
_MAX_NAMES = 4096


class _Treatment(enum.Enum):
    """How the values under a name are treated."""

    GENERATED = enum.auto()
    KNOWN = enum.auto()
    UNKNOWN = enum.auto()
    CONTENT = enum.auto()
    SECRET = enum.auto()


_WITHOUT_TEXT = frozenset({_Treatment.UNKNOWN, _Treatment.SECRET})

STRIPPED: Final = object()
"""In place of a value that the content mode keeps out of the store."""


class Privacy:
    """The content mode, applied.

    `full` stores everything as it is: nothing is redacted, secrets included. `redacted` stores everything, with what
    looks like a secret replaced. `none` stores no content: attributes that hold it are left out, whoever set them, as
    are status descriptions and text under names that nobody knows (`otel_mas.model.content`); the rest is redacted.

    Its methods raise what redaction raises: the caller then withholds the value.
    """

    __slots__ = ("_treatments", "content")

    def __init__(self, content: Content) -> None:
        self.content = content
        self._treatments: dict[str, _Treatment] = {}

    def attribute(self, name: str, value: Any) -> Any:
        """The value to store under this name, or STRIPPED. Of numbers and booleans only the name matters."""
        if self.content == "full":
            return value
        treatment = self._treatments.get(name) or self._treatment(name)
        if treatment is _Treatment.GENERATED and (type(value) is tuple or (type(value) is str and len(value) <= ID)):
            return value
        if self.content == "none" and (
            treatment is _Treatment.CONTENT or (treatment in _WITHOUT_TEXT and holds_text(value))
        ):
            return STRIPPED
        if treatment is _Treatment.SECRET:
            return redact_value({name: value})[name]
        if isinstance(value, str):
            return redact_text(value)
        return value if isinstance(value, bool | int | float) else _without_secrets(value)

    def _treatment(self, name: str) -> _Treatment:
        known = rule(name)
        if name in _GENERATED:
            treatment = _Treatment.GENERATED
        elif known is Rule.KEEP:
            treatment = _Treatment.KNOWN
        elif known is Rule.WITHHOLD and self.content == "none":
            treatment = _Treatment.CONTENT
        elif is_secret_key(name):
            treatment = _Treatment.SECRET
        else:
            treatment = _Treatment.CONTENT if known is Rule.WITHHOLD else _Treatment.UNKNOWN
        if len(self._treatments) >= _MAX_NAMES:
            self._treatments.clear()
        self._treatments[name] = treatment
        return treatment

    def text(self, text: str) -> str:
        """A name of a span or an event."""
        return text if self.content == "full" else redact_text(text)

    def description(self, text: str) -> str:
        """A status description, which is an exception's message more often than not."""
        return "" if self.content == "none" else self.text(text)

    def value(self, name: str, value: Any) -> Any:
        """Content that travels beside a span, or a message; a snapshot, which it may change."""
        if self.content == "full":
            return value
        return redact_value({name: _tagged_bytes(value)})[name]


def _without_secrets(value: Any) -> Any:
    """As `redact_value`, but what OTLP can hold stays of its type."""
    if isinstance(value, bytes):
        text = _redacted_bytes(value)
        return value if text is None else text.encode()
    if isinstance(value, tuple | list) and any(isinstance(item, bytes | tuple | list | dict) for item in value):
        return [_without_secrets(item) for item in value]
    if isinstance(value, Mapping) and any(isinstance(item, bytes | tuple | list | dict) for item in value.values()):
        return {
            key: redact_value({key: item})[key] if is_secret_key(str(key)) else _without_secrets(item)
            for key, item in value.items()
        }
    return redact_value(value)


def _redacted_bytes(value: bytes) -> str | None:
    """The text without its secrets; None where there are none."""
    text = value.decode(errors="replace")
    redacted = redact_text(text)
    return None if redacted == text else redacted


def _tagged_bytes(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _tagged_bytes(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_tagged_bytes(item) for item in value]
    if isinstance(value, bytes):
        text = _redacted_bytes(value)
        return tagged(value) if text is None else text
    return value


__all__ = ["DRAWN", "ID", "STRIPPED", "Privacy"]
