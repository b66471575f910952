"""Calls of models, tools and retrievers as other programs note them, in the names of the GenAI conventions."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

import orjson

from otel_mas.otlp.foreign_messages import message_of
from otel_mas.semconv import Operation, record_kind
from otel_mas.semconv import attributes as names

CONTROL_FLOW: Final = re.compile(r"(GraphInterrupt|ParentCommand|GraphBubbleUp)\b")
"""Exceptions by which LangGraph pauses or hands off: some programs note them as errors."""
_MODELS: Final = frozenset({Operation.CHAT, Operation.TEXT_COMPLETION, Operation.GENERATE_CONTENT})
_ROLES: Final = {
    "human": "user",
    "ai": "assistant",
    "HumanMessage": "user",
    "AIMessage": "assistant",
    "SystemMessage": "system",
    "ToolMessage": "tool",
}
_LISTS: Final = ("messages", "generations", "choices", "prompts")
_TEXTS: Final = ("input", "output", "query", "question", "answer", "text", "content")


def described(operation: Operation | None, name: str, inputs: Any, outputs: Any) -> dict[str, Any]:
    """Attributes that a call has in the GenAI conventions, content included.

    Args:
        operation: the kind of call; None for what is none of them, which has no such attributes.
        name: of the tool or the agent.
        inputs: structures as OpenAI, LangChain or LangSmith have them, or a text.
        outputs: the same.
    """
    if operation is None:
        return {}
    found: dict[str, Any] = {names.GEN_AI_OPERATION_NAME: operation.value}
    if (kind := record_kind(operation)) is not None:
        found[names.MAS_RECORD_KIND] = str(kind)
    if operation is Operation.EXECUTE_TOOL:
        return found | {
            names.GEN_AI_TOOL_NAME: name,
            names.GEN_AI_TOOL_CALL_ARGUMENTS: json_text(inputs),
            names.GEN_AI_TOOL_CALL_RESULT: json_text(outputs),
        }
    if operation is Operation.RETRIEVAL:
        query = _text(inputs)
        return found | {names.GEN_AI_RETRIEVAL_QUERY_TEXT: query, names.GEN_AI_RETRIEVAL_DOCUMENTS: json_text(outputs)}
    if operation is Operation.INVOKE_AGENT:
        found[names.GEN_AI_AGENT_NAME] = name
    elif operation not in _MODELS:
        return found
    sides = ((names.GEN_AI_INPUT_MESSAGES, inputs, "user"), (names.GEN_AI_OUTPUT_MESSAGES, outputs, "assistant"))
    for key, given, role in sides:
        if messages := list(_messages(given, role)):
            found[key] = json_text(messages)
    return found


def _messages(given: Any, role: str) -> Iterator[dict[str, Any]]:
    """Messages in a structure, in their order."""
    if isinstance(given, list):
        for one in given:
            yield from _messages(one, role)
    elif isinstance(given, Mapping):
        inner = next((given[key] for key in _LISTS if isinstance(given.get(key), list)), given.get("message"))
        if inner is not None:
            yield from _messages(inner, role)
        elif "lc" in given or "role" in given or given.get("type") in _ROLES:
            yield _message(given, role)
        elif (text := _text(given)) is not None:
            yield message_of(text, role)
    elif isinstance(given, str) and given:
        yield message_of(given, role)


def _message(given: Mapping[str, Any], role: str) -> dict[str, Any]:
    """One message. LangChain's serialized form has its fields in `kwargs`, and its type at the end of `id`."""
    fields = given.get("kwargs") if "lc" in given else given
    if not isinstance(fields, Mapping):
        return message_of(given, role)
    kind = str(given["id"][-1]).removesuffix("Chunk") if "lc" in given else str(given.get("type", ""))
    more = fields.get("additional_kwargs")
    calls = [
        {**call, "arguments": call["args"]} if isinstance(call, Mapping) and "args" in call else call
        for call in fields.get("tool_calls") or (more.get("tool_calls") if isinstance(more, Mapping) else None) or ()
    ]
    return message_of({"role": _ROLES.get(kind, role), **fields, "tool_calls": calls}, role)


def _text(given: Any) -> str | None:
    if isinstance(given, Mapping):
        return next((given[key] for key in _TEXTS if isinstance(given.get(key), str)), None)
    return given if isinstance(given, str) else None


def json_text(value: Any) -> str | None:
    """A structure as JSON; a text as it is."""
    return None if value is None else value if isinstance(value, str) else orjson.dumps(value).decode()


def is_plain(value: Any) -> bool:
    """Whether a value of JSON is one that an attribute may have as it is."""
    return isinstance(value, str | int | float | bool) or (isinstance(value, list) and all(map(is_plain, value)))


__all__ = ["CONTROL_FLOW", "described", "is_plain", "json_text"]
