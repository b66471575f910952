"""Messages of an answer: the recorded parts and details of a model's message, as LangChain's `AIMessage`."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from otel_mas.model import Span
from otel_mas.record import is_described, stand_in
from otel_mas.semconv import attributes as names
from otel_mas.semconv.enums import Provider

if TYPE_CHECKING:
    from langchain_core.messages import AIMessage

_Part = Mapping[str, Any]
_URLS: Final = ("url", "image_url", "uri", "file_uri")
_MADE_UP: Final = ("run-", "lc_run-", "lc_")
"""Beginnings of the ids that LangChain makes for a message without one: anew in each run."""

_FINISH: Final = {
    Provider.ANTHROPIC: "stop_reason",
    Provider.AWS_BEDROCK: "stopReason",
    "ollama": "done_reason",
}
_MODEL_PROVIDER: Final = {
    Provider.OPENAI: "openai",
    Provider.AZURE_AI_OPENAI: "azure",
    Provider.ANTHROPIC: "anthropic",
    Provider.GCP_GEMINI: "google_genai",
    Provider.GCP_VERTEX_AI: "google_vertexai",
    Provider.AWS_BEDROCK: "bedrock_converse",
    Provider.MISTRAL_AI: "mistralai",
    Provider.X_AI: "xai",
}
"""By provider, what its LangChain integration calls itself in a response's metadata."""
_DETAILS: Final = (
    ("input_token_details", "cache_read", names.GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS),
    ("input_token_details", "cache_creation", names.GEN_AI_USAGE_CACHE_WRITE_INPUT_TOKENS),
    ("input_token_details", "audio", names.GEN_AI_USAGE_AUDIO_INPUT_TOKENS),
    ("output_token_details", "reasoning", names.GEN_AI_USAGE_REASONING_OUTPUT_TOKENS),
    ("output_token_details", "audio", names.GEN_AI_USAGE_AUDIO_OUTPUT_TOKENS),
)


def answer_message(span: Span, parts: Sequence[_Part], details: Mapping[str, Any] | None, candidate: int) -> AIMessage:
    """The message of one candidate.

    Args:
        span: of the call.
        parts: of the message, as recorded.
        details: what the message had beside its parts, as `mas.response.details` has it; None where it was not
            recorded: what the span's attributes say is then put where the provider's integration puts it.
        candidate: its number, from 0.
    """
    from langchain_core.messages import AIMessage

    known = with_stand_ins(details or {})
    calls, invalid = tool_calls(parts)
    usage = known.get("usage_metadata") if details is not None else (usage_metadata(span) if candidate == 0 else None)
    metadata = known.get("response_metadata") if details is not None else response_metadata(span, candidate)
    blocks = known.get("content")
    fields: dict[str, Any] = {
        "content": blocks if isinstance(blocks, list) else content_of(parts),
        "additional_kwargs": known.get("additional_kwargs") or {},
        "response_metadata": metadata or {},
        "tool_calls": calls,
        "invalid_tool_calls": known.get("invalid_tool_calls") or invalid,
    }
    if usage:
        fields["usage_metadata"] = usage
    identity = known.get("id")
    if identity and not str(identity).startswith(_MADE_UP):
        fields["id"] = identity
    if known.get("name"):
        fields["name"] = known["name"]
    return AIMessage(**fields)


def content_of(parts: Iterable[_Part]) -> str | list[Any]:
    """Parts as a message's content: a single text as such, else LangChain's content blocks. Without tool calls."""
    blocks = [block for part in parts if (block := _block(part)) is not None]
    if not blocks:
        return ""
    if len(blocks) == 1 and blocks[0].keys() == {"type", "text"}:
        text: str = blocks[0]["text"]
        return text
    return blocks


def text_of_parts(parts: Iterable[_Part]) -> str:
    """The texts of the parts, joined."""
    return "".join(str(part.get("content") or "") for part in parts if part.get("type") == "text")


