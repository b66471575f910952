"""Vercel AI SDK: `ai.operationId`, `ai.prompt.messages`, `ai.usage.promptTokens`, `ai.toolCall.name`.

Names: https://ai-sdk.dev/docs/ai-sdk-core/telemetry. `ai.generateText` and its like enclose one call of a model for
each step (`ai.generateText.doGenerate`), whose tokens they repeat: they are no calls of models.
"""

from __future__ import annotations

from typing import Any, Final

from otel_mas.dialects.calls import NO_CALL, called, present, provider, tokens, tool_content
from otel_mas.dialects.messages import messages_in
from otel_mas.dialects.reading import Attributes, ForeignSpan, items, mapping, parsed_json, text
from otel_mas.semconv import Operation
from otel_mas.semconv import attributes as names

KIND: Final = "ai.operationId"
MARKERS: Final = frozenset({KIND})
_CALLS: Final = {
    ".doGenerate": Operation.CHAT,
    ".doStream": Operation.CHAT,
    ".doEmbed": Operation.EMBEDDINGS,
}
_TOOL: Final = "ai.toolCall"
_USAGE: Final = {
    names.GEN_AI_USAGE_INPUT_TOKENS: ("ai.usage.inputTokens", "ai.usage.promptTokens", "ai.usage.tokens"),
    names.GEN_AI_USAGE_OUTPUT_TOKENS: ("ai.usage.outputTokens", "ai.usage.completionTokens"),
    names.GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS: ("ai.usage.cachedInputTokens",),
    names.GEN_AI_USAGE_REASONING_OUTPUT_TOKENS: ("ai.usage.reasoningTokens",),
}
_METADATA: Final = "ai.telemetry.metadata."
_TEXTS: Final = ("ai.response.text", "ai.result.text", "ai.response.object", "ai.result.object")
_TOOL_CALLS: Final = ("ai.response.toolCalls", "ai.result.toolCalls")


def structure(span: ForeignSpan) -> dict[str, Any]:
    """The span in our names, without content."""
    attributes = span.attributes
    operation = _operation(attributes)
    found = _conversation(attributes)
    if operation is Operation.EXECUTE_TOOL:
        found |= called(operation, text(attributes, "ai.toolCall.name") or span.name)
        found[names.GEN_AI_TOOL_CALL_ID] = text(attributes, "ai.toolCall.id")
        return present(found)
    found |= present(
        {
            names.GEN_AI_REQUEST_MODEL: text(attributes, "ai.model.id"),
            names.GEN_AI_RESPONSE_MODEL: text(attributes, "ai.response.model"),
            names.GEN_AI_PROVIDER_NAME: provider(text(attributes, "ai.model.provider", "gen_ai.system")),
            **tokens(attributes, _USAGE),
        }
    )
    if operation is not None:
        return found | called(operation)
    function = text(attributes, "ai.telemetry.functionId")
    return found | (dict(NO_CALL) if function is None else called(Operation.INVOKE_AGENT, function))


def _operation(attributes: Attributes) -> Operation | None:
    named = str(attributes.get(KIND))
    if named == _TOOL:
        return Operation.EXECUTE_TOOL
    return next((operation for end, operation in _CALLS.items() if named.endswith(end)), None)


def _conversation(attributes: Attributes) -> dict[str, Any]:
    """The conversation that the app gave as metadata."""
    session = text(attributes, *(f"{_METADATA}{key}" for key in ("sessionId", "threadId", "conversationId", "chatId")))
    return {} if session is None else {names.GEN_AI_CONVERSATION_ID: session}


def content(span: ForeignSpan) -> dict[str, Any]:
    """Arguments and result of a tool."""
    attributes = span.attributes
    if attributes.get(KIND) != _TOOL:
        return {}
    return tool_content(attributes.get("ai.toolCall.args"), attributes.get("ai.toolCall.result"))


def messages(span: ForeignSpan, side: str) -> list[Any]:
    """The messages of one side; of an enclosing span those that the app gave, in place of the whole prompt."""
    attributes = span.attributes
    if side == "output":
        calls, answer = items(text(attributes, *_TOOL_CALLS)), text(attributes, *_TEXTS)
        return [{"role": "assistant", "content": answer, "tool_calls": calls}] if answer or calls else []
    if "ai.prompt.messages" in attributes:
        return messages_in(parsed_json(attributes["ai.prompt.messages"]), side)
    given = mapping(attributes.get("ai.prompt"))
    system = [{"role": "system", "content": given["system"]}] if given.get("system") else []
    return [*system, *messages_in(given.get("messages") or given.get("prompt"), side)]


__all__ = ["MARKERS", "content", "messages", "structure"]
