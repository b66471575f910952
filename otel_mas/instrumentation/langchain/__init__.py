"""LangChain: models by its callback managers, tools and retrievers by the methods through which they run."""

from __future__ import annotations

MODULES = (
    "langchain_core.callbacks.manager",
    "langchain_core.language_models.chat_models",
    "langchain_core.tools.base",
    "langchain_core.retrievers",
    "langchain_core.decisions.base",
)
"""The modules whose import is the moment to patch them."""

OPTIONAL = frozenset({"langchain_core.decisions.base"})
"""Those that supported versions lack: decision models came with LangChain Core 1.8."""


def patch(module: str | None = None) -> None:
    """Hook into those of `MODULES` that are imported (or only `module`). What does not fit is left off, said once."""
    from otel_mas.instrumentation.langchain import hook_table as fit

    fit.PATCHES.put(module)


def unpatch() -> None:
    """Put LangChain's own functions back."""
    from otel_mas.instrumentation.langchain import hook_table as fit

    fit.PATCHES.take_off()
