"""Attributes of calls of models, tools and retrievers and of agents, from what a dialect says of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from otel_mas.dialects.reading import Attributes, count, first, parsed_json
from otel_mas.semconv import Operation, RecordKind, record_kind
from otel_mas.semconv import attributes as names

NO_CALL: Final[Mapping[str, Any]] = {
    names.MAS_RECORD_KIND: None,
    names.GEN_AI_OPERATION_NAME: None,
    names.GEN_AI_AGENT_NAME: None,
}
"""Attributes of a span that is no work with a kind, whatever its operation says."""
_PROVIDERS: Final = {
    "amazon-bedrock": "aws.bedrock",
    "azure": "azure.ai.openai",
    "azure-openai": "azure.ai.openai",
    "az.ai.openai": "azure.ai.openai",
    "az.ai.inference": "azure.ai.inference",
    "aws": "aws.bedrock",
    "bedrock": "aws.bedrock",
    "gemini": "gcp.gemini",
    "google": "gcp.gemini",
    "google.generative-ai": "gcp.gemini",
    "google.vertex": "gcp.vertex_ai",
    "gcp.vertex.agent": "gcp.gemini",
    "mistral": "mistral_ai",
    "mistralai": "mistral_ai",
    "vertex_ai": "gcp.vertex_ai",
    "vertexai": "gcp.vertex_ai",
    "xai": "x_ai",
}
"""Names of providers → those of the conventions."""
NO_PROVIDERS: Final = frozenset({"unknown", "langchain", "langgraph", "langsmith"})
_APIS: Final = frozenset({"chat", "responses", "messages", "completion", "embedding", "generative-ai"})
"""Ends of a provider's name that name one of its APIs: `openai.responses`."""


def called(operation: Operation | None, name: str | None = None) -> dict[str, Any]:
    """The kind of a call, and the name of a tool or an agent; nothing for no operation.

    Args:
        name: of the tool, the agent or the workflow.
    """
    if operation is None:
        return {}
    found: dict[str, Any] = {names.GEN_AI_OPERATION_NAME: operation.value}
    kind = record_kind(operation)
    if kind is not None:
        found[names.MAS_RECORD_KIND] = kind.value
    if kind == RecordKind.TOOL_CALL:
        found[names.GEN_AI_TOOL_NAME] = name
    elif kind in (RecordKind.AGENT_TASK, RecordKind.WORKFLOW):
        found[names.GEN_AI_AGENT_NAME] = name
    return found


def tokens(attributes: Attributes, keys: Mapping[str, tuple[str, ...]]) -> dict[str, int]:
    """Counts of tokens; those that are not there are left out.

    Args:
        keys: a count in our names → its names, the first of which that is there counts.
    """
    found = {ours: count(first(attributes, theirs)) for ours, theirs in keys.items()}
    return {name: value for name, value in found.items() if value is not None}


def provider(name: object) -> str | None:
    """The provider as the conventions name it; None for what names none."""
    if not isinstance(name, str) or not name or name.lower() in NO_PROVIDERS:
        return None
    name = name.lower()
    head, _, api = name.rpartition(".")
    known = _PROVIDERS.get(name) or (head if api in _APIS and head else name)
    return _PROVIDERS.get(known, known)


def tool_content(arguments: Any, result: Any) -> dict[str, Any]:
    """Arguments and result of a tool's call."""
    return {
        names.GEN_AI_TOOL_CALL_ARGUMENTS: parsed_json(arguments),
        names.GEN_AI_TOOL_CALL_RESULT: parsed_json(result),
    }


def retrieval_content(query: Any, documents: Any) -> dict[str, Any]:
    """Query and documents of a retriever's call."""
    if isinstance(query, Mapping):
        query = next((query[key] for key in ("query", "input", "question") if isinstance(query.get(key), str)), None)
    return {
        names.GEN_AI_RETRIEVAL_QUERY_TEXT: query,
        names.GEN_AI_RETRIEVAL_DOCUMENTS: parsed_json(documents),
    }


def present(found: Mapping[str, Any]) -> dict[str, Any]:
    """The attributes that have a value."""
    return {name: value for name, value in found.items() if value is not None}


__all__ = ["NO_CALL", "NO_PROVIDERS", "called", "present", "provider", "retrieval_content", "tokens", "tool_content"]
