"""Work at the methods of LangChain's callback managers, as its hooks call it: with the methods' own arguments.

There is no callback handler: LangChain puts one that is registered into every callback manager that it makes, for each
node and each runnable of the app, which costs 27 µs a node before the first event. The managers' methods are called for
every model call anyway, also where the app made the manager, and in threads that it started.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from otel_mas.instrumentation.langchain.models import HANDLER
from otel_mas.instrumentation.langchain.tools import arguments_given
from otel_mas.record import guarded, recorder


def chat_models_started(runs: Any, manager: Any, serialized: Any, messages: Any, *_: Any, **extra: Any) -> None:
    """After `on_chat_model_start`, which makes a run for each list of messages."""
    if recorder().active:
        for run, one in zip(runs, messages, strict=False):
            HANDLER.on_chat_model_start(serialized, one, run.run_id, manager.metadata, extra)


def llms_started(runs: Any, manager: Any, serialized: Any, prompts: Any, *_: Any, **extra: Any) -> None:
    """After `on_llm_start`, which makes a run for each prompt."""
    if recorder().active:
        for run, one in zip(runs, prompts, strict=False):
            HANDLER.on_llm_start(serialized, one, run.run_id, manager.metadata, extra)


def llm_chunk(original: Callable[..., Any]) -> Callable[..., Any]:
    """Replace `on_llm_new_token` and `on_stream_event`. By hand, because it is called for every token."""

    @functools.wraps(original)
    def chunk(self: Any, *args: Any, **kwargs: Any) -> Any:
        HANDLER.on_chunk(self.run_id)
        return original(self, *args, **kwargs)

    return chunk


def llm_ends(run: Any, response: Any, *_: Any, **__: Any) -> None:
    """Before `on_llm_end`."""
    HANDLER.on_llm_end(response, run.run_id)


def llm_fails(run: Any, error: BaseException, *_: Any, response: Any = None, **__: Any) -> None:
    """Before `on_llm_error`."""
    HANDLER.on_llm_error(error, run.run_id, response)


@guarded("langchain: tool start")
def tool_starts(_: Any, __: Any, input_str: Any, *___: Any, inputs: Any = None, **____: Any) -> None:
    """Before `on_tool_start`, which is given the arguments without those that the framework injects."""
    arguments_given(input_str if inputs is None else inputs)


__all__ = ["chat_models_started", "llm_chunk", "llm_ends", "llm_fails", "llms_started", "tool_starts"]
