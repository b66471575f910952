"""The hooks of a replay into LangGraph and LangChain: in place only while something is replayed."""

from __future__ import annotations

from typing import Final

from otel_mas.instrumentation.langchain.model_methods import CALLS, EVENT_STREAMS
from otel_mas.instrumentation.patches import Hook, HookTable
from otel_mas.instrumentation.replacements import Original
from otel_mas.instrumentation.temporary_hooks import TemporaryHooks
from otel_mas.replay import decisions, interrupts, models, network, retrievers, runs, tasks, tools

_LOOP: Final = "langgraph.pregel._loop"
_RUNNER: Final = "langgraph.pregel._runner"
_MAIN: Final = "langgraph.pregel.main"
_TOOLS: Final = "langchain_core.tools.base"
_CHAT: Final = "langchain_core.language_models.chat_models"
_LLM: Final = "langchain_core.language_models.llms"
_RETRIEVERS: Final = "langchain_core.retrievers"
_DECISIONS: Final = "langchain_core.decisions.base"
_HTTPX: Final = ("httpx", "httpx2")  # openai 3 has the second
_URLLIB3: Final = "urllib3.connectionpool"
_AIOHTTP: Final = "aiohttp.client"
_CONSEQUENCE: Final = "some calls cannot be answered, and are really made"


def _run_with_retry(original: Original) -> Original:
    return interrupts.run_with_retry(tasks.run_with_retry(original))


def _arun_with_retry(original: Original) -> Original:
    return interrupts.arun_with_retry(tasks.run_with_retry(original))


LANGGRAPH: Final = HookTable(
    "LangGraph",
    (
        Hook(_LOOP, "PregelLoop", "tick", ("self",), runs.tick),
        Hook(_LOOP, "SyncPregelLoop", "__enter__", ("self",), runs.enter),
        Hook(_LOOP, "AsyncPregelLoop", "__aenter__", ("self",), runs.aenter),
        *(Hook(_MAIN, "Pregel", name, ("self", "config"), runs.state) for name in runs.OF_STATE),
        Hook(_RUNNER, "", "run_with_retry", ("task", "retry_policy"), _run_with_retry),
        Hook(_RUNNER, "", "arun_with_retry", ("task", "retry_policy"), _arun_with_retry),
    ),
    "runs of a batch may be taken for another, interrupts get the app's own answers, tasks cannot be changed, and "
    "segments do not start from checkpoints",
)
LANGCHAIN: Final = HookTable(
    "LangChain",
    (
        Hook(_TOOLS, "BaseTool", "run", ("self", "tool_input"), tools.run),
        Hook(_TOOLS, "BaseTool", "arun", ("self", "tool_input"), tools.arun),
        Hook(_RETRIEVERS, "BaseRetriever", "invoke", ("self", "input"), retrievers.invoke),
        Hook(_RETRIEVERS, "BaseRetriever", "ainvoke", ("self", "input"), retrievers.ainvoke),
        Hook(_DECISIONS, "BaseDecisionModel", "_classify_and_record", ("self", "request"), decisions.classify, True),
        Hook(_DECISIONS, "BaseDecisionModel", "_aclassify_and_record", ("self", "request"), decisions.aclassify, True),
        *(Hook(_CHAT, "BaseChatModel", name, ("self",), models.chat) for name in CALLS),
        *(Hook(_CHAT, "BaseChatModel", name, ("self",), models.chat, True) for name in EVENT_STREAMS),
        *(Hook(_LLM, "BaseLLM", name, ("self",), models.completion) for name in CALLS),
    ),
    _CONSEQUENCE,
)
HTTP: Final = HookTable(
    "a client of HTTP",
    (
        *(Hook(module, "Client", "send", ("self", "request"), network.send) for module in _HTTPX),
        *(Hook(module, "AsyncClient", "send", ("self", "request"), network.asend) for module in _HTTPX),
        Hook(_URLLIB3, "HTTPConnectionPool", "urlopen", ("self", "method", "url"), network.urlopen),
        Hook(_AIOHTTP, "ClientSession", "_request", ("self", "method", "str_or_url"), network.arequest),
    ),
    "requests to models that are no calls of LangChain are made",
)
HOOKS: Final = TemporaryHooks(
    {
        **dict.fromkeys((_LOOP, _RUNNER, _MAIN), LANGGRAPH),
        **dict.fromkeys((_TOOLS, _CHAT, _LLM, _RETRIEVERS, _DECISIONS), LANGCHAIN),
        **dict.fromkeys((*_HTTPX, _URLLIB3, _AIOHTTP), HTTP),
    }
)

__all__ = ["HOOKS"]
