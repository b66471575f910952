"""The hooks of fault injection into LangGraph and LangChain: in place only while something is injected."""

from __future__ import annotations

from typing import Final

from otel_mas.faults import graphs, models, tools
from otel_mas.instrumentation.langchain.model_methods import CALLS, EVENT_STREAMS
from otel_mas.instrumentation.patches import Hook, HookTable
from otel_mas.instrumentation.temporary_hooks import TemporaryHooks

_LOOP: Final = "langgraph.pregel._loop"
_RUNNER: Final = "langgraph.pregel._runner"
_TOOLS: Final = "langchain_core.tools.base"
_MODELS: Final = "langchain_core.language_models.chat_models"
_CONSEQUENCE: Final = "some faults cannot be injected"

LANGGRAPH: Final = HookTable(
    "LangGraph",
    (
        Hook(_LOOP, "PregelLoop", "tick", ("self",), graphs.tick),
        Hook(_LOOP, "PregelLoop", "after_tick", ("self",), graphs.after_tick),
        Hook(_LOOP, "SyncPregelLoop", "accept_push", ("self", "task"), graphs.accept_push),
        Hook(_LOOP, "AsyncPregelLoop", "aaccept_push", ("self", "task"), graphs.aaccept_push),
        Hook(_RUNNER, "", "run_with_retry", ("task", "retry_policy"), graphs.run_with_retry),
        Hook(_RUNNER, "", "arun_with_retry", ("task", "retry_policy"), graphs.arun_with_retry),
    ),
    _CONSEQUENCE,
)
LANGCHAIN: Final = HookTable(
    "LangChain",
    (
        Hook(_TOOLS, "BaseTool", "run", ("self", "tool_input"), tools.run),
        Hook(_TOOLS, "BaseTool", "arun", ("self", "tool_input"), tools.arun),
        *(Hook(_MODELS, "BaseChatModel", name, ("self",), models.call) for name in CALLS),
        *(Hook(_MODELS, "BaseChatModel", name, ("self",), models.call, True) for name in EVENT_STREAMS),
    ),
    _CONSEQUENCE,
)
HOOKS: Final = TemporaryHooks({_LOOP: LANGGRAPH, _RUNNER: LANGGRAPH, _TOOLS: LANGCHAIN, _MODELS: LANGCHAIN})

__all__ = ["HOOKS"]
