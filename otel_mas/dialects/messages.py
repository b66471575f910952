"""Messages in the forms in which programs note them, as the GenAI conventions have messages: role and parts, in order.

Forms: of the conventions, OpenAI, Anthropic, Gemini, LangChain (serialized, or as `type` and `data`), the Vercel AI
SDK, and lists in the names of attributes (`llm.input_messages.0.message.role`, `gen_ai.prompt.0.role`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from otel_mas.dialects.reading import Attributes, parsed_json

ROLES: Final = {"input": "user", "output": "assistant"}
"""Role of a message that names none, by the side of its span."""
_NAMED: Final = {
    "human": "user",
    "HumanMessage": "user",
    "ai": "assistant",
    "AIMessage": "assistant",
    "model": "assistant",
    "SystemMessage": "system",
    "ToolMessage": "tool",
    "function": "tool",
}
"""Roles, and classes of messages, by other names."""
_TYPED: Final = ("human", "ai", "system", "tool", "function")
"""Values of `type` by which LangChain names a role. A tuple, for a `type` may be anything, also what has no hash."""
_LISTS: Final = ("messages", "generations", "choices", "candidates", "prompts", "new_message")
_TEXTS: Final = ("raw", "input", "output", "query", "question", "answer", "text", "prompt", "content")
_MAX_INDEX: Final = 100_000
_MAX_DEPTH: Final = 8

Body = dict[str, Any]


def messages_in(given: Any, side: str) -> list[Body]:
    """The messages in a structure, in their order; a text is one."""
    return list(_found(given, ROLES.get(side, side), _MAX_DEPTH))


def _found(given: Any, role: str, depth: int) -> Iterator[Body]:
    if depth <= 0:
        return
    if isinstance(given, str):
        if given:
            yield message_of(given, role)
    elif isinstance(given, list):
        if given and all(isinstance(one, Mapping) and "toolName" in one for one in given):
            yield message_of({"role": role, "tool_calls": given})
            return
        for one in given:
            yield from _found(one, role, depth - 1)
    elif isinstance(given, Mapping):
        inner = next((given[key] for key in _LISTS if isinstance(given.get(key), list | Mapping)), given.get("message"))
        if inner is None and isinstance(given.get("content"), Mapping):
            inner = given["content"]
        if inner is not None and "role" not in given:
            yield from _found(inner, role, depth - 1)
        elif "lc" in given or given.get("type") in _TYPED or "role" in given or "parts" in given:
            yield message_of(given, role)
        elif (text := next((given[key] for key in _TEXTS if isinstance(given.get(key), str)), None)) is not None:
            yield message_of(text, role)


def message_of(message: Any, role: str = "") -> Body:
    """A message as role and parts, whatever form it is written in; what else it has is transport.

    Args:
        message: a mapping with `parts`, or with `content` and `tool_calls`; anything else is the text.
        role: where it names none.
    """
    if not isinstance(message, Mapping):
        message = {"content": message}
    message, named = _fields(message)
    role = _NAMED.get(named or role, named or role)
    parts = message.get("parts")
    if isinstance(parts, list):
        found = [_part(part) for part in parts]
        return {"role": _role(role, found), "parts": found}
    found = [*_content(message.get("content")), *_content(message.get("contents"))]
    known = {str(part["id"]) for part in found if part.get("type") == "tool_call" and part.get("id")}
    calls = [call for one in _calls(message) if str((call := _call(one))["id"]) not in known]
    answered = message.get("tool_call_id")
    if answered is not None and not calls:
        found = [{"type": "tool_call_response", "id": answered, "response": _answer(message.get("content"), found)}]
    found += calls
    return {"role": _role(role, found), "parts": found}


def _role(role: str, parts: list[Any]) -> str:
    """The role of a message; of one with nothing but answers of tools, or calls of them, the role that has these.

    Gemini and Anthropic give answers to the user, Koog calls to the tool.
    """
    if role == "user" and _all_are("tool_call_response", parts):
        return "tool"
    return "assistant" if role == "tool" and _all_are("tool_call", parts) else role


def _all_are(kind: str, parts: list[Any]) -> bool:
    return bool(parts) and all(isinstance(part, Mapping) and part.get("type") == kind for part in parts)


def _answer(content: Any, parts: list[Body]) -> Any:
    if isinstance(content, str):
        return content
    return parts[0].get("content") if len(parts) == 1 else parts


def _fields(message: Mapping[str, Any]) -> tuple[Mapping[str, Any], str]:
    """The fields of a message, and its role; LangChain has them in `kwargs` or `data`, and the role in a type."""
    if "lc" in message and isinstance(message.get("kwargs"), Mapping):
        kind = message.get("id")
        named = str(kind[-1]).removesuffix("Chunk") if isinstance(kind, list) and kind else ""
        return message["kwargs"], named
    if message.get("type") in _TYPED and "role" not in message:
        data = message.get("data")
        return (data if isinstance(data, Mapping) else message), str(message["type"])
    return message, str(message.get("role") or "")


def _calls(message: Mapping[str, Any]) -> list[Any]:
    """Calls of tools beside the content: where a message has none, those as the provider gave them to LangChain."""
    more = message.get("additional_kwargs")
    return _items(message.get("tool_calls")) or _items(more.get("tool_calls") if isinstance(more, Mapping) else None)


def with_arguments(message: Body) -> Body:
    """The message with arguments of tool calls that came as JSON text as what they are."""
    return {**message, "parts": [_with_arguments(part) for part in message["parts"]]}


def _with_arguments(part: Any) -> Any:
    if not isinstance(part, Mapping) or part.get("type") != "tool_call" or not isinstance(part.get("arguments"), str):
        return part
    return {**part, "arguments": parsed_json(part["arguments"])}


def _part(part: Any) -> Any:
    """A part as it is stored: a blob that left as a file, named by its digest, is a blob again."""
    if not isinstance(part, Mapping):
        return part
    if "type" not in part:
        return _untyped(part)
    if part["type"] == "tool_call_response" and "response" not in part:
        return {"type": "tool_call_response", "id": part.get("id"), "response": part.get("result")}
    if part.get("type") != "file" or "digest" not in part:
        return part
    own = part.get("file_id") == f"blake2b:{part['digest']}"
    return {name: value for name, value in part.items() if name != "file_id"} | {"type": "blob"} if own else part


def _untyped(part: Mapping[str, Any]) -> Body:
    """A part of Gemini's, which names its type by its only field: ai.google.dev/api/caching#Part."""
    call = part.get("function_call", part.get("functionCall"))
    if isinstance(call, Mapping):
        return {"type": "tool_call", "id": call.get("id"), "name": call.get("name"), "arguments": call.get("args")}
    answer = part.get("function_response", part.get("functionResponse"))
    if isinstance(answer, Mapping):
        return {"type": "tool_call_response", "id": answer.get("id"), "response": answer.get("response")}
    if isinstance(part.get("text"), str):
        return {"type": "reasoning" if part.get("thought") is True else "text", "content": part["text"]}
    return {"type": "text", **part}


