"""LangGraph: exact causes from its own execution points. Written for LangGraph 0.6 to 1.x."""

from __future__ import annotations

MODULES = (
    "langgraph.pregel._loop",
    "langgraph.pregel._runner",
    "langgraph.graph._branch",
    "langgraph.pregel.main",
    "langgraph.pregel.remote",
    "langgraph.prebuilt.tool_node",
)
"""The modules whose import is the moment to patch them."""

OPTIONAL: frozenset[str] = frozenset()
"""Those that supported versions lack."""


def patch(module: str | None = None) -> None:
    """Hook into those of `MODULES` that are imported (or only `module`). What does not fit is left off, said once."""
    from otel_mas.instrumentation.langgraph import hook_table as fit

    fit.PATCHES.put(module)


def unpatch() -> None:
    """Put LangGraph's own functions back."""
    from otel_mas.instrumentation.langgraph import hook_table as fit

    fit.PATCHES.take_off()
