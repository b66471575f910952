"""Which hook goes where in LangChain, and the handler that its callbacks reach."""

from __future__ import annotations

import sys
from contextvars import ContextVar
from typing import Any

from otel_mas.instrumentation.langchain import MODULES, models, retrievers, tools
from otel_mas.instrumentation.patches import Hook, Patches

_CONTEXT, _MODELS, _TOOLS, _RETRIEVERS = MODULES

HOOKS = (
    Hook(_MODELS, "BaseChatModel", "generate", ("self", "messages"), models.generate),
    Hook(_MODELS, "BaseChatModel", "agenerate", ("self", "messages"), models.agenerate),
    Hook(_MODELS, "BaseChatModel", "_iter_v2_events", ("self", "messages"), models.iter_events, True),
    Hook(_TOOLS, "BaseTool", "run", ("self", "tool_input"), tools.run),
    Hook(_TOOLS, "BaseTool", "arun", ("self", "tool_input"), tools.arun),
    Hook(_RETRIEVERS, "BaseRetriever", "invoke", ("self", "input"), retrievers.invoke),
    Hook(_RETRIEVERS, "BaseRetriever", "ainvoke", ("self", "input"), retrievers.ainvoke),
)

# Its default is the value in every thread and context, also in those that exist already.
_HANDLER: ContextVar[models.ModelCalls | None] = ContextVar("otel-mas model calls handler", default=models.HANDLER)

PATCHES = Patches("LangChain", HOOKS, "its spans may be missing")


def patch(module: str | None = None) -> None:
    """Put in place every hook whose module is imported (or only those of `module`). Doing it again changes nothing."""
    if module in (None, _CONTEXT) and _CONTEXT in sys.modules:
        _register(sys.modules[_CONTEXT])
    PATCHES.put(module)


def unpatch() -> None:
    """Put everything back as it was."""
    PATCHES.take_off()
    # Callback managers that exist keep the handler; there is no way to take it out of them.
    models.HANDLER.ignore_everything(True)
    hooks = getattr(sys.modules.get(_CONTEXT), "_configure_hooks", None)
    if isinstance(hooks, list):
        hooks[:] = [hook for hook in hooks if hook[0] is not _HANDLER]


def _register(context: Any) -> None:
    models.HANDLER.ignore_everything(False)
    # LangChain has no way to ask for what is registered, nor to take it back, other than its list.
    if any(hook[0] is _HANDLER for hook in getattr(context, "_configure_hooks", ())):
        return
    register = getattr(context, "register_configure_hook", None)
    if register is None:
        PATCHES.say(f"{_CONTEXT}.register_configure_hook is not there")
        return
    register(_HANDLER, False, models.ModelCalls)


__all__ = ["HOOKS", "PATCHES", "patch", "unpatch"]
