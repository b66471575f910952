"""Calls of models, tools and agents among Langfuse's observations, in the names of the GenAI conventions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from otel_mas.dialects.reading import parsed_json
from otel_mas.semconv import Operation
from otel_mas.semconv import attributes as names
from otel_mas.sources.exports.gen_ai import described, json_text

_OPERATIONS: Final = {
    "GENERATION": Operation.CHAT,
    "EMBEDDING": Operation.EMBEDDINGS,
    "AGENT": Operation.INVOKE_AGENT,
    "TOOL": Operation.EXECUTE_TOOL,
    "RETRIEVER": Operation.RETRIEVAL,
}
_MODELS: Final = frozenset(
    {Operation.CHAT, Operation.TEXT_COMPLETION, Operation.GENERATE_CONTENT, Operation.EMBEDDINGS}
)
_OTHER_KINDS: Final = ("openinference.span.kind", "traceloop.span.kind", "langsmith.span.kind", "ai.operationId")
"""Attributes by which a span says its kind in the words of another instrumentation."""
_NAMES: Final = {Operation.EXECUTE_TOOL: names.GEN_AI_TOOL_NAME, Operation.INVOKE_AGENT: names.GEN_AI_AGENT_NAME}
_DETAILS: Final = {
    names.GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS: (
        "input_cache_read",
        "input_cached_tokens",
        "cache_read_input_tokens",
        "prompt_details.cache_read",
    ),
    names.GEN_AI_USAGE_CACHE_WRITE_INPUT_TOKENS: (
        "input_cache_creation",
        "input_cache_creation_tokens",
        "cache_creation_input_tokens",
        "prompt_details.cache_write",
    ),
    names.GEN_AI_USAGE_REASONING_OUTPUT_TOKENS: (
        "output_reasoning",
        "output_reasoning_tokens",
        "completion_details.reasoning",
    ),
}
_INPUT_PARTS: Final = ("input_", "cache_", "prompt_details.")
_OUTPUT_PARTS: Final = ("output_", "completion_details.")


def call(observation: Mapping[str, Any], original: Mapping[str, Any]) -> dict[str, Any]:
    """Attributes that the observation has in the GenAI conventions; none where its span says its kind in other words.

    Args:
        original: attributes with which the span came to Langfuse.
    """
    operation = _operation(observation["type"], original)
    if operation is None:
        return {}
    name = original.get(_NAMES.get(operation, "")) or observation.get("name") or ""
    inputs, tools = _without_tools(parsed_json(observation.get("input")))
    found = described(operation, str(name), inputs, parsed_json(observation.get("output")))
    if operation is Operation.INVOKE_AGENT and original:  # the name of a span of other instrumentation is no agent's
        del found[names.GEN_AI_AGENT_NAME]
    if operation in _MODELS:
        found[names.GEN_AI_REQUEST_MODEL] = observation.get("model") or observation.get("providedModelName")
        found[names.GEN_AI_TOOL_DEFINITIONS] = json_text(tools) if tools else None
        found |= _usage(observation) | _cost(observation)
    return {name: value for name, value in found.items() if value is not None}


def _operation(kind: str, original: Mapping[str, Any]) -> Operation | None:
    operation = original.get(names.GEN_AI_OPERATION_NAME)
    if operation is not None:
        return Operation(operation) if operation in list(Operation) else None
    return None if any(name in original for name in _OTHER_KINDS) else _OPERATIONS.get(kind)


def _without_tools(inputs: Any) -> tuple[Any, list[Any]]:
    """The input, and definitions of tools: the SDK's callback of LangChain puts them among the messages."""
    if not isinstance(inputs, list):
        return inputs, []
    tools = [one["content"] for one in inputs if _defines_tool(one)]
    return [one for one in inputs if not _defines_tool(one)], tools


def _defines_tool(message: Any) -> bool:
    if not isinstance(message, Mapping) or message.get("role") != "tool":
        return False
    content = message.get("content")
    return isinstance(content, Mapping) and content.get("type") == "function" and "function" in content


def _usage(observation: Mapping[str, Any]) -> dict[str, int]:
    """Tokens of a call. Langfuse's kinds of usage exclude each other, so that `input` has no cached tokens; but some
    instrumentation sends details that are part of it, which the total shows."""
    given = parsed_json(observation.get("usageDetails")) or observation.get("usage")
    if not isinstance(given, Mapping):
        given = {"input": observation.get("promptTokens"), "output": observation.get("completionTokens")}
    counts = {key: int(value) for key, value in given.items() if _is_count(value)}
    read, wrote = counts.get("input", 0), counts.get("output", 0)
    if read + wrote != counts.get("total"):
        read += sum(value for key, value in counts.items() if key.startswith(_INPUT_PARTS))
        wrote += sum(value for key, value in counts.items() if key.startswith(_OUTPUT_PARTS))
    found = {names.GEN_AI_USAGE_INPUT_TOKENS: read, names.GEN_AI_USAGE_OUTPUT_TOKENS: wrote} if read or wrote else {}
    for name, others in _DETAILS.items():
        if count := next((counts[key] for key in others if counts.get(key)), None):
            found[name] = count
    return found


def _is_count(value: Any) -> bool:
    return (isinstance(value, int | float) and value >= 0) or (isinstance(value, str) and value.isdecimal())


def _cost(observation: Mapping[str, Any]) -> dict[str, Any]:
    """The cost that Langfuse was told or worked out, in US dollars."""
    details = parsed_json(observation.get("costDetails"))
    given = details.get("total") if isinstance(details, Mapping) else None
    total = given or observation.get("totalCost") or observation.get("calculatedTotalCost")
    try:
        cost = float(total or 0)
    except (TypeError, ValueError):
        return {}
    return {names.MAS_COST_USD: cost, names.MAS_COST_SOURCE: "Langfuse"} if cost > 0 else {}


__all__ = ["call"]
