"""The hooks of a replay into LangGraph and LangChain: in place only while something is replayed."""

from __future__ import annotations

from typing import Final

from otel_mas.instrumentation.patches import Hook, HookTable
from otel_mas.instrumentation.replacements import Original
from otel_mas.replay import interrupts, models, retrievers, runs, tasks, tools

_LOOP: Final = "langgraph.pregel._loop"
_RUNNER: Final = "langgraph.pregel._runner"
_TOOLS: Final = "langchain_core.tools.base"
_CHAT: Final = "langchain_core.language_models.chat_models"
_LLM: Final = "langchain_core.language_models.llms"
_RETRIEVERS: Final = "langchain_core.retrievers"
_CONSEQUENCE: Final = "some calls cannot be answered, and are really made"
_CALLS: Final = ("generate", "agenerate", "stream", "astream")
_EVENTS: Final = ("_iter_v2_events", "_aiter_v2_events")  # some versions lack them


def _run_with_retry(original: Original) -> Original:
    return interrupts.run_with_retry(tasks.run_with_retry(original))


def _arun_with_retry(original: Original) -> Original:
    return interrupts.arun_with_retry(tasks.run_with_retry(original))


LANGGRAPH: Final = HookTable(
    "LangGraph",
    (
        Hook(_LOOP, "PregelLoop", "tick", ("self",), runs.tick),
        Hook(_RUNNER, "", "run_with_retry", ("task", "retry_policy"), _run_with_retry),
        Hook(_RUNNER, "", "arun_with_retry", ("task", "retry_policy"), _arun_with_retry),
    ),
    "runs of a batch may be taken for another, interrupts get the app's own answers, and tasks cannot be changed",
)
LANGCHAIN: Final = HookTable(
    "LangChain",
    (
        Hook(_TOOLS, "BaseTool", "run", ("self", "tool_input"), tools.run),
        Hook(_TOOLS, "BaseTool", "arun", ("self", "tool_input"), tools.arun),
        Hook(_RETRIEVERS, "BaseRetriever", "invoke", ("self", "input"), retrievers.invoke),
        Hook(_RETRIEVERS, "BaseRetriever", "ainvoke", ("self", "input"), retrievers.ainvoke),
        *(Hook(_CHAT, "BaseChatModel", name, ("self",), models.chat) for name in _CALLS),
        *(Hook(_CHAT, "BaseChatModel", name, ("self",), models.chat, True) for name in _EVENTS),
        *(Hook(_LLM, "BaseLLM", name, ("self",), models.completion) for name in _CALLS),
    ),
    _CONSEQUENCE,
)
MODULES: Final = {
    **dict.fromkeys((_LOOP, _RUNNER), LANGGRAPH),
    **dict.fromkeys((_TOOLS, _CHAT, _LLM, _RETRIEVERS), LANGCHAIN),
}
"""The modules to patch, each when it is imported, and the table with their hooks."""
TABLES: Final = (LANGGRAPH, LANGCHAIN)

__all__ = ["MODULES", "TABLES"]
