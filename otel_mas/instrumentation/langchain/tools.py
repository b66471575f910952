"""Spans of tools, around `BaseTool.run` and `arun`, by which every way of calling a tool goes.

A tool that handles its exceptions (`handle_tool_error`) returns a `ToolMessage` with status `error`. Nothing was raised
and the app has dealt with it, so the span has `error.type` = `tool_error` and no error status.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextvars import ContextVar
from typing import Any, Final
from weakref import WeakKeyDictionary

from opentelemetry.trace import Span, StatusCode

from otel_mas.instrumentation.langchain.messages import MESSAGES, message_parts, modalities
from otel_mas.instrumentation.langchain.running import Running
from otel_mas.instrumentation.replacements import around
from otel_mas.record import (
    current_actor,
    field_of,
    guarded,
    is_a,
    is_empty,
    items_of,
    own_fields,
    recorder,
    text_of,
    type_name,
    without_media,
)
from otel_mas.semconv import attributes as names
from otel_mas.semconv import record_kind
from otel_mas.semconv.enums import Operation

_ATTRIBUTES: Final[dict[str, Any]] = {
    names.MAS_RECORD_KIND: str(record_kind(Operation.EXECUTE_TOOL)),
    names.GEN_AI_OPERATION_NAME: Operation.EXECUTE_TOOL.value,
    names.GEN_AI_TOOL_TYPE: "function",
}
_HANDLED: Final = "tool_error"
_UNKNOWN: Final = "unknown_tool"
_MAX_DEPTH: Final = 8
_MAX_ITEMS: Final = 2048  # of a result that are looked at for messages
_MAX_TYPES: Final = 128  # items of a list whose types are named
_SIMPLE: Final = frozenset((str, int, float, bool, type(None), dict))
_PLAIN_TYPES: Final = _SIMPLE | {list}
_INJECTED: Final[WeakKeyDictionary[type, frozenset[str]]] = WeakKeyDictionary()  # by a tool's input schema
# The tool that has begun, until LangChain announces its arguments.
_beginning: ContextVar[tuple[Span, Any] | None] = ContextVar("otel-mas tool", default=None)


def _begin(tool: Any, *_: Any, tool_call_id: Any = None, **__: Any) -> Running | None:
    if not recorder().active:
        return None
    name = text_of(field_of(tool, "name")) or type(tool).__name__
    span = _start(name, tool_call_id)
    if span.is_recording():
        recorder().content(span, names.GEN_AI_TOOL_DESCRIPTION, field_of(tool, "description"))
        _beginning.set((span, tool))
    return Running(name, span)


def _end(running: Running, error: BaseException | None, result: Any) -> None:
    try:
        if error is None and running.span.is_recording():
            _record_result(running.name, running.span, result)
    finally:
        running.end(error)


run, arun = around(_begin, _end, "langchain: tool")


def _start(name: str, call_id: Any) -> Span:
    attributes = _ATTRIBUTES | {names.GEN_AI_TOOL_NAME: name}
    if identity := text_of(call_id):
        attributes[names.GEN_AI_TOOL_CALL_ID] = identity
    return recorder().start_span(f"execute_tool {name}", attributes)


@guarded("langchain: unknown tool")
def refused(call: Mapping[str, Any], answer: Any) -> None:
    """Record a call of a tool that does not exist: an error, though the app goes on with the answer.

    Args:
        call: the model's tool call, with name, id and arguments.
        answer: the framework's message to the model.
    """
    span = _start(str(call["name"]), call.get("id"))
    try:
        recorder().content(span, names.GEN_AI_TOOL_CALL_ARGUMENTS, call.get("args"), str(call["name"]))
        if span.is_recording():
            _record_result(str(call["name"]), span, answer)
        span.set_attribute(names.ERROR_TYPE, _UNKNOWN)
        span.set_status(StatusCode.ERROR)
    finally:
        span.end()


def record_arguments(arguments: Any) -> None:
    """Record the arguments of the tool that has just begun here."""
    begun = _beginning.get()
    if begun is not None:
        _beginning.set(None)
        span, tool = begun
        kept = _without_injected(tool, arguments)
        recorder().content(span, names.GEN_AI_TOOL_CALL_ARGUMENTS, kept, text_of(field_of(tool, "name")) or "")


def own_arguments(tool: Any, given: Any) -> Any:
    """The arguments of a call as they are recorded: those that `BaseTool.run` was given, without injected ones."""
    if issubclass(type(given), dict) and hasattr(tool, "_filter_injected_args"):
        return tool._filter_injected_args(given)
    return _without_injected(tool, given)


def _without_injected(tool: Any, arguments: Any) -> Any:
    """Leave out the arguments that LangGraph injects, such as a whole state. LangChain does so itself from 1.0 on."""
    if hasattr(tool, "_filter_injected_args") or not issubclass(type(arguments), dict):
        return arguments
    injected = _injected(tool)
    return {name: value for name, value in dict.items(arguments) if name not in injected}


def _injected(tool: Any) -> frozenset[str]:
    """The names of the injected arguments. LangChain makes a class to find them, so the result is kept."""
    whole = tool.get_input_schema()
    known = _INJECTED.get(whole)
    if known is None:
        asked = tool.tool_call_schema
        left_out = () if isinstance(asked, dict) else whole.model_fields.keys() - asked.model_fields.keys()
        known = _INJECTED[whole] = frozenset(left_out)
    return known


def _record_result(tool: str, span: Span, result: Any) -> None:
    rec = recorder()
    messages = list(_messages_in(result))
    if any(text_of(field_of(message, "status")) == "error" for message in messages):
        span.set_attribute(names.ERROR_TYPE, _HANDLED)
    if messages:
        actor = current_actor()
        digests = rec.messages(span, "output", messages, MESSAGES, again=actor is not None)
        rec.set_attributes(span, {names.MAS_OUTPUT_MODALITIES: modalities(messages)})
        if actor is not None and digests:
            actor.provenance.record_write((*actor.path, tool), span.get_span_context(), digests, messages)
    rec.content(span, names.GEN_AI_TOOL_CALL_RESULT, _plain(result))
    if type(result) not in _SIMPLE:
        _record_form(span, result)


def _record_form(span: Span, result: Any) -> None:
    """Record what the plain form of a result does not have: its type, and the artifact of a tool's message."""
    if field_of(result, "tool_call_id") is not None and MESSAGES.knows(result):
        artifact = field_of(result, "artifact")
        if artifact is not None:
            recorder().content(span, names.MAS_TOOL_CALL_ARTIFACT, artifact)
        return  # LangChain makes it of whatever the tool returned
    types = result_types(result)
    if types:
        recorder().set_attributes(span, {names.MAS_RESULT_TYPES: types})


