"""Datadog's LLM Observability: `_ml_obs.meta.span.kind`, `_ml_obs.meta.input.messages`, `_ml_obs.metrics.*`.

Names: https://github.com/DataDog/dd-trace-py, `ddtrace/llmobs/_constants.py`.
"""

from __future__ import annotations

from typing import Any, Final

from otel_mas.dialects.calls import called, present, provider, retrieval_content, tokens, tool_content
from otel_mas.dialects.messages import messages_in
from otel_mas.dialects.reading import Attributes, ForeignSpan, parsed_json, text
from otel_mas.semconv import Operation
from otel_mas.semconv import attributes as names

KIND: Final = "_ml_obs.meta.span.kind"
MARKERS: Final = frozenset({KIND})
_OPERATIONS: Final = {
    "llm": Operation.CHAT,
    "embedding": Operation.EMBEDDINGS,
    "agent": Operation.INVOKE_AGENT,
    "workflow": Operation.INVOKE_WORKFLOW,
    "tool": Operation.EXECUTE_TOOL,
    "retrieval": Operation.RETRIEVAL,
}
_METRICS: Final = {
    names.GEN_AI_USAGE_INPUT_TOKENS: ("_ml_obs.metrics.input_tokens",),
    names.GEN_AI_USAGE_OUTPUT_TOKENS: ("_ml_obs.metrics.output_tokens",),
    names.GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS: ("_ml_obs.metrics.cache_read_input_tokens",),
    names.GEN_AI_USAGE_CACHE_WRITE_INPUT_TOKENS: ("_ml_obs.metrics.cache_write_input_tokens",),
    names.GEN_AI_USAGE_REASONING_OUTPUT_TOKENS: ("_ml_obs.metrics.reasoning_output_tokens",),
}


def structure(span: ForeignSpan) -> dict[str, Any]:
    """The span in our names, without content."""
    attributes = span.attributes
    operation = _OPERATIONS.get(str(attributes.get(KIND)))
    found = called(operation, text(attributes, "_ml_obs.name") or span.name)
    if operation in (Operation.CHAT, Operation.EMBEDDINGS):
        found[names.GEN_AI_REQUEST_MODEL] = text(attributes, "_ml_obs.meta.model_name")
        found[names.GEN_AI_PROVIDER_NAME] = provider(text(attributes, "_ml_obs.meta.model_provider"))
        found |= tokens(attributes, _METRICS)
    found[names.GEN_AI_CONVERSATION_ID] = text(attributes, "_ml_obs.session_id", names.SESSION_ID)
    return present(found)


def content(span: ForeignSpan) -> dict[str, Any]:
    """Arguments and result of a tool, query and documents of a retriever."""
    attributes = span.attributes
    kind, given, gave = attributes.get(KIND), _value(attributes, "input"), _value(attributes, "output")
    if kind == "tool":
        return tool_content(given, gave)
    return retrieval_content(given, _value(attributes, "output", "documents")) if kind == "retrieval" else {}


def messages(span: ForeignSpan, side: str) -> list[Any]:
    """The messages of one side, else its value."""
    if span.attributes.get(KIND) in ("tool", "retrieval", "embedding"):
        return []
    known = parsed_json(_value(span.attributes, side, "messages")) or parsed_json(_value(span.attributes, side))
    return messages_in(known, side)


def _value(attributes: Attributes, side: str, key: str = "value") -> Any:
    return attributes.get(f"_ml_obs.meta.{side}.{key}")


__all__ = ["MARKERS", "content", "messages", "structure"]
