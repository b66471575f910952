"""LangChain: models by its callback managers, tools and retrievers by the methods through which they run."""

from __future__ import annotations

MODULES = (
    "langchain_core.callbacks.manager",
    "langchain_core.language_models.chat_models",
    "langchain_core.tools.base",
    "langchain_core.retrievers",
    "langchain_core.decisions.base",
)
"""The modules to patch, each when it is imported."""

OPTIONAL = frozenset({"langchain_core.decisions.base"})
"""Those of `MODULES` that some supported versions lack: decision models came with LangChain Core 1.8."""