def _content(content: Any) -> Iterator[Body]:
    if content is None or content == "":
        return
    if isinstance(content, str) and content.startswith("[{"):
        listed = parsed_json(content)
        content = listed if isinstance(listed, list) and all(map(_is_part, listed)) else content
    for item in _items(content) if not isinstance(content, str) else [content]:
        item = item.get("message_content", item) if isinstance(item, Mapping) else item
        if not isinstance(item, Mapping):
            yield {"type": "text", "content": item}
        else:
            yield _item(item)


def _is_part(item: Any) -> bool:
    return isinstance(item, Mapping) and any(key in item for key in ("type", "text", "message_content"))


def _item(item: Mapping[str, Any]) -> Body:
    """An item of a message's content: Anthropic's blocks, OpenAI's parts, the Vercel AI SDK's."""
    kind = item.get("type", "text")
    if kind == "tool_use":
        return {"type": "tool_call", "id": item.get("id"), "name": item.get("name"), "arguments": item.get("input")}
    if kind == "tool_result":
        return {"type": "tool_call_response", "id": item.get("tool_use_id"), "response": item.get("content")}
    if kind == "tool-call":
        given = item.get("input", item.get("args"))
        called = {"id": item.get("toolCallId"), "name": item.get("toolName"), "arguments": parsed_json(given)}
        return {"type": "tool_call", **called}
    if kind == "tool-result":
        answer = item.get("output", item.get("result"))
        return {"type": "tool_call_response", "id": item.get("toolCallId"), "response": answer}
    if kind == "function" and isinstance(item.get("function"), Mapping):
        return _call(item)
    if kind == "text" and "text" in item:
        return {"type": "text", "content": item["text"]}
    return {"type": "text", **item}


def _call(call: Any) -> Body:
    call = call.get("tool_call", call) if isinstance(call, Mapping) else {"name": call}
    function = call.get("function")
    called = function if isinstance(function, Mapping) else call
    given = next((called[key] for key in ("arguments", "args", "input") if key in called), None)
    return {
        "type": "tool_call",
        "id": call.get("id", call.get("toolCallId")),
        "name": called.get("name", called.get("toolName")),
        "arguments": parsed_json(given),
    }


def numbered(prefix: str, attributes: Attributes) -> list[Any]:
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
    found = _by_number(root)
    return [one for one in found if isinstance(one, Mapping)] if isinstance(found, list) else []


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


__all__ = ["ROLES", "message_of", "messages_in", "numbered", "with_arguments"]
