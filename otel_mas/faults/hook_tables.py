"""The hooks of fault injection into LangGraph and LangChain: in place only while something is injected."""

from __future__ import annotations

from typing import Final

from otel_mas.faults import graphs, models, tools
from otel_mas.instrumentation.patches import Hook, HookTable

_LOOP: Final = "langgraph.pregel._loop"
_RUNNER: Final = "langgraph.pregel._runner"
_TOOLS: Final = "langchain_core.tools.base"
_MODELS: Final = "langchain_core.language_models.chat_models"
_CONSEQUENCE: Final = "some faults cannot be injected"
_MODEL_CALLS: Final = (
    ("generate", False),
    ("agenerate", False),
    ("stream", False),
    ("astream", False),
    ("_iter_v2_events", True),
    ("_aiter_v2_events", True),
)
"""Methods of a chat model that make requests, and whether some versions lack them."""

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
        *(Hook(_MODELS, "BaseChatModel", name, ("self",), models.call, optional) for name, optional in _MODEL_CALLS),
    ),
    _CONSEQUENCE,
)
MODULES: Final = {_LOOP: LANGGRAPH, _RUNNER: LANGGRAPH, _TOOLS: LANGCHAIN, _MODELS: LANGCHAIN}
"""The modules to patch, each when it is imported, and the table with their hooks."""
TABLES: Final = (LANGGRAPH, LANGCHAIN)

__all__ = ["MODULES", "TABLES"]
