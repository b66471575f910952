"""The hooks into LangChain."""

from __future__ import annotations

from otel_mas.instrumentation.langchain import MODULES, decisions, managers, models, retrievers, tools
from otel_mas.instrumentation.langchain.callback_fallback import MODELS_FALLBACK
from otel_mas.instrumentation.langgraph import unstarted
from otel_mas.instrumentation.patches import Hook, HookTable

_MANAGERS, _MODELS, _TOOLS, _RETRIEVERS, _DECISIONS = MODULES
_MANAGER, _AMANAGER = "CallbackManager", "AsyncCallbackManager"
_CHAT, _LLM, _TOOL = (("self", "serialized", third) for third in ("messages", "prompts", "input_str"))

MODELS = "models"
"""The group of hooks of model calls: a call whose end is not seen would stay open."""

_HOOKS = (
    Hook(_MANAGERS, _MANAGER, "on_chat_model_start", _CHAT, managers.chat_model_start, group=MODELS),
    Hook(_MANAGERS, _AMANAGER, "on_chat_model_start", _CHAT, managers.achat_model_start, group=MODELS),
    Hook(_MANAGERS, _MANAGER, "on_llm_start", _LLM, managers.llm_start, group=MODELS),
    Hook(_MANAGERS, _AMANAGER, "on_llm_start", _LLM, managers.allm_start, group=MODELS),
    *(
        hook
        for run in ("CallbackManagerForLLMRun", "AsyncCallbackManagerForLLMRun")
        for hook in (
            Hook(_MANAGERS, run, "on_llm_new_token", ("self", "token"), managers.llm_chunk, group=MODELS),
            Hook(_MANAGERS, run, "on_stream_event", ("self", "event"), managers.llm_chunk, True, group=MODELS),
            Hook(_MANAGERS, run, "on_llm_end", ("self", "response"), managers.llm_end, group=MODELS),
            Hook(_MANAGERS, run, "on_llm_error", ("self", "error"), managers.llm_error, group=MODELS),
        )
    ),
    Hook(_MANAGERS, _MANAGER, "on_tool_start", _TOOL, managers.tool_start),
    Hook(_MANAGERS, _AMANAGER, "on_tool_start", _TOOL, managers.tool_start),
    Hook(_MANAGERS, _MANAGER, "on_chain_start", ("self",), unstarted.chain_start),
    Hook(_MANAGERS, _AMANAGER, "on_chain_start", ("self",), unstarted.achain_start),
    Hook(_MANAGERS, "CallbackManagerForChainRun", "on_chain_error", ("self", "error"), unstarted.chain_error),
    Hook(_MANAGERS, "AsyncCallbackManagerForChainRun", "on_chain_error", ("self", "error"), unstarted.chain_error),
    Hook(_MODELS, "BaseChatModel", "generate", ("self", "messages"), models.generate),
    Hook(_MODELS, "BaseChatModel", "agenerate", ("self", "messages"), models.agenerate),
    Hook(_MODELS, "BaseChatModel", "_iter_v2_events", ("self", "messages"), models.iter_events, True),
    Hook(_TOOLS, "BaseTool", "run", ("self", "tool_input"), tools.run),
    Hook(_TOOLS, "BaseTool", "arun", ("self", "tool_input"), tools.arun),
    Hook(_RETRIEVERS, "BaseRetriever", "invoke", ("self", "input"), retrievers.invoke),
    Hook(_RETRIEVERS, "BaseRetriever", "ainvoke", ("self", "input"), retrievers.ainvoke),
    Hook(_DECISIONS, "BaseDecisionModel", "_classify_and_record", ("self", "request"), decisions.classify, True),
    Hook(_DECISIONS, "BaseDecisionModel", "_aclassify_and_record", ("self", "request"), decisions.aclassify, True),
)

HOOK_TABLE = HookTable("LangChain", _HOOKS, "its spans may be missing", {MODELS: MODELS_FALLBACK})

__all__ = ["HOOK_TABLE", "MODELS"]
