"""OpenTelemetry's conventions for generative AI: v0.1.0 and every older form in use.

Older: `gen_ai.system`, `gen_ai.usage.prompt_tokens`, `gen_ai.workflow.name`, `gen_ai.prompt.0.role`,
`gen_ai.usage.cache_creation.input_tokens`; and `llm.*`, before the conventions existed.
"""

from __future__ import annotations

from typing import Any, Final

from otel_mas.dialects.messages import numbered
from otel_mas.dialects.reading import Attributes, ForeignSpan, count, first, parsed_json, text
from otel_mas.semconv import Operation, RecordKind, record_kind
from otel_mas.semconv import attributes as names

MARKERS: Final = frozenset(
    {names.GEN_AI_OPERATION_NAME, "gen_ai.system", names.GEN_AI_PROVIDER_NAME, names.GEN_AI_TOOL_NAME}
    | {names.GEN_AI_REQUEST_MODEL, names.GEN_AI_AGENT_NAME, "llm.request.type", "gen_ai.workflow.name"}
)
TOKENS: Final[dict[str, tuple[str, ...]]] = {
    names.GEN_AI_USAGE_INPUT_TOKENS: ("gen_ai.usage.prompt_tokens", "llm.usage.prompt_tokens"),
    names.GEN_AI_USAGE_OUTPUT_TOKENS: ("gen_ai.usage.completion_tokens", "llm.usage.completion_tokens"),
    names.GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS: ("gen_ai.usage.cache_read_input_tokens",),
    names.GEN_AI_USAGE_CACHE_WRITE_INPUT_TOKENS: (
        "gen_ai.usage.cache_creation.input_tokens",
        "gen_ai.usage.cache_creation_input_tokens",
    ),
    names.GEN_AI_USAGE_REASONING_OUTPUT_TOKENS: ("gen_ai.usage.reasoning_tokens",),
}
"""A count → its older names."""
TOTALS: Final = ("gen_ai.usage.total_tokens", "llm.usage.total_tokens")
PREFIXES: Final = {"input": "gen_ai.prompt.", "output": "gen_ai.completion."}
_LISTS: Final = {"input": names.GEN_AI_INPUT_MESSAGES, "output": names.GEN_AI_OUTPUT_MESSAGES}
_WORKFLOW_NAME: Final = "gen_ai.workflow.name"
_TEXTS: Final = {
    names.GEN_AI_PROVIDER_NAME: ("gen_ai.system", "llm.vendor"),
    names.GEN_AI_REQUEST_MODEL: ("llm.request.model",),
    names.GEN_AI_RESPONSE_MODEL: ("llm.response.model",),
}
_REQUESTS: Final = {
    "chat": Operation.CHAT,
    "completion": Operation.TEXT_COMPLETION,
    "embedding": Operation.EMBEDDINGS,
    "rerank": Operation.RETRIEVAL,
}
"""Values of `llm.request.type`."""
_USAGE: Final = (names.GEN_AI_USAGE_OUTPUT_TOKENS, *TOKENS[names.GEN_AI_USAGE_OUTPUT_TOKENS])


def structure(span: ForeignSpan) -> dict[str, Any]:
    """The span in our names, without content; what it says in them already is left out."""
    attributes = span.attributes
    operation = _operation(attributes)
    kind = record_kind(operation) if operation is not None else None
    found: dict[str, Any] = {}
    if operation is not None and names.GEN_AI_OPERATION_NAME not in attributes:
        found[names.GEN_AI_OPERATION_NAME] = operation
    if kind is not None:
        found[names.MAS_RECORD_KIND] = kind.value
    for ours, older in _TEXTS.items():
        if ours not in attributes and (known := text(attributes, *older)):
            found[ours] = known
    if kind == RecordKind.LLM_CALL:
        for ours, older in TOKENS.items():
            if ours not in attributes and (tokens := count(first(attributes, older))) is not None:
                found[ours] = tokens
    elif kind == RecordKind.WORKFLOW and names.GEN_AI_AGENT_NAME not in attributes:
        found[names.GEN_AI_AGENT_NAME] = text(attributes, _WORKFLOW_NAME)
    if names.GEN_AI_CONVERSATION_ID not in attributes and (session := text(attributes, names.SESSION_ID)):
        found[names.GEN_AI_CONVERSATION_ID] = session
    return found


def _operation(attributes: Attributes) -> str | None:
    """The operation; of a span that names none, the one that its attributes are of."""
    known = attributes.get(names.GEN_AI_OPERATION_NAME)
    if isinstance(known, str):
        return known
    request = _REQUESTS.get(str(attributes.get("llm.request.type")))
    if request is not None:
        return request.value
    if attributes.get(names.GEN_AI_TOOL_NAME) is not None:
        return Operation.EXECUTE_TOOL.value
    if text(attributes, names.GEN_AI_REQUEST_MODEL, "llm.request.model") and first(attributes, _USAGE) is not None:
        return Operation.CHAT.value
    return None


def content(span: ForeignSpan) -> dict[str, Any]:
    """None beyond what is in our names already."""
    return {}


def messages(span: ForeignSpan, side: str) -> list[Any]:
    """The messages of one side, the system's instructions first."""
    attributes = span.attributes
    found: list[Any] = []
    if side == "input" and (parts := parsed_json(attributes.get(names.GEN_AI_SYSTEM_INSTRUCTIONS))):
        found.append({"role": "system", "content": parts})
    listed = parsed_json(attributes.get(_LISTS[side]))
    if isinstance(listed, list):
        return found + [one for one in listed if isinstance(one, dict)]
    return found + numbered(PREFIXES[side], attributes)


__all__ = ["MARKERS", "PREFIXES", "TOKENS", "TOTALS", "content", "messages", "structure"]
