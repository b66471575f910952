"""OpenTelemetry's conventions for generative AI: v0.1.0 and every older form in use.

Older: `gen_ai.system`, `gen_ai.usage.prompt_tokens`, `gen_ai.workflow.name`, `gen_ai.prompt.0.role`,
`gen_ai.usage.cache_creation.input_tokens`; and `llm.*`, before the conventions existed.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from otel_mas.dialects.calls import provider, tokens, tool_content
from otel_mas.dialects.messages import messages_in, numbered
from otel_mas.dialects.reading import Attributes, ForeignSpan, first, mapping, parsed_json, text
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
OLDER_TOKENS: Final = frozenset(name for older in TOKENS.values() for name in older)
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
_ARGUMENTS: Final = ("gen_ai.tool.arguments", "gen_ai.tool.input", "gen_ai.tool.parameters", "input.value")
_RESULTS: Final = ("gen_ai.tool.result", "gen_ai.tool.output", "output.value")
_CHOICE: Final = "gen_ai.choice"
_MESSAGE_EVENTS: Final = {
    "gen_ai.system.message": "system",
    "gen_ai.user.message": "user",
    "gen_ai.assistant.message": "assistant",
    "gen_ai.tool.message": "tool",
    _CHOICE: "assistant",
}
"""Events that have one message each, until 1.37 of the conventions → its role."""
_CONTENT_EVENTS: Final = {"input": "gen_ai.content.prompt", "output": "gen_ai.content.completion"}
"""Events that have all messages of a side, until 1.27."""
_BODIES: Final = ("gen_ai.event.content", "event.body")
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
    if names.GEN_AI_PROVIDER_NAME in found:
        found[names.GEN_AI_PROVIDER_NAME] = provider(found[names.GEN_AI_PROVIDER_NAME])
    if not OLDER_TOKENS.isdisjoint(attributes):
        found |= {name: value for name, value in tokens(attributes, TOKENS).items() if name not in attributes}
    if kind == RecordKind.WORKFLOW and names.GEN_AI_AGENT_NAME not in attributes:
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
    """Arguments and result of a tool under names that frameworks gave them before the conventions did."""
    attributes = span.attributes
    if names.GEN_AI_TOOL_NAME not in attributes:
        return {}
    return tool_content(first(attributes, _ARGUMENTS), first(attributes, _RESULTS))


def messages(span: ForeignSpan, side: str) -> list[Any]:
    """The messages of one side, the system's instructions first."""
    attributes = span.attributes
    found: list[Any] = []
    if side == "input" and (parts := parsed_json(attributes.get(names.GEN_AI_SYSTEM_INSTRUCTIONS))):
        found.append({"role": "system", "content": parts})
    listed = parsed_json(attributes.get(_LISTS[side]))
    if isinstance(listed, list):
        given = [one for one in listed if isinstance(one, dict)]
        return given if given and given[0].get("role") == "system" else found + given
    return found + (numbered(PREFIXES[side], attributes) or list(_in_events(span, side)))


def _in_events(span: ForeignSpan, side: str) -> Iterator[Any]:
    """The messages in events: one for each, or all of a side in one."""
    for name, attributes in span.events():
        if name == _CONTENT_EVENTS[side]:
            yield from messages_in(parsed_json(first(attributes, (PREFIXES[side][:-1], *_BODIES))), side)
        elif name in _MESSAGE_EVENTS and (name == _CHOICE) == (side == "output"):
            body = mapping(first(attributes, _BODIES)) or {key: parsed_json(one) for key, one in attributes.items()}
            message = mapping(body.get("message")) or {**body, "content": body.get("content", body.get("message"))}
            yield {"role": _MESSAGE_EVENTS[name], **message}


__all__ = ["MARKERS", "OLDER_TOKENS", "PREFIXES", "TOKENS", "TOTALS", "content", "messages", "structure"]
