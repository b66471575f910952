"""The hooks of budgets into LangChain and into marked tools."""

from __future__ import annotations

from typing import Final

from otel_mas.fork import ForkLock
from otel_mas.instrumentation.budgets import langchain
from otel_mas.instrumentation.marks.kinds import admit_tools_by
from otel_mas.instrumentation.patches import Hook, HookTable
from otel_mas.instrumentation.temporary_hooks import TemporaryHooks

_MANAGERS: Final = "langchain_core.callbacks.manager"
_TOOLS: Final = "langchain_core.tools.base"
_CHAT: Final = ("self", "serialized", "messages")
_LLM: Final = ("self", "serialized", "prompts")

LANGCHAIN: Final = HookTable(
    "LangChain",
    (
        Hook(_MANAGERS, "CallbackManager", "on_chat_model_start", _CHAT, langchain.chat_start),
        Hook(_MANAGERS, "AsyncCallbackManager", "on_chat_model_start", _CHAT, langchain.achat_start),
        Hook(_MANAGERS, "CallbackManager", "on_llm_start", _LLM, langchain.completion_start),
        Hook(_MANAGERS, "AsyncCallbackManager", "on_llm_start", _LLM, langchain.acompletion_start),
        *(
            hook
            for run in ("CallbackManagerForLLMRun", "AsyncCallbackManagerForLLMRun")
            for hook in (
                Hook(_MANAGERS, run, "on_llm_end", ("self", "response"), langchain.model_end),
                Hook(_MANAGERS, run, "on_llm_error", ("self", "error"), langchain.model_error),
            )
        ),
        Hook(_TOOLS, "BaseTool", "run", ("self", "tool_input"), langchain.tool_run),
        Hook(_TOOLS, "BaseTool", "arun", ("self", "tool_input"), langchain.tool_arun),
    ),
    "budgets do not count all calls",
)
HOOKS: Final = TemporaryHooks({_MANAGERS: LANGCHAIN, _TOOLS: LANGCHAIN})

_lock = ForkLock()
_in_place = False


def put() -> None:
    """Put the hooks in place; they stay, and cost a look at the context while there is no budget."""
    global _in_place
    with _lock:
        if not _in_place:
            _in_place = True
            HOOKS.put()
            admit_tools_by(langchain.begin_marked_tool)


def take_out() -> None:
    """Put every original back."""
    global _in_place
    with _lock:
        if _in_place:
            _in_place = False
            HOOKS.take_out()
            admit_tools_by(None)


__all__ = ["put", "take_out"]