def result_types(result: Any) -> tuple[str, ...]:
    """Type of a result of which the plain form does not show it; of a list with others than plain values, of each."""
    kind = type(result)
    if kind is list:
        if len(result) > _MAX_TYPES or all(type(one) in _PLAIN_TYPES for one in result):
            return ()
        return tuple([type_name(one) for one in result])
    return () if kind in _PLAIN_TYPES else (type_name(result),)


def _messages_in(result: Any) -> Iterable[Any]:
    """The messages that a tool's result is, or that a `Command` of it adds to the state."""
    if MESSAGES.knows(result):
        yield result
    elif type(result) is list:
        for item in result[:_MAX_ITEMS]:
            if type(item) is not list:  # LangGraph takes no deeper ones
                yield from _messages_in(item)
    elif _is_command(result) and issubclass(type(update := field_of(result, "update")), dict):
        messages = field_of(update, "messages")
        yield from filter(MESSAGES.knows, items_of(messages) or [messages])


def _plain(value: Any, depth: int = 0, left: list[int] | None = None) -> Any:
    """The result for the store: messages and commands as their content, everything else as it is.

    Only a bounded part is converted: the copy that is made of the rest is bounded itself.
    """
    left = [_MAX_ITEMS] if left is None else left
    left[0] -= 1
    if depth > _MAX_DEPTH or left[0] < 0:
        return value
    if MESSAGES.knows(value):
        if field_of(value, "tool_call_id") is not None:
            response = message_parts(value)[0]["response"]
            return without_media(response) if type(response) is list else response
        role, parts = MESSAGES.read(value)
        return {"role": role, "parts": list(map(without_media, parts))}
    if _is_send(value):
        return {"node": field_of(value, "node"), "arg": _plain(field_of(value, "arg"), depth + 1, left)}
    if _is_command(value):
        fields = {name: field_of(value, name) for name in ("goto", "graph", "update", "resume")}
        return {name: _plain(item, depth + 1, left) for name, item in fields.items() if not is_empty(item)}
    kind = type(value)
    if kind in (list, tuple) and len(value) <= left[0]:
        return [_plain(item, depth + 1, left) for item in value]
    if kind is dict and len(value) <= left[0]:
        return {key: _plain(item, depth + 1, left) for key, item in value.items()}
    return value


def _is_send(value: Any) -> bool:
    return is_a(value, "Send") and own_fields(value).keys() >= {"node", "arg"}


def _is_command(value: Any) -> bool:
    """Whether it is LangGraph's `Command`, by name: importing LangGraph is the app's decision."""
    return is_a(value, "Command") and own_fields(value).keys() >= {"goto", "update"}


__all__ = ["arun", "own_arguments", "record_arguments", "refused", "result_types", "run"]
