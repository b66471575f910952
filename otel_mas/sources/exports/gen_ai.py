"""Calls of models, tools and retrievers as other programs note them, in the names of the GenAI conventions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from otel_mas.dialects.messages import messages_in
from otel_mas.dialects.reading import json_text
from otel_mas.semconv import Operation
from otel_mas.semconv import attributes as names

_MODELS: Final = frozenset({Operation.CHAT, Operation.TEXT_COMPLETION, Operation.GENERATE_CONTENT})
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
    sides = ((names.GEN_AI_INPUT_MESSAGES, inputs, "input"), (names.GEN_AI_OUTPUT_MESSAGES, outputs, "output"))
    for key, given, side in sides:
        if messages := messages_in(given, side):
            found[key] = json_text(messages)
    return found


def _text(given: Any) -> str | None:
    if isinstance(given, Mapping):
        return next((given[key] for key in _TEXTS if isinstance(given.get(key), str)), None)
    return given if isinstance(given, str) else None


def is_plain(value: Any) -> bool:
    """Whether a value of JSON is one that an attribute may have as it is."""
    return isinstance(value, str | int | float | bool) or (isinstance(value, list) and all(map(is_plain, value)))


__all__ = ["described", "is_plain", "json_text"]
