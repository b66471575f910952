"""The hooks that nest the spans of other instrumentation, where there is any."""

from __future__ import annotations

import sys

from otel_mas.instrumentation.interop import MODULES, foreign_context
from otel_mas.instrumentation.langchain.models import HANDLER, agenerate_current, generate_current
from otel_mas.instrumentation.patches import Hook, HookTable

_LANGCHAIN, _GENAI_LANGCHAIN, _INSTRUMENTOR, _MODELS = MODULES
_PARAMETERS = ("self", "messages", "stop", "run_manager")


class _InteropHooks(HookTable):
    def patch(self, module: str | None = None) -> None:
        if _LANGCHAIN in sys.modules or _GENAI_LANGCHAIN in sys.modules:
            foreign_context.watch()
        if _INSTRUMENTOR in sys.modules:
            HANDLER.streams_are_current = True
            super().patch()

    def unpatch(self) -> None:
        super().unpatch()
        HANDLER.streams_are_current = False
        foreign_context.unwatch()


HOOK_TABLE = _InteropHooks(
    "LangChain",
    (
        Hook(_MODELS, "BaseChatModel", "_generate_with_cache", _PARAMETERS, generate_current),
        Hook(_MODELS, "BaseChatModel", "_agenerate_with_cache", _PARAMETERS, agenerate_current),
    ),
    "the spans of other model instrumentation are beside ours, not inside",
)

__all__ = ["HOOK_TABLE"]
