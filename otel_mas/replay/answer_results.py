"""Results of tools: recorded plain values as the objects that they were, as far as their types are loaded here."""

from __future__ import annotations

import base64
import binascii
import dataclasses
import datetime
import enum
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from otel_mas.errors import BadTrace
from otel_mas.replay.answer_messages import content_of, tool_calls
from otel_mas.semconv import attributes as names

if TYPE_CHECKING:
    from otel_mas.model import Message
    from otel_mas.replay.recording import RecordedCall

_SEQUENCES: Final = ("tuple", "set", "frozenset")
_HANDLED: Final = "tool_error"
_COMMAND: Final = "langgraph.types.Command"
_MESSAGE_FIELDS: Final = {"user": "HumanMessage", "assistant": "AIMessage", "system": "SystemMessage"}
_BY_TEXT: Final[tuple[tuple[type, Callable[[Any, Any], Any]], ...]] = (
    (datetime.datetime, lambda kind, text: kind.fromisoformat(text)),
    (datetime.date, lambda kind, text: kind.fromisoformat(text)),
    (datetime.time, lambda kind, text: kind.fromisoformat(text)),
    (Decimal, lambda kind, text: kind(text)),
    (UUID, lambda kind, text: kind(text)),
    (PurePath, lambda kind, text: kind(text)),
    (complex, lambda kind, text: kind(text)),
)


def result_value(call: RecordedCall, tool_call_id: str | None) -> Any:
    """The result of a recorded call of a tool: see `answers.tool_result`."""
    value = untagged(call.get(names.GEN_AI_TOOL_CALL_RESULT))
    types = list(call.span.get(names.MAS_RESULT_TYPES) or ())
    if types in (["bytes"], ["bytearray"]) and not isinstance(value, bytes):
        raise BadTrace(
            f"the result of {call.name} was bytes, of which a recording has the digest only: replay with --live tools"
        )
    if types:
        return _restored(value, types, iter(call.output))
    if call.output and call.output[0].role == "tool":
        if call.span.get(names.ERROR_TYPE) == _HANDLED:
            return _tool_message(value, call.name, tool_call_id)
        return _content(value)
    return value


def documents_value(call: RecordedCall) -> Any:
    """Return value of a marked retriever: see `answers.found`."""
    value = untagged(call.get(names.GEN_AI_RETRIEVAL_DOCUMENTS))
    return _restored(value, list(call.span.get(names.MAS_RESULT_TYPES) or ()), iter(()))


def _content(value: Any) -> Any:
    """Content of a tool's message: text, or parts, which are blocks again."""
    if isinstance(value, list) and all(isinstance(one, Mapping) and "type" in one for one in value):
        return content_of(value)
    return value


def _tool_message(value: Any, name: str, tool_call_id: str | None) -> Any:
    from langchain_core.messages import ToolMessage

    return ToolMessage(content=_content(value), name=name, tool_call_id=tool_call_id or "", status="error")


def untagged(value: Any) -> Any:
    """A plain value with the numbers and bytes that JSON cannot hold in place of their tags."""
    if isinstance(value, list):
        return [untagged(one) for one in value]
    if not isinstance(value, Mapping):
        return value
    if len(value) == 1:
        ((tag, text),) = value.items()
        read = _TAGS.get(tag)
        if read is not None and isinstance(text, str):
            try:
                return read(text)
            except (ValueError, binascii.Error):
                return value
    return {name: untagged(one) for name, one in value.items()}


_TAGS: Final[Mapping[str, Callable[[str], Any]]] = {"$int": int, "$float": float, "$bytes": base64.b64decode}


def _restored(value: Any, types: Sequence[str], messages: Iterator[Message]) -> Any:
    """A value, or the items of a list, as of these types."""
    if not types:
        return value
    if isinstance(value, list) and len(types) == len(value) and types[0] not in _SEQUENCES:
        return [_typed(kind, one, messages) for kind, one in zip(types, value, strict=True)]
    return _typed(types[0], value, messages)


def _typed(kind: str, value: Any, messages: Iterator[Message]) -> Any:
    """A plain value as an object of the type that was recorded; the plain value where that is not possible."""
    if kind == _COMMAND:
        return _command(value, messages)
    if kind.startswith("langchain_core.messages."):
        message = next(messages, None)
        return value if message is None else message_of(message)
    found = _loaded(kind)
    try:
        return value if found is None else _as(found, value)
    except Exception:  # the class wants another form of it
        return value


def _as(kind: type, value: Any) -> Any:
    if kind in (tuple, set, frozenset, bytes, bytearray):
        return kind(value)
    for base, read in _BY_TEXT:
        if issubclass(kind, base):
            return read(kind, value)
    if issubclass(kind, enum.Enum):
        return kind(value)
    validate = getattr(kind, "model_validate", None)
    if validate is not None:
        return validate(value)
    if dataclasses.is_dataclass(kind) or hasattr(kind, "_fields"):
        return kind(**value)
    return value


def _loaded(name: str) -> type | None:
    """A class by its qualified name, among the loaded modules: a recording does not decide what is imported."""
    if "." not in name:
        found = getattr(sys.modules["builtins"], name, None)
        return found if isinstance(found, type) else None
    parts = name.split(".")
    for cut in range(len(parts) - 1, 0, -1):
        found = sys.modules.get(".".join(parts[:cut]))
        if found is None:
            continue
        for part in parts[cut:]:
            found = getattr(found, part, None)
        return found if isinstance(found, type) else None
    return None


def _command(value: Any, messages: Iterator[Message]) -> Any:
    """LangGraph's command, with the messages in its update and the sends among what it goes to."""
    from langgraph.types import Command

    fields = dict(value) if isinstance(value, Mapping) else {}
    update = fields.get("update")
    if isinstance(update, Mapping) and "messages" in update:
        known = update["messages"]
        several = known if isinstance(known, list) else [known]
        restored = [message_of(one) for one, _ in zip(messages, several, strict=False)]
        fields["update"] = {**update, "messages": restored if isinstance(known, list) else (restored or [None])[0]}
    if "goto" in fields:
        goto = fields["goto"]
        fields["goto"] = [_destination(one) for one in goto] if isinstance(goto, list) else _destination(goto)
    return Command(**{name: one for name, one in fields.items() if name in ("goto", "graph", "resume", "update")})


def _destination(value: Any) -> Any:
    from langgraph.types import Send

    if isinstance(value, Mapping) and value.keys() == {"node", "arg"}:
        return Send(value["node"], value["arg"])
    return value


def message_of(message: Message) -> Any:
    """A recorded message as LangChain's, of the class of its role."""
    from langchain_core import messages as classes

    parts: Sequence[Mapping[str, Any]] = (message.body or {}).get("parts") or ()
    if message.role == "tool":
        part: Mapping[str, Any] = parts[0] if parts else {}
        return classes.ToolMessage(content=_content(part.get("response") or ""), tool_call_id=str(part.get("id") or ""))
    kind = _MESSAGE_FIELDS.get(message.role)
    if kind is None:
        return classes.ChatMessage(role=message.role, content=content_of(parts))
    if kind == "AIMessage":
        calls, invalid = tool_calls(parts)
        return classes.AIMessage(content=content_of(parts), tool_calls=calls, invalid_tool_calls=invalid)
    return getattr(classes, kind)(content=content_of(parts))


__all__ = ["documents_value", "message_of", "result_value", "untagged"]
