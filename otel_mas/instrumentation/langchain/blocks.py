"""Content blocks of LangChain and of the providers, as parts of the GenAI semantic conventions.

OpenAI (completions and responses), Anthropic, Google, and LangChain's own versions 0 and 1 have different shapes for
the same content; a message must have one digest in all of them. A block of an unknown type is kept as it is. The input
is a snapshot, of plain values.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

Part = dict[str, Any]

_TEXT = frozenset({"text", "input_text", "output_text", "text-plain"})
_REASONING = frozenset({"reasoning", "thinking", "reasoning_content"})
_CALLS = frozenset({"tool_call", "tool_use", "function_call", "server_tool_call", "server_tool_use"})
_RESULTS = frozenset({"tool_result", "function_call_output", "server_tool_result", "tool_call_response"})
# Pieces of a call that is still being streamed; the message has it whole, as a tool call.
_PIECES = frozenset({"tool_call_chunk", "server_tool_call_chunk", "input_json_delta", "invalid_tool_call"})
_MODALITIES = {
    kind: modality
    for modality, kinds in (
        ("image", ("image", "image_url", "input_image")),
        ("audio", ("audio", "input_audio")),
        ("video", ("video", "video_url")),
        ("file", ("file", "input_file", "document", "media", "inline_data", "file_data")),
    )
    for kind in kinds
}
# Keys under which a media block may hold its content.
_INNER = (
    "file",
    "input_audio",
    "image_url",
    "inline_data",
    "file_data",
    "video_url",
    "image",
    "video",
    "document",
    "source",
)
# Bedrock's blocks have one of these as their only key, and no type.
_BARE = ("image", "video", "audio", "document")
MODALITIES = ("text", "image", "audio", "video", "file")


def parts_of(content: Any, called: frozenset[str] = frozenset()) -> list[Part]:
    """The parts of a message's content.

    Args:
        content: text, or blocks.
        called: ids of the message's tool calls; blocks that repeat them are left out.
    """
    if isinstance(content, str):
        return [{"type": "text", "content": content}] if content else []
    blocks: Iterable[Any] = content if isinstance(content, list | tuple) else [content]
    return [part for block in blocks if (part := _part(block, called)) is not None]


def _part(block: Any, called: frozenset[str]) -> Part | None:
    if isinstance(block, str):
        return {"type": "text", "content": block} if block else None
    if not isinstance(block, Mapping):
        return {"type": "unknown", "value": block}
    kind = block.get("type")
    if not isinstance(kind, str):
        kind = None
    if kind in _TEXT and isinstance(text := block.get("text"), str):
        return {"type": "text", "content": text} if text else None
    if kind in _CALLS:
        return _call(block, called)
    if kind in _RESULTS:
        return _result(block)
    if kind in _PIECES:
        return None
    if kind in _REASONING and (reasoning := _reasoning(block)) is not None:
        return {"type": "reasoning", "content": reasoning}
    if kind == "non_standard" and isinstance(value := block.get("value"), Mapping):
        return _part(value, called)
    if kind is None:
        kind = next((name for name in _BARE if isinstance(block.get(name), Mapping)), None)
    if (kind in _MODALITIES or kind is None) and (media := _media(block, str(kind))) is not None:
        return media
    # Its place in the stream is not content.
    kind = block.get("type")
    kept = {str(key): value for key, value in block.items() if key not in ("type", "index")}
    return {"type": str(kind or "unknown"), **kept}


def _call(block: Mapping[str, Any], called: frozenset[str]) -> Part | None:
    # OpenAI's function_call has an id of its own; the answer refers to its call_id.
    identity = block.get("call_id") or block.get("id")
    if isinstance(identity, str) and identity in called:
        return None
    arguments = next((block[key] for key in ("args", "input", "arguments") if key in block), None)
    return {"type": "tool_call", "id": identity, "name": block.get("name"), "arguments": arguments}


def _result(block: Mapping[str, Any]) -> Part:
    identity = next((block[key] for key in ("tool_use_id", "tool_call_id", "call_id", "id") if block.get(key)), None)
    output = next((block[key] for key in ("content", "output", "response") if key in block), None)
    return {"type": "tool_call_response", "id": identity, "response": response_of(output)}


def response_of(content: Any) -> Any:
    """Result of a tool: text as text, blocks as parts."""
    if not isinstance(content, list):
        return content
    parts = parts_of(content)
    return parts[0]["content"] if len(parts) == 1 and parts[0]["type"] == "text" else parts


def _reasoning(block: Mapping[str, Any]) -> str | None:
    for key in ("reasoning", "thinking", "text", "reasoning_content", "summary"):
        value = block.get(key)
        if isinstance(value, Mapping):
            value = value.get("text")
        elif isinstance(value, list):
            value = "\n".join(str(item.get("text", "")) for item in value if isinstance(item, Mapping))
        if isinstance(value, str):
            return value
    return None


def _media(block: Mapping[str, Any], kind: str) -> Part | None:
    inner: dict[str, Any] = dict(block)
    for key in _INNER:
        if isinstance(value := inner.get(key), Mapping):
            inner |= value
    mime = inner.get("mime_type") or inner.get("media_type")
    modality = _MODALITIES.get(kind, "file")
    if mime is None and isinstance(form := inner.get("format"), str):
        mime = f"{'application' if modality == 'file' else modality}/{form}"
    if modality == "file" and isinstance(mime, str) and mime.partition("/")[0] in ("image", "audio", "video"):
        modality = mime.partition("/")[0]
    data = _first(inner, ("base64", "data", "file_data", "bytes"))
    uri = _first(inner, ("url", "file_uri", "image_url", "uri"))
    if data is None and isinstance(uri, str) and uri.startswith("data:"):
        data = uri
    if isinstance(data, str) and data.startswith("data:"):
        head, _, data = data.partition(",")
        mime = head[5:].partition(";")[0] or mime
    if data is not None:
        if inner.get("source_type") == "text" or (kind == "document" and inner.get("type") == "text"):
            return {"type": "text", "content": data}
        return {"type": "blob", "modality": modality, "mime_type": mime, "content": data}
    if uri is not None:
        return {"type": "uri", "modality": modality, "mime_type": mime, "uri": uri}
    identity = _first(inner, ("file_id",)) or (inner.get("id") if inner.get("source_type") == "id" else None)
    if identity is None:
        return None
    return {"type": "file", "modality": modality, "mime_type": mime, "file_id": identity}


def _first(block: Mapping[str, Any], keys: tuple[str, ...]) -> str | bytes | None:
    return next((value for key in keys if isinstance(value := block.get(key), str | bytes)), None)


__all__ = ["MODALITIES", "Part", "parts_of", "response_of"]
