"""What passes into and out of marked code, as messages: texts, LangChain's, OpenAI's dictionaries, other values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final, Literal

from otel_mas.instrumentation.langchain.blocks import parts_of
from otel_mas.instrumentation.langchain.messages import MESSAGES, Plain
from otel_mas.record import recorder, snapshot

if TYPE_CHECKING:
    from opentelemetry.trace import Span

_ROLES: Final = {"input": "user", "output": "assistant"}


def say(span: Span, direction: Literal["input", "output"], values: Iterable[Any], role: str = "") -> tuple[str, ...]:
    """Record values as the messages that a span consumed or produced; their digests.

    Args:
        span: whose they are.
        direction: into it or out of it.
        values: texts, messages, lists of messages, or anything else, which is one message of its data.
        role: of whoever said what does not say it itself; by default the user's going in, the assistant's coming out.
    """
    said = [message for value in values for message in _messages(value, role or _ROLES[direction])]
    return recorder().messages(span, direction, said, MESSAGES)


def _messages(value: Any, role: str) -> Iterable[Any]:
    if value is None:
        return
    if isinstance(value, str):
        yield Plain(role, value)
    elif MESSAGES.knows(value):
        yield value
    elif _is_openai(value):
        yield _openai(value)
    elif isinstance(value, list | tuple) and value and all(MESSAGES.knows(one) or _is_openai(one) for one in value):
        for one in value:
            yield from _messages(one, role)
    else:
        yield Plain(role, [{"type": "data", "content": snapshot(value)[0]}])


def _is_openai(value: Any) -> bool:
    return isinstance(value, Mapping) and isinstance(value.get("role"), str) and "content" in value


def _openai(message: Mapping[str, Any]) -> Plain:
    role, content = message["role"], message["content"]
    if message.get("tool_call_id") is not None:
        return Plain("tool", [{"type": "tool_call_response", "id": message["tool_call_id"], "response": content}])
    blocks = [] if content is None else parts_of(content)
    for call in message.get("tool_calls") or ():
        called = call.get("function") or call
        blocks.append(
            {"type": "tool_call", "id": call.get("id"), "name": called.get("name"), "args": called.get("arguments")}
        )
    return Plain("system" if role == "developer" else role, blocks)


__all__ = ["say"]
