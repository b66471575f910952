"""Work at the methods of LangChain's callback managers, as its hooks call it: with the methods' own arguments.

There is no callback handler: LangChain puts one that is registered into every callback manager that it makes, for each
node and each runnable of the app, which costs 27 µs a node before the first event. The managers' methods are called for
every model call anyway, also where the app made the manager, and in threads that it started.
"""

from __future__ import annotations

import functools
from typing import Any

from otel_mas.instrumentation.langchain.models import HANDLER
from otel_mas.instrumentation.langchain.tools import record_arguments
from otel_mas.instrumentation.replacements import Original, after, before
from otel_mas.record import recorder


def _chat_models_started(runs: Any, manager: Any, serialized: Any, messages: Any, *_: Any, **extra: Any) -> None:
    if recorder().active:
        for run, one in zip(runs, messages, strict=False):
            HANDLER.on_chat_model_start(serialized, one, run.run_id, manager.metadata, extra)


def _llms_started(runs: Any, manager: Any, serialized: Any, prompts: Any, *_: Any, **extra: Any) -> None:
    if recorder().active:
        for run, one in zip(runs, prompts, strict=False):
            HANDLER.on_llm_start(serialized, one, run.run_id, manager.metadata, extra)


def _llm_ends(run: Any, response: Any, *_: Any, **__: Any) -> None:
    HANDLER.on_llm_end(response, run.run_id)


def _llm_fails(run: Any, error: BaseException, *_: Any, response: Any = None, **__: Any) -> None:
    HANDLER.on_llm_error(error, run.run_id, response)


def _tool_starts(manager: Any, serialized: Any, input_str: Any, *_: Any, inputs: Any = None, **__: Any) -> None:
    """`on_tool_start` gets the arguments without those that the framework injects."""
    record_arguments(input_str if inputs is None else inputs)


# A manager makes a run for each list of messages or prompt.
chat_model_start, achat_model_start = after(_chat_models_started, "langchain: model start")
llm_start, allm_start = after(_llms_started, "langchain: completion start")
# Async or not: the answer is known when these are called, not when they are awaited.
llm_end = before(_llm_ends, "langchain: model end")
llm_error = before(_llm_fails, "langchain: model error")
tool_start = before(_tool_starts, "langchain: tool start")


def llm_chunk(original: Original) -> Original:
    """Replace `on_llm_new_token` and `on_stream_event`. By hand, because it is called for every token."""

    @functools.wraps(original)
    def chunk(self: Any, *args: Any, **kwargs: Any) -> Any:
        HANDLER.on_chunk(self.run_id, kwargs.get("chunk"))
        return original(self, *args, **kwargs)

    return chunk


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
