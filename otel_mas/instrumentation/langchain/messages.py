"""LangChain's messages as the recording room wants them: their digest, and a copy without media."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

from otel_mas.instrumentation.langchain.blocks import MODALITIES, Part, parts_of, response_of
from otel_mas.record import canonical_form, without_media

_ROLES: Final = {
    "human": "user",
    "HumanMessageChunk": "user",
    "ai": "assistant",
    "AIMessageChunk": "assistant",
    "system": "system",
    "SystemMessageChunk": "system",
    "tool": "tool",
    "ToolMessageChunk": "tool",
    "function": "tool",
    "FunctionMessageChunk": "tool",
}
_LENGTH: Final = struct.Struct(">Q").pack  # as in the canonical form
_TEXT_ONLY: Final = ("text",)
_MAX_FROZEN = 256  # values; hashing a message with more anew costs less than comparing them


class Plain:
    """A text that is no message, or blocks that are none: the prompt of a completion model, what an app marks."""

    __slots__ = ("content", "role")

    def __init__(self, role: str, content: str | list[Part]) -> None:
        self.role = role
        self.content = content


def role_of(message: Any) -> str:
    """The role that said it, in the words of the semantic conventions."""
    if message.__class__ is Plain:
        return str(message.role)
    kind = message.type
    return _ROLES.get(kind) or str(getattr(message, "role", kind))


def message_parts(message: Any) -> list[Part]:
    """Everything that a message says, media inlined as the app has it. Its name and id do not count, nor its usage."""
    if message.__class__ is Plain:
        return parts_of(message.content)
    identity = getattr(message, "tool_call_id", None)
    if identity is not None:
        return [{"type": "tool_call_response", "id": identity, "response": response_of(message.content)}]
    if message.type in ("human", "system"):
        return parts_of(message.content)
    calls = getattr(message, "tool_calls", None) or ()
    broken = getattr(message, "invalid_tool_calls", None) or ()
    parts = parts_of(message.content, frozenset(call["id"] for call in (*calls, *broken) if call.get("id")))
    for call in (*calls, *broken):
        parts.append({"type": "tool_call", "id": call["id"], "name": call["name"], "arguments": call["args"]})
    audio = message.additional_kwargs.get("audio")
    if isinstance(audio, Mapping) and "data" in audio:  # OpenAI's spoken answers
        parts.append({"type": "blob", "modality": "audio", "mime_type": None, "content": audio["data"]})
        parts += parts_of(audio.get("transcript") or "")
    return parts


def _only_text(message: Any) -> str | None:
    """What a message says, if that is a text and nothing else; most messages, so that they are quick."""
    try:
        fields = message.__dict__
        text = fields["content"]
    except (AttributeError, KeyError):
        return None
    if text.__class__ is not str or not text or "tool_call_id" in fields:
        return None
    if fields.get("tool_calls") or fields.get("invalid_tool_calls") or "audio" in fields["additional_kwargs"]:
        return None
    return text


@lru_cache(maxsize=64)
def _before_text(role: str) -> bytes:
    """The canonical form of a message that is one text, up to that text's length."""
    return canonical_form(role, [{"type": "text", "content": ""}])[: -len(_LENGTH(0))]


class LangChainMessages:
    """The `MessageAdapter` for `BaseMessage`."""

    __slots__ = ()

    def fingerprint(self, message: Any, /) -> object | None:
        """The parts that count, by reference where they are immutable; None where that is too much to compare."""
        try:
            fields = message.__dict__
            content = fields["content"]
        except (AttributeError, KeyError):
            return None
        calls = fields.get("tool_calls")
        if content.__class__ is str and not calls:
            kind = fields["type"]
            if kind == "human" or kind == "system":
                return (kind, content)
            if fields.get("invalid_tool_calls") or "audio" in fields["additional_kwargs"]:
                return None
            if kind == "ai":
                return (kind, content)
            return (kind, content, fields.get("tool_call_id"), fields.get("role"))
        left = [_MAX_FROZEN]
        try:
            return (
                _frozen(content, left),
                _frozen(calls, left),
                fields.get("tool_call_id"),
                _frozen(fields["additional_kwargs"].get("audio"), left),
            )
        except _TooMuchError:
            return None

    def knows(self, value: Any, /) -> bool:
        """By what messages have and nothing else has: LangChain's class may not be there."""
        # Asked of its class: to ask the value is a call over the network where it stands for something remote.
        fields = getattr(type(value), "model_fields", None)
        return isinstance(fields, dict) and "additional_kwargs" in fields and "content" in fields

    def canonical(self, message: Any, /) -> bytes:
        """Canonical form v1."""
        text = _only_text(message)
        if text is not None:
            data = text.encode("utf-8", "surrogatepass")
            return _before_text(role_of(message)) + _LENGTH(len(data)) + data
        return canonical_form(role_of(message), message_parts(message))

    def snapshot(self, message: Any, /) -> dict[str, Any]:
        """Role and parts, media replaced by digest, media type and size."""
        text = _only_text(message)
        if text is not None:
            return {"role": role_of(message), "parts": [{"type": "text", "content": without_media(text)}]}
        return {"role": role_of(message), "parts": [without_media(part) for part in message_parts(message)]}


class _TooMuchError(Exception):
    """There is something in it that cannot be compared, or too much of it."""


def _frozen(value: Any, left: list[int]) -> Any:
    if value.__class__ is str or value is None:
        return value
    left[0] -= 1
    if left[0] < 0:
        raise _TooMuchError
    if isinstance(value, dict):
        return tuple([(key, _frozen(item, left)) for key, item in value.items()])
    if isinstance(value, list | tuple):
        return tuple([_frozen(item, left) for item in value])
    if isinstance(value, int | float | str | bytes):
        return (value.__class__, value)
    raise _TooMuchError


def modalities(messages: Sequence[Any]) -> tuple[str, ...]:
    """The kinds of content in messages, in a fixed order."""
    if len(messages) == 1 and messages[0].content.__class__ is str:
        return _TEXT_ONLY
    if {message.content.__class__ for message in messages} <= {str}:
        return _TEXT_ONLY
    found = set(_kinds(part for message in messages for part in message_parts(message)))
    return tuple(kind for kind in MODALITIES if kind in found) or _TEXT_ONLY


def _kinds(parts: Iterable[Part]) -> Iterable[str]:
    for part in parts:
        if part["type"] in ("text", "reasoning"):
            yield "text"
        elif part["type"] == "tool_call_response" and isinstance(part["response"], list):
            yield from _kinds(part["response"])
        else:
            yield part.get("modality") or "text"


MESSAGES: Final = LangChainMessages()
"""The adapter; it has no state."""

__all__ = ["MESSAGES", "LangChainMessages", "Plain", "message_parts", "modalities", "role_of"]
