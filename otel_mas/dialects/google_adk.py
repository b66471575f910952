"""Google's Agent Development Kit: `gcp.vertex.agent.llm_request`, `.llm_response`, `.tool_call_args`, `.session_id`.

Names: https://github.com/google/adk-python, `src/google/adk/telemetry`. The answers of tools that ran side by side come
again in a span of their own, `execute_tool (merged tools)`, which is no call.
"""

from __future__ import annotations

import re
from typing import Any, Final

from otel_mas.dialects.calls import NO_CALL, called, present, provider, tool_content
from otel_mas.dialects.messages import message_of
from otel_mas.dialects.reading import Attributes, ForeignSpan, count, mapping, text
from otel_mas.semconv import Operation
from otel_mas.semconv import attributes as names

_PREFIX: Final = "gcp.vertex.agent."
MARKERS: Final = frozenset(
    f"{_PREFIX}{name}" for name in ("llm_request", "llm_response", "invocation_id", "event_id", "session_id")
)
_BRACKETS: Final = re.compile(r"^(?:agent_run|invoke_agent) \[?([^\]]+)\]?$")
_EMPTY: Final = ("", "{}")
_COUNTS: Final = {
    names.GEN_AI_USAGE_INPUT_TOKENS: "prompt_token_count",
    names.GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS: "cached_content_token_count",
    names.GEN_AI_USAGE_REASONING_OUTPUT_TOKENS: "thoughts_token_count",
}


def structure(span: ForeignSpan) -> dict[str, Any]:
    """The span in our names, without content."""
    attributes = span.attributes
    found: dict[str, Any] = {
        names.GEN_AI_CONVERSATION_ID: text(attributes, names.GEN_AI_CONVERSATION_ID, f"{_PREFIX}session_id"),
        names.GEN_AI_PROVIDER_NAME: provider(text(attributes, names.GEN_AI_PROVIDER_NAME, "gen_ai.system")),
    }
    tool = text(attributes, names.GEN_AI_TOOL_NAME)
    if tool is not None:
        return {**present(found), **(NO_CALL if tool.startswith("(merged") else called(Operation.EXECUTE_TOOL, tool))}
    if _has(attributes, "llm_request") or _has(attributes, "llm_response"):
        return present(found | called(Operation.CHAT) | _usage(attributes))
    if agent := _BRACKETS.match(span.name):
        found |= called(Operation.INVOKE_AGENT, text(attributes, names.GEN_AI_AGENT_NAME) or agent[1])
    return present(found)


def _usage(attributes: Attributes) -> dict[str, Any]:
    """Tokens of the response. Gemini counts thoughts beside the candidates."""
    usage = mapping(mapping(attributes.get(f"{_PREFIX}llm_response")).get("usage_metadata"))
    found: dict[str, Any] = {ours: count(usage.get(theirs)) for ours, theirs in _COUNTS.items()}
    wrote, thought = count(usage.get("candidates_token_count")), found[names.GEN_AI_USAGE_REASONING_OUTPUT_TOKENS]
    if wrote is not None:
        found[names.GEN_AI_USAGE_OUTPUT_TOKENS] = wrote + (thought or 0)
    return found


def _has(attributes: Attributes, name: str) -> bool:
    value = attributes.get(f"{_PREFIX}{name}")
    return value is not None and value not in _EMPTY


def content(span: ForeignSpan) -> dict[str, Any]:
    """Arguments and result of a tool."""
    attributes = span.attributes
    if names.GEN_AI_TOOL_NAME not in attributes:
        return {}
    return tool_content(attributes.get(f"{_PREFIX}tool_call_args"), attributes.get(f"{_PREFIX}tool_response"))


def messages(span: ForeignSpan, side: str) -> list[Any]:
    """The messages of a request, the system's instructions first, or of a response."""
    if side == "output":
        answer = mapping(mapping(span.attributes.get(f"{_PREFIX}llm_response")).get("content"))
        return [message_of(answer, "assistant")] if answer else []
    request = mapping(span.attributes.get(f"{_PREFIX}llm_request"))
    system = mapping(request.get("config")).get("system_instruction")
    first = [{"role": "system", "content": system}] if isinstance(system, str) and system else []
    contents = request.get("contents")
    return [*first, *(contents if isinstance(contents, list) else ())]


__all__ = ["MARKERS", "content", "messages", "structure"]
