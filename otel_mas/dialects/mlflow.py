"""MLflow: `mlflow.spanType`, `mlflow.spanInputs`, `mlflow.chat.tokenUsage`; each value is JSON text.

Names: https://mlflow.org/docs/latest/genai/tracing, `mlflow/tracing/constant.py`. A trace's sum of tokens is on its
root.
"""

from __future__ import annotations

from typing import Any, Final

from otel_mas.dialects import langgraph
from otel_mas.dialects.calls import called, present, provider, retrieval_content, tokens, tool_content
from otel_mas.dialects.messages import messages_in
from otel_mas.dialects.reading import ForeignSpan, amount, mapping, parsed_json
from otel_mas.semconv import Operation
from otel_mas.semconv import attributes as names

KIND: Final = "mlflow.spanType"
MARKERS: Final = frozenset({KIND})
_USAGE: Final = {
    names.GEN_AI_USAGE_INPUT_TOKENS: ("input_tokens",),
    names.GEN_AI_USAGE_OUTPUT_TOKENS: ("output_tokens",),
    names.GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS: ("cache_read_input_tokens",),
    names.GEN_AI_USAGE_CACHE_WRITE_INPUT_TOKENS: ("cache_creation_input_tokens",),
}
_INPUTS, _OUTPUTS = "mlflow.spanInputs", "mlflow.spanOutputs"
_OPERATIONS: Final = {
    "CHAT_MODEL": Operation.CHAT,
    "LLM": Operation.TEXT_COMPLETION,
    "AGENT": Operation.INVOKE_AGENT,
    "WORKFLOW": Operation.INVOKE_WORKFLOW,
    "TOOL": Operation.EXECUTE_TOOL,
    "RETRIEVER": Operation.RETRIEVAL,
    "EMBEDDING": Operation.EMBEDDINGS,
}


def structure(span: ForeignSpan) -> dict[str, Any]:
    """The span in our names, without content."""
    attributes = span.attributes
    given = {name: parsed_json(attributes.get(f"mlflow.{name}")) for name in ("llm.model", "llm.provider")}
    metadata = mapping(attributes.get("metadata"))
    task = langgraph.task(span, {**attributes, **metadata}, span.name)
    if task is not None:
        return task
    operation = _OPERATIONS.get(str(parsed_json(attributes.get(KIND))))
    found = called(operation, span.name)
    if operation in (Operation.CHAT, Operation.TEXT_COMPLETION, Operation.EMBEDDINGS):
        found[names.GEN_AI_REQUEST_MODEL] = given["llm.model"]
        found[names.GEN_AI_PROVIDER_NAME] = provider(given["llm.provider"])
        found |= tokens(mapping(attributes.get("mlflow.chat.tokenUsage")), _USAGE)
        cost = amount(mapping(attributes.get("mlflow.llm.cost")).get("total_cost"))
        if cost is not None:
            found |= {names.MAS_COST_USD: cost, names.MAS_COST_SOURCE: "MLflow"}
    return present(found)


def content(span: ForeignSpan) -> dict[str, Any]:
    """Arguments and result of a tool, query and documents of a retriever."""
    attributes = span.attributes
    operation = _OPERATIONS.get(str(parsed_json(attributes.get(KIND))))
    inputs, outputs = parsed_json(attributes.get(_INPUTS)), parsed_json(attributes.get(_OUTPUTS))
    if operation is Operation.EXECUTE_TOOL:
        return tool_content(inputs, outputs)
    return retrieval_content(inputs, outputs) if operation is Operation.RETRIEVAL else {}


def messages(span: ForeignSpan, side: str) -> list[Any]:
    """The messages of one side: those that MLflow took out of the inputs, else those that are in them."""
    if parsed_json(span.attributes.get(KIND)) in ("TOOL", "RETRIEVER", "EMBEDDING"):
        return []
    return messages_in(parsed_json(span.attributes.get(_INPUTS if side == "input" else _OUTPUTS)), side)


__all__ = ["MARKERS", "content", "messages", "structure"]
