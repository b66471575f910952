"""LangChain's messages for the recorder: their digest, and a copy without media."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Any, Final

from otel_mas.instrumentation.langchain.blocks import MODALITIES, Part, parts_of, response_of
from otel_mas.record import MAX_MESSAGES, Copy, declared, field_of, instance_dict

_ROLES: Final = {
    kind: role
    for role, kinds in (
        ("user", ("human", "HumanMessageChunk")),
        ("assistant", ("ai", "AIMessageChunk")),
        ("system", ("system", "SystemMessageChunk")),
        ("tool", ("tool", "ToolMessageChunk", "function", "FunctionMessageChunk")),
    )
    for kind in kinds
}
_TEXT_ONLY: Final = ("text",)
_MAX_FROZEN = 256  # values of a message that are compared one by one: 20 µs at each call that has it
_SAMPLE = 8  # items of a list or dict that is too large for that
_MAX_KNOWN = 1024
_KNOWN: Final[dict[type, bool]] = {}
_CALLS: Final = ("tool_calls", "invalid_tool_calls")
_NUMBERS_AND_BYTES: Final = frozenset((int, float, bool, bytes))


class Plain:
    """A text or blocks as a message: the prompt of a completion model, a value in a mark.

    Blocks are a snapshot: plain values that nobody else changes.
    """

    __slots__ = ("content", "role")

    def __init__(self, role: str, content: str | list[Part]) -> None:
        self.role = role
        self.content = content


def role_of(message: Any) -> str:
    """The role of the author, in the words of the semantic conventions."""
    if type(message) is Plain:
        return message.role
    fields = instance_dict(message)
    kind = _text(fields.get("type"))
    return _ROLES.get(kind) or _text(fields.get("role")) or kind


def _text(value: Any) -> str:
    return value if type(value) is str else ""


def message_parts(message: Any) -> list[Part]:
    """The content of a message, media inlined as the app has it; without its name, id and usage.

    Values are read through a bounded copy, without running any of their code.
    """
    if type(message) is Plain:
        return parts_of(message.content)
    fields = instance_dict(message)
    content, identity = fields.get("content"), fields.get("tool_call_id")
    if type(content) is str and type(identity) is str:
        return [{"type": "tool_call_response", "id": identity, "response": content}]
    read = Copy().of  # one for all of it, so that all of it is bounded
    content = read("" if content is None else content)
    if identity is not None:
        return [{"type": "tool_call_response", "id": read(identity), "response": response_of(content)}]
    if fields.get("type") in ("human", "system"):
        return parts_of(content)
    calls = [call for name in _CALLS if _has_any(fields.get(name)) for call in read(fields[name])]
    calls = [call for call in calls if type(call) is dict]
    parts = parts_of(content, frozenset([_text(call.get("id")) for call in calls]) - {""})
    for call in calls:
        arguments = call.get("args")
        parts.append({"type": "tool_call", "id": call.get("id"), "name": call.get("name"), "arguments": arguments})
    audio = read(field_of(fields.get("additional_kwargs"), "audio"))
    if type(audio) is dict and "data" in audio:  # OpenAI's spoken answers
        parts.append({"type": "blob", "modality": "audio", "mime_type": None, "content": audio["data"]})
        parts += parts_of(audio.get("transcript") or "")
    return parts


def _only_text(message: Any) -> str | None:
    """Text of a message that is a text and nothing else: the fast path for most messages."""
    fields = instance_dict(message)
    text = fields.get("content")
    if type(text) is not str or not text or "tool_call_id" in fields:
        return None
    if _has_any(fields.get("tool_calls")) or _has_any(fields.get("invalid_tool_calls")) or _has_audio(fields):
        return None
    return text


def _has_any(calls: Any) -> bool:
    return bool(calls) if type(calls) is list else calls is not None


def _has_audio(fields: dict[str, Any]) -> bool:
    others = fields.get("additional_kwargs")
    return bool(others) and "audio" in others if type(others) is dict else field_of(others, "audio") is not None


class LangChainMessages:
    """The `MessageAdapter` for `BaseMessage`."""

    __slots__ = ()

    def fingerprint(self, message: Any, /) -> object | None:
        """The parts that count, by reference where they are immutable; None where something in it cannot be compared.

        Of a list or dict that is large, a few items, its length and its identity: a change in place of any other item
        is not noticed.
        """
        fields = instance_dict(message)
        content, calls = fields.get("content"), fields.get("tool_calls")
        kind = fields.get("type")
        if type(kind) is not str:
            return None
        if type(content) is str:
            if kind == "human" or kind == "system":
                return (kind, content)
            if kind == "tool":
                identity = fields.get("tool_call_id")
                return (kind, content, identity) if type(identity) is str else None
            if calls is None or (type(calls) is list and not calls):
                if _has_any(fields.get("invalid_tool_calls")) or _has_audio(fields):
                    return None
                role = fields.get("role")
                return (kind, content, role) if role is None or type(role) is str else None
        left = [_MAX_FROZEN]
        try:
            return (
                kind,
                _frozen(content, left),
                _frozen(calls, left),
                _frozen(fields.get("tool_call_id"), left),
                _frozen(field_of(fields.get("additional_kwargs"), "audio"), left),
            )
        except (_NotComparableError, RuntimeError):  # or changed meanwhile by another thread
            return None

    def knows(self, value: Any, /) -> bool:
        """Whether it is a message, by fields that only messages have: LangChain's class may not be there."""
        kind = type(value)
        known = _KNOWN.get(kind)
        if known is None:
            fields = declared(kind, "__pydantic_fields__")
            known = type(fields) is dict and "additional_kwargs" in fields and "content" in fields
            if len(_KNOWN) >= _MAX_KNOWN:
                _KNOWN.clear()
            _KNOWN[kind] = known
        return known

    def read(self, message: Any, /) -> tuple[str, Sequence[Part]]:
        """Role and parts."""
        text = _only_text(message)
        parts: Sequence[Part] = message_parts(message) if text is None else [{"type": "text", "content": text}]
        return role_of(message), parts


class _NotComparableError(Exception):
    """The value may change without its identity or its length."""


def _frozen(value: Any, left: list[int]) -> Any:
    kind = type(value)
    if kind is str or value is None:
        return value
    left[0] -= 1
    if kind is dict:
        items = dict.items(value)
        if len(value) > left[0]:  # of one that is large: which one it is, how long, and a few of its items
            return (id(value), len(value), *[(_frozen(k, left), _frozen(v, left)) for k, v in _few(items, left)])
        return tuple([(_frozen(key, left), _frozen(item, left)) for key, item in items])
    if kind is list or kind is tuple:
        if len(value) > left[0]:
            few = value[:: len(value) // _SAMPLE + 1] if left[0] > 0 else ()
            return (id(value), len(value), *[_frozen(item, left) for item in (*few, *value[-1:])])
        return tuple([_frozen(item, left) for item in value])
    if kind in _NUMBERS_AND_BYTES:
        return (kind, value)
    raise _NotComparableError


def _few(items: Iterable[Any], left: list[int]) -> Iterable[Any]:
    return islice(items, _SAMPLE) if left[0] > 0 else ()


def modalities(messages: Sequence[Any]) -> tuple[str, ...]:
    """The kinds of content in the newest messages, in a fixed order."""
    messages = messages[-MAX_MESSAGES:]
    for message in messages:
        if type(field_of(message, "content")) is not str:
            break
    else:
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