def _block(part: _Part) -> dict[str, Any] | None:
    kind = part.get("type")
    if kind == "tool_call":
        return None
    if kind == "text":
        return {"type": "text", "text": part.get("content") or ""}
    if kind == "reasoning":
        return {"type": "reasoning", "reasoning": part.get("content") or ""}
    if kind in ("uri", "file", "blob"):
        return _media(part)
    if kind == "tool_call_response":
        return {"type": "server_tool_result", "tool_call_id": part.get("id"), "output": part.get("response")}
    return dict(part)


def _media(part: _Part) -> dict[str, Any]:
    """An image, a sound or a file; something stands in for one that was inline, whose digest alone is recorded."""
    block: dict[str, Any] = {"type": part.get("modality") or "file"}
    if part.get("mime_type"):
        block["mime_type"] = part["mime_type"]
    if part.get("uri"):
        block["url"] = part["uri"]
    elif part.get("digest"):
        block["base64"] = stand_in(part)
    else:
        block["file_id"] = part.get("file_id")
    return block


def with_stand_ins(value: Any, key: str = "") -> Any:
    """A recorded value in which base64 and `data:` URLs stand in for media whose digest alone is recorded."""
    if is_described(value):
        data = stand_in(value)
        return f"data:{value.get('mime_type') or ''};base64,{data}" if key in _URLS else data
    if isinstance(value, Mapping):
        return {name: with_stand_ins(one, str(name)) for name, one in value.items()}
    return [with_stand_ins(one, key) for one in value] if isinstance(value, list) else value


def tool_calls(parts: Iterable[_Part]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The valid and the invalid tool calls: those whose arguments are no object."""
    calls: list[dict[str, Any]] = []
    invalid: list[dict[str, Any]] = []
    for part in parts:
        if part.get("type") != "tool_call":
            continue
        arguments, name, identity = part.get("arguments"), part.get("name") or "", part.get("id")
        if isinstance(arguments, Mapping):
            calls.append({"name": name, "args": dict(arguments), "id": identity, "type": "tool_call"})
        else:
            text = arguments if isinstance(arguments, str) or arguments is None else json.dumps(arguments)
            invalid.append({"name": name, "args": text, "id": identity, "error": None, "type": "invalid_tool_call"})
    return calls, invalid


def usage_metadata(span: Span) -> dict[str, Any] | None:
    """LangChain's usage from the span's `gen_ai.usage.*`; None where the model did not say it."""
    asked, answered = span.get(names.GEN_AI_USAGE_INPUT_TOKENS), span.get(names.GEN_AI_USAGE_OUTPUT_TOKENS)
    if asked is None and answered is None:
        return None
    asked, answered = int(asked or 0), int(answered or 0)
    usage: dict[str, Any] = {"input_tokens": asked, "output_tokens": answered, "total_tokens": asked + answered}
    for side, name, attribute in _DETAILS:
        count = span.get(attribute)
        if count is not None:
            usage.setdefault(side, {})[name] = int(count)
    return usage


def response_metadata(span: Span, candidate: int = 0) -> dict[str, Any]:
    """Metadata of a response from the span's attributes, under the names that the provider's integration gives them."""
    provider = span.get(names.GEN_AI_PROVIDER_NAME)
    reasons = span.get(names.GEN_AI_RESPONSE_FINISH_REASONS) or ()
    found = {
        "model_name": span.get(names.GEN_AI_RESPONSE_MODEL) or span.get(names.GEN_AI_REQUEST_MODEL),
        "id": span.get(names.GEN_AI_RESPONSE_ID),
        "model_provider": _MODEL_PROVIDER.get(provider),
        _FINISH.get(provider, "finish_reason"): reasons[candidate] if candidate < len(reasons) else None,
    }
    return {name: value for name, value in found.items() if value is not None}


__all__ = [
    "answer_message",
    "content_of",
    "response_metadata",
    "text_of_parts",
    "tool_calls",
    "usage_metadata",
    "with_stand_ins",
]
