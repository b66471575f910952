"""Langfuse's SDK: `langfuse.observation.type`, `.input`, `.output`, `.usage_details`, `.metadata.*`.

Names: https://langfuse.com/integrations/native/opentelemetry, and its SDKs. A span that came to Langfuse from other
instrumentation has the names of that, too, which count first.
"""

from __future__ import annotations

from typing import Any, Final

from otel_mas.dialects import langgraph
from otel_mas.dialects.calls import called, present, retrieval_content, tokens, tool_content
from otel_mas.dialects.messages import messages_in
from otel_mas.dialects.reading import Attributes, ForeignSpan, amount, mapping, parsed_json, text
from otel_mas.semconv import Operation
from otel_mas.semconv import attributes as names

KIND: Final = "langfuse.observation.type"
MARKERS: Final = frozenset({KIND})
_METADATA: Final = "langfuse.observation.metadata."
_INPUT, _OUTPUT = "langfuse.observation.input", "langfuse.observation.output"
_OPERATIONS: Final = {
    "generation": Operation.CHAT,
    "embedding": Operation.EMBEDDINGS,
    "agent": Operation.INVOKE_AGENT,
    "tool": Operation.EXECUTE_TOOL,
    "retriever": Operation.RETRIEVAL,
}
_USAGE: Final = {
    names.GEN_AI_USAGE_INPUT_TOKENS: ("input", "input_tokens", "prompt_tokens"),
    names.GEN_AI_USAGE_OUTPUT_TOKENS: ("output", "output_tokens", "completion_tokens"),
    names.GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS: ("input_cache_read", "input_cached_tokens", "cache_read_input_tokens"),
    names.GEN_AI_USAGE_REASONING_OUTPUT_TOKENS: ("output_reasoning", "output_reasoning_tokens"),
}
_OTHER_KINDS: Final = ("openinference.span.kind", "traceloop.span.kind", "ai.operationId", "langsmith.span.kind")
"""Names by which other instrumentation says a kind; Langfuse guesses its own of it."""


def structure(span: ForeignSpan) -> dict[str, Any]:
    """The span in our names, without content."""
    attributes = span.attributes
    metadata = {name.removeprefix(_METADATA): value for name, value in attributes.items() if name.startswith(_METADATA)}
    found = _session(attributes, metadata)
    if _is_guessed(attributes):
        return found
    graph = langgraph.task(span, metadata, span.name) or langgraph.run(span, metadata, span.name)
    if graph is not None:
        return {**found, **graph}
    operation = _OPERATIONS.get(str(attributes.get(KIND)).lower())
    found |= called(operation, span.name)
    if operation in (Operation.CHAT, Operation.EMBEDDINGS):
        found[names.GEN_AI_REQUEST_MODEL] = text(attributes, "langfuse.observation.model.name")
        found[names.GEN_AI_PROVIDER_NAME] = metadata.get("ls_provider")
        found |= tokens(mapping(attributes.get("langfuse.observation.usage_details")), _USAGE)
        cost = amount(mapping(attributes.get("langfuse.observation.cost_details")).get("total"))
        if cost is not None:
            found |= {names.MAS_COST_USD: cost, names.MAS_COST_SOURCE: "Langfuse"}
    return present(found)


def _is_guessed(attributes: Attributes) -> bool:
    return names.GEN_AI_OPERATION_NAME in attributes or any(name in attributes for name in _OTHER_KINDS)


def _session(attributes: Attributes, metadata: Attributes) -> dict[str, Any]:
    session = text(attributes, names.SESSION_ID, "langfuse.session.id") or metadata.get("thread_id")
    return {} if session is None else {names.GEN_AI_CONVERSATION_ID: str(session)}


def content(span: ForeignSpan) -> dict[str, Any]:
    """Arguments and result of a tool, query and documents of a retriever."""
    attributes = span.attributes
    if attributes.get(KIND) == "tool" or names.GEN_AI_TOOL_NAME in attributes:
        return tool_content(attributes.get(_INPUT), attributes.get(_OUTPUT))
    if attributes.get(KIND) == "retriever":
        return retrieval_content(parsed_json(attributes.get(_INPUT)), attributes.get(_OUTPUT))
    return {}


def messages(span: ForeignSpan, side: str) -> list[Any]:
    """The messages of one side."""
    attributes = span.attributes
    if attributes.get(KIND) in ("tool", "retriever", "embedding", "event") or names.GEN_AI_TOOL_NAME in attributes:
        return []
    return messages_in(value(span, side), side)


def value(span: ForeignSpan, side: str) -> Any:
    """The input or the output of a span, as JSON has it."""
    return parsed_json(span.attributes.get(_INPUT if side == "input" else _OUTPUT))


__all__ = ["MARKERS", "content", "messages", "structure", "value"]
