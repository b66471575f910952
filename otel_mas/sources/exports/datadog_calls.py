"""Calls of models, tools and agents among Datadog's spans, in the names of the GenAI conventions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from otel_mas.dialects.reading import parsed_json
from otel_mas.semconv import Operation
from otel_mas.semconv import attributes as names
from otel_mas.sources.exports.gen_ai import described, json_text

_OPERATIONS: Final = {
    "llm": Operation.CHAT,
    "embedding": Operation.EMBEDDINGS,
    "agent": Operation.INVOKE_AGENT,
    "tool": Operation.EXECUTE_TOOL,
    "retrieval": Operation.RETRIEVAL,
}
_COUNTS: Final = {
    "input_tokens": names.GEN_AI_USAGE_INPUT_TOKENS,
    "output_tokens": names.GEN_AI_USAGE_OUTPUT_TOKENS,
    "cache_read_input_tokens": names.GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS,
    "cache_write_input_tokens": names.GEN_AI_USAGE_CACHE_WRITE_INPUT_TOKENS,
    "reasoning_output_tokens": names.GEN_AI_USAGE_REASONING_OUTPUT_TOKENS,
}
_NANODOLLAR: Final = 1e-9
"""Unit of the costs that Datadog estimates."""


def call(span: Mapping[str, Any]) -> dict[str, Any]:
    """Attributes that the span has in the GenAI conventions; none of workflows, tasks and experiments."""
    operation = _OPERATIONS.get(str(span.get("span_kind")))
    found = described(operation, span["name"], _content(span.get("input")), _content(span.get("output")))
    if operation in (Operation.CHAT, Operation.EMBEDDINGS):
        metrics = span.get("metrics") or {}
        found |= {
            named: int(metrics[key])
            for key, named in _COUNTS.items()
            if isinstance(metrics.get(key), int | float) and (metrics[key] or key in ("input_tokens", "output_tokens"))
        }
        found[names.GEN_AI_REQUEST_MODEL] = span.get("model_name")
        found[names.GEN_AI_PROVIDER_NAME] = span.get("model_provider")
        found[names.GEN_AI_TOOL_DEFINITIONS] = json_text(span.get("tool_definitions") or None)
        cost = metrics.get("estimated_total_cost")
        if isinstance(cost, int | float) and cost > 0:
            found |= {names.MAS_COST_USD: cost * _NANODOLLAR, names.MAS_COST_SOURCE: "Datadog"}
    return {name: value for name, value in found.items() if value is not None}


def _content(given: Any) -> Any:
    """The content of an input or an output: messages, else documents, else the text."""
    if not isinstance(given, Mapping):
        return given
    if given.get("messages"):
        return [_message(one) for one in given["messages"]]
    value = given.get("value")
    parsed = parsed_json(value)
    return given.get("documents") or (parsed if isinstance(parsed, Mapping | list) else value)


def _message(message: Any) -> Any:
    """A message whose tool calls and their results have the names that OpenAI gives them."""
    if not isinstance(message, Mapping):
        return message
    found = dict(message)
    if calls := message.get("tool_calls"):
        found["tool_calls"] = [{**one, "id": one.get("id") or one.get("tool_id")} for one in calls]
    if results := message.get("tool_results"):
        answered = [
            {"type": "tool_call_response", "id": one.get("tool_id"), "response": one.get("result")} for one in results
        ]
        found |= {"role": "tool", "parts": answered}
    return found


__all__ = ["call"]
