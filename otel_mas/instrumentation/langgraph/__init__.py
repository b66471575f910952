"""Exact causes from LangGraph's own execution points. Written for LangGraph 0.6 to 1.x."""

from __future__ import annotations

MODULES = (
    "langgraph.pregel._loop",
    "langgraph.pregel._runner",
    "langgraph.graph._branch",
    "langgraph.pregel.main",
    "langgraph.pregel.remote",
    "langgraph.prebuilt.tool_node",
)
"""The modules to patch, each when it is imported."""

OPTIONAL: frozenset[str] = frozenset()
"""Those of `MODULES` that some supported versions lack."""
