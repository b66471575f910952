"""Hooks into LangChain's callback managers, wrapped by plain functions.

Not by a callback handler: LangChain puts one that is registered into every callback manager that it makes, for each
node and each runnable of the app, which costs 27 µs a node before the first event. The managers' methods are called for
every model call anyway, also where the app made the manager, and in threads that it started.

Each replacement calls the original exactly once with what it was given, and does its own work inside a guard.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from otel_mas.instrumentation.langchain.models import HANDLER
from otel_mas.instrumentation.langchain.tools import arguments_given
from otel_mas.record import guarded, recorder

Original = Callable[..., Any]


def _started(
    note: Callable[..., None], manager: Any, runs: Any, serialized: Any, given: Any, kwargs: dict[str, Any]
) -> None:
    """Each of the runs that a manager has made begins, with its own of what was given."""
    if recorder().active:
        for run, one in zip(runs, given, strict=False):
            note(serialized, one, run.run_id, manager.metadata, kwargs)


def chat_model_start(original: Original) -> Original:
    """`CallbackManager.on_chat_model_start`: makes a run manager for each list of messages."""

    @functools.wraps(original)
    def on_chat_model_start(self: Any, serialized: Any, messages: Any, *args: Any, **kwargs: Any) -> Any:
        runs = original(self, serialized, messages, *args, **kwargs)
        _started(HANDLER.on_chat_model_start, self, runs, serialized, messages, kwargs)
        return runs

    return on_chat_model_start


def achat_model_start(original: Original) -> Original:
    """`AsyncCallbackManager.on_chat_model_start`."""

    @functools.wraps(original)
    async def on_chat_model_start(self: Any, serialized: Any, messages: Any, *args: Any, **kwargs: Any) -> Any:
        runs = await original(self, serialized, messages, *args, **kwargs)
        _started(HANDLER.on_chat_model_start, self, runs, serialized, messages, kwargs)
        return runs

    return on_chat_model_start


def llm_start(original: Original) -> Original:
    """`CallbackManager.on_llm_start`: makes a run manager for each prompt."""

    @functools.wraps(original)
    def on_llm_start(self: Any, serialized: Any, prompts: Any, *args: Any, **kwargs: Any) -> Any:
        runs = original(self, serialized, prompts, *args, **kwargs)
        _started(HANDLER.on_llm_start, self, runs, serialized, prompts, kwargs)
        return runs

    return on_llm_start


def allm_start(original: Original) -> Original:
    """`AsyncCallbackManager.on_llm_start`."""

    @functools.wraps(original)
    async def on_llm_start(self: Any, serialized: Any, prompts: Any, *args: Any, **kwargs: Any) -> Any:
        runs = await original(self, serialized, prompts, *args, **kwargs)
        _started(HANDLER.on_llm_start, self, runs, serialized, prompts, kwargs)
        return runs

    return on_llm_start


# The methods of a run's manager, async or not: what has come is known when they are called, not when they are awaited.


def llm_chunk(original: Original) -> Original:
    """`on_llm_new_token`, and `on_stream_event` where a model streams LangChain's protocol events instead."""

    @functools.wraps(original)
    def chunk(self: Any, *args: Any, **kwargs: Any) -> Any:
        HANDLER.on_chunk(self.run_id)
        return original(self, *args, **kwargs)

    return chunk


def llm_end(original: Original) -> Original:
    """`on_llm_end`."""

    @functools.wraps(original)
    def on_llm_end(self: Any, response: Any, *args: Any, **kwargs: Any) -> Any:
        HANDLER.on_llm_end(response, self.run_id)
        return original(self, response, *args, **kwargs)

    return on_llm_end


def llm_error(original: Original) -> Original:
    """`on_llm_error`."""

    @functools.wraps(original)
    def on_llm_error(self: Any, error: BaseException, *args: Any, **kwargs: Any) -> Any:
        HANDLER.on_llm_error(error, self.run_id, kwargs.get("response"))
        return original(self, error, *args, **kwargs)

    return on_llm_error


def tool_start(original: Original) -> Original:
    """`on_tool_start` of both callback managers: what a tool is given, without what the framework injects."""

    @functools.wraps(original)
    def on_tool_start(self: Any, serialized: Any, input_str: Any, *args: Any, **kwargs: Any) -> Any:
        _tool_given(kwargs.get("inputs"), input_str)
        return original(self, serialized, input_str, *args, **kwargs)

    return on_tool_start


@guarded("langchain: tool start")
def _tool_given(inputs: Any, text: Any) -> None:
    arguments_given(text if inputs is None else inputs)


__all__ = [
    "achat_model_start",
    "allm_start",
    "chat_model_start",
    "llm_chunk",
    "llm_end",
    "llm_error",
    "llm_start",
    "tool_start",
]
