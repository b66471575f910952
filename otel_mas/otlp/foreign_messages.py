"""Messages in the attributes of other instrumentation's spans, as the GenAI conventions have messages.

Three vocabularies: OpenTelemetry's own (`gen_ai.input.messages`), OpenInference's (`llm.input_messages.0.message.role`)
and OpenLLMetry's (`gen_ai.prompt.0.role`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import orjson

from otel_mas.semconv import attributes as names

_FLAT: Final = {
    "input": ("llm.input_messages.", "gen_ai.prompt."),
    "output": ("llm.output_messages.", "gen_ai.completion."),
}
MESSAGE_PREFIXES: Final = tuple(prefix for prefixes in _FLAT.values() for prefix in prefixes)
"""Beginnings of the names that hold a message each, or a piece of one."""
_LISTS: Final = {"input": names.GEN_AI_INPUT_MESSAGES, "output": names.GEN_AI_OUTPUT_MESSAGES}
_ROLES = {"input": "user", "output": "assistant"}
_MAX_INDEX = 100_000

_Body = dict[str, Any]


def foreign_messages(side: str, attributes: Mapping[str, Any]) -> list[_Body]:
    """The messages that a span consumed (`input`) or produced (`output`): role and parts, in order."""
    found = []
    if side == "input" and (parts := parsed_json(attributes.get(names.GEN_AI_SYSTEM_INSTRUCTIONS))):
        found.append(message_of({"role": "system", "content": parts}))
    listed = parsed_json(attributes.get(_LISTS[side]))
    if isinstance(listed, list):
        return found + [message_of(one, _ROLES[side]) for one in listed if isinstance(one, Mapping)]
    for prefix in _FLAT[side]:
        if nested := _nested(prefix, attributes):
            return found + [message_of(one.get("message", one), _ROLES[side]) for one in nested]
    return found


def message_of(message: Any, role: str = "") -> _Body:
    """A message as role and parts, whatever dialect it is written in; what else it has is transport.

    Args:
        message: a mapping with `parts`, or with `content` and `tool_calls`; anything else is the text.
        role: where it names none.
    """
    if not isinstance(message, Mapping):
        message = {"content": message}
    parts = message.get("parts")
    role = str(message.get("role", role))
    if isinstance(parts, list):
        return {"role": role, "parts": [_part(part) for part in parts]}
    found = [*_content(message.get("content")), *_content(message.get("contents"))]
    calls = [_call(call) for call in _items(message.get("tool_calls"))]
    answered = message.get("tool_call_id")
    if answered is not None and not calls:
        text = found[0].get("content") if len(found) == 1 else found
        found = [{"type": "tool_call_response", "id": answered, "response": text}]
    return {"role": role, "parts": [*found, *calls]}


def _part(part: Any) -> Any:
    """A part as it is stored: a blob that left as a file, named by its digest, is a blob again."""
    if not isinstance(part, Mapping) or part.get("type") != "file" or "digest" not in part:
        return part
    own = part.get("file_id") == f"blake2b:{part['digest']}"
    return {name: value for name, value in part.items() if name != "file_id"} | {"type": "blob"} if own else part


def _content(content: Any) -> Iterator[_Body]:
    if content is None or content == "":
        return
    content = parsed_json(content) if isinstance(content, str) and content.startswith("[{") else content
    for item in _items(content) if not isinstance(content, str) else [content]:
        item = item.get("message_content", item) if isinstance(item, Mapping) else item
        if not isinstance(item, Mapping):
            yield {"type": "text", "content": item}
        elif item.get("type", "text") == "text" and "text" in item:
            yield {"type": "text", "content": item["text"]}
        else:
            yield {"type": "text", **item}


def _call(call: Any) -> _Body:
    call = call.get("tool_call", call) if isinstance(call, Mapping) else {"name": call}
    function = call.get("function")
    called = function if isinstance(function, Mapping) else call
    arguments = parsed_json(called.get("arguments"))
    return {"type": "tool_call", "id": call.get("id"), "name": called.get("name"), "arguments": arguments}


def _nested(prefix: str, attributes: Mapping[str, Any]) -> list[Any]:
    """`prefix0.a.b` and its like as a list of mappings, by the numbers in the names."""
    root: dict[str, Any] = {}
    for name, value in attributes.items():
        if not name.startswith(prefix):
            continue
        at, steps = root, name.removeprefix(prefix).split(".")
        for step in steps[:-1]:
            inner = at.get(step)
            if not isinstance(inner, dict):
                inner = at[step] = {}
            at = inner
        at[steps[-1]] = value
    numbered = _by_number(root)
    return [one for one in numbered if isinstance(one, Mapping)] if isinstance(numbered, list) else []


def _by_number(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    if value and all(name.isdecimal() and len(name) <= len(str(_MAX_INDEX)) for name in value):
        return [_by_number(item) for _, item in sorted(value.items(), key=lambda pair: int(pair[0]))]
    return {name: _by_number(item) for name, item in value.items()}


def _items(value: Any) -> list[Any]:
    if value is None:
        return []
    return list(value) if isinstance(value, list | tuple) else [value]


def parsed_json(value: Any) -> Any:
    """An attribute's value that is JSON text, or has the same structure; text that is no JSON as it is."""
    if not isinstance(value, str):
        return with_lists(value)
    try:
        return orjson.loads(value)
    except ValueError:
        return value


def with_lists(value: Any) -> Any:
    """An attribute's value with lists in place of tuples, as JSON has it."""
    if isinstance(value, tuple | list):
        return [with_lists(item) for item in value]
    return {name: with_lists(item) for name, item in value.items()} if isinstance(value, Mapping) else value


__all__ = ["MESSAGE_PREFIXES", "foreign_messages", "message_of", "parsed_json", "with_lists"]
