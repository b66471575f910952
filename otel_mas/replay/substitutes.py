"""Answers that are not recorded: those of a change, and those that a stub gives in place of a call."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from otel_mas.errors import ConfigError
from otel_mas.model import Span, SpanBody
from otel_mas.replay.place import TaskPlace
from otel_mas.replay.recording import CallKind, RecordedCall

if TYPE_CHECKING:
    from langchain_core.documents import Document
    from langchain_core.messages import AIMessage


@dataclass(frozen=True, slots=True, eq=False)
class SubstitutedCall(RecordedCall):
    """A call with another answer than the recorded one, which may be an exception to raise."""

    substitute: Any = None
    recorded: RecordedCall | None = None
    """The recorded call in whose place it is; None where there is none."""


def substituted(recorded: RecordedCall, value: Any) -> SubstitutedCall:
    """A recorded call with another answer."""
    given = {one.name: getattr(recorded, one.name) for one in fields(RecordedCall)}
    return SubstitutedCall(**given, substitute=value, recorded=recorded)


def unrecorded(kind: CallKind, name: str, place: TaskPlace, value: Any) -> SubstitutedCall:
    """A call that the recording does not have, with its answer."""
    span = Span.complete(
        SpanBody(), trace_id="0" * 32, span_id="0" * 16, parent_span_id=None, name=name, start_ns=0, end_ns=0
    )
    return SubstitutedCall(span, kind, place, "", name, substitute=value)


def answer_of(call: SubstitutedCall) -> AIMessage:
    """The answer of a model: a message, a text, or a structured value.

    A structured value is in the arguments of a tool call where the recorded answer was one, else it is JSON text.

    Raises:
        BaseException: It is the answer.
        ConfigError: It is none of these.
    """
    from langchain_core.messages import AIMessage, BaseMessage

    value = _raised(call.substitute)
    if isinstance(value, Mapping) and value.keys() == {"type", "data"} and value["type"] == "ai":
        value = AIMessage(**value["data"])
    if isinstance(value, AIMessage):
        return value.model_copy(deep=True)
    if value is None:
        raise ConfigError(
            "a model cannot answer None: give an AIMessage, a text or a JSON value, or of a stub NotImplemented"
        )
    if isinstance(value, BaseMessage):
        raise ConfigError(f"a model answers with an AIMessage, not with a {type(value).__name__}")
    if isinstance(value, str):
        return AIMessage(value)
    dump = getattr(value, "model_dump", None)
    plain = dump(mode="json") if dump is not None else value
    asked = [part for part in _recorded_parts(call) if part.get("type") == "tool_call"]
    if len(asked) == 1 and isinstance(plain, Mapping):
        one = {"name": asked[0].get("name"), "args": dict(plain), "id": str(asked[0].get("id")), "type": "tool_call"}
        return AIMessage("", tool_calls=[one])
    try:
        return AIMessage(json.dumps(plain))
    except TypeError as error:
        raise ConfigError(f"a model cannot answer {plain!r}: give an AIMessage, a text or a JSON value") from error


def result_of(call: SubstitutedCall) -> Any:
    """The result of a tool. Raises it where it is an exception."""
    return _raised(call.substitute)


def documents_of(call: SubstitutedCall) -> list[Document]:
    """The documents of a retriever: documents or texts. Raises it where it is an exception."""
    from langchain_core.documents import Document

    value = _raised(call.substitute)
    items: Iterable[Any] = [value] if isinstance(value, str | Document) else value
    return [_document(one) for one in items]


def _document(value: Any) -> Document:
    from langchain_core.documents import Document

    if isinstance(value, Document):
        return value
    if isinstance(value, Mapping):
        return Document(page_content=str(value.get("page_content")), metadata=dict(value.get("metadata") or {}))
    return Document(page_content=str(value))


def _raised(value: Any) -> Any:
    if isinstance(value, BaseException):
        raise value
    return value


def _recorded_parts(call: SubstitutedCall) -> list[Mapping[str, Any]]:
    return [part for message in call.output[:1] for part in (message.body or {}).get("parts") or ()]


__all__ = ["SubstitutedCall", "answer_of", "documents_of", "result_of", "substituted", "unrecorded"]
