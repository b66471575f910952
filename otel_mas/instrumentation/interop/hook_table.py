"""What is put in place beside which other instrumentation."""

from __future__ import annotations

import sys

from otel_mas.instrumentation.interop import MODULES, attaching, nesting
from otel_mas.instrumentation.patches import Hook, Patches

_LANGCHAIN, _GENAI_LANGCHAIN, _INSTRUMENTOR, _MODELS = MODULES
_PARAMETERS = ("self", "messages", "stop", "run_manager")

HOOKS = (
    Hook(_MODELS, "BaseChatModel", "_generate_with_cache", _PARAMETERS, nesting.generate),
    Hook(_MODELS, "BaseChatModel", "_agenerate_with_cache", _PARAMETERS, nesting.agenerate),
)

PATCHES = Patches("LangChain", HOOKS, "the spans of other model instrumentation are beside ours, not inside")


def patch() -> None:
    """Doing it again changes nothing."""
    if _LANGCHAIN in sys.modules or _GENAI_LANGCHAIN in sys.modules:
        attaching.watch()
    if _INSTRUMENTOR in sys.modules:
        nesting.HANDLER.streams_are_current = True
        PATCHES.put()


def unpatch() -> None:
    """Put everything back as it was."""
    PATCHES.take_off()
    nesting.HANDLER.streams_are_current = False
    attaching.unwatch()


__all__ = ["HOOKS", "PATCHES", "patch", "unpatch"]
