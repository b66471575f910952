"""Inputs and outputs of marked code as messages: texts, LangChain's, OpenAI's dictionaries, other values."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from otel_mas.instrumentation.langchain.blocks import parts_of
from otel_mas.instrumentation.langchain.messages import MESSAGES, Plain
from otel_mas.record import Cause, field_of, items_of, recorder, snapshot, text_of
from otel_mas.semconv.enums import LinkKind

if TYPE_CHECKING:
    from opentelemetry.trace import Span

    from otel_mas.record import Actor


def consumed(
    span: Span, values: Iterable[Any], actor: Actor | None, *, role: str = "user", linked: bool = False
) -> None:
    """Record the messages that a span consumed, with links to their writers.

    Args:
        span: the consumer.
        values: texts, messages, lists of messages, or anything else, which is one message of its data.
        actor: their reader.
        role: the role of values that have none.
        linked: the span has a link to the writer already.
    """
    messages = [message for value in values for message in messages_of(value, role)]
    digests = recorder().messages(span, "input", messages, MESSAGES)
    if actor is not None and digests and not linked:
        writers = actor.provenance.record_read(actor, actor.path, digests, messages)
        recorder().add_causes(span, [Cause(context, LinkKind.MESSAGE) for context in writers])


def produced(span: Span, values: Iterable[Any], actor: Actor | None) -> tuple[str, ...]:
    """Record the messages that a span produced, and their writer; return their digests.

    Their role is an agent's: so the same text has the same digest here and as a model's answer.
    """
    messages = [message for value in values for message in messages_of(value, "assistant")]
    digests = recorder().messages(span, "output", messages, MESSAGES)
    if actor is not None and digests:
        actor.provenance.record_write(actor.path, span.get_span_context(), digests, messages, given=tuple)
    return digests


def messages_of(value: Any, role: str = "user") -> Iterable[Any]:
    """The messages that a value is, as they are recorded; plain values are one message of data, in this role."""
    if value is None:
        return
    if (text := text_of(value)) is not None:
        yield Plain(role, text)
    elif MESSAGES.knows(value):
        yield value
    elif _is_openai(value):
        yield _openai(snapshot(value)[0])
    elif (items := items_of(value)) and all(MESSAGES.knows(one) or _is_openai(one) for one in items):
        for one in items:
            yield from messages_of(one, role)
    else:
        yield Plain(role, [{"type": "data", "content": snapshot(value)[0]}])


def _is_openai(value: Any) -> bool:
    if not issubclass(type(value), dict) or text_of(field_of(value, "role")) is None:
        return False
    return dict.__contains__(value, "content")


def _openai(message: dict[str, Any]) -> Plain:
    role, content = message["role"], message["content"]
    if message.get("tool_call_id") is not None:
        return Plain("tool", [{"type": "tool_call_response", "id": message["tool_call_id"], "response": content}])
    blocks = [] if content is None else parts_of(content)
    for call in message.get("tool_calls") or ():
        if type(call) is not dict:
            continue
        function = call.get("function")
        called = function if type(function) is dict else call
        blocks.append(
            {"type": "tool_call", "id": call.get("id"), "name": called.get("name"), "args": called.get("arguments")}
        )
    return Plain("system" if role == "developer" else role, blocks)


__all__ = ["consumed", "messages_of", "produced"]
