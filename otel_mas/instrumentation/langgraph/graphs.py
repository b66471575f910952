"""Declarations of a graph's author: its name, the nodes that are graphs, the destinations of edges."""

from __future__ import annotations

from typing import Any
from weakref import WeakKeyDictionary

UNNAMED = "LangGraph"
"""LangGraph's name of a graph that its author gave none."""

# The node that calls the model, and the module that its function is from.
_AGENT_MAKERS = (("model", "langchain.agents.factory"), ("agent", "langgraph.prebuilt.chat_agent_executor"))
_STATIC: WeakKeyDictionary[Any, dict[str, frozenset[str]]] = WeakKeyDictionary()


def graph_of(loop: Any) -> Any:
    """The graph that a loop runs. Only this bound method leads there; where it is gone, the run has no name."""
    return getattr(getattr(loop, "_migrate_checkpoint", None), "__self__", None)


def bound_graph(proc: Any) -> Any:
    """The graph that a node is, when a compiled graph was given as the node; else None."""
    steps = getattr(proc, "steps", None)
    first = steps[0] if steps else proc
    return first if hasattr(first, "trigger_to_nodes") and hasattr(first, "nodes") else None


def given_name(graph: Any) -> str | None:
    """The name that the author gave a graph; `create_agent` writes it into the graph's config."""
    named = _agent_metadata(graph)
    if named is not None:
        return named
    name = getattr(graph, "name", None)
    return None if name == UNNAMED else name


def is_agent(graph: Any) -> bool:
    """Whether `create_agent` or `create_react_agent` made a graph: both leave their node that calls the model."""
    if _agent_metadata(graph) is not None:
        return True
    nodes = getattr(getattr(graph, "builder", None), "nodes", {})
    for node, module in _AGENT_MAKERS:
        function = getattr(getattr(nodes.get(node), "runnable", None), "func", None)
        if getattr(function, "__module__", None) == module:
            return True
    return False


def name_of_node(graph: Any, node: str) -> str | None:
    """The name of the agent that a graph is as a node; None where it is a part of the graph around it."""
    return given_name(graph) or (node if is_agent(graph) else None)


def _agent_metadata(graph: Any) -> str | None:
    config = getattr(graph, "config", None) or {}
    name: str | None = (config.get("metadata") or {}).get("lc_agent_name")
    return name


def static_destinations(graph: Any, node: str) -> frozenset[str] | None:
    """The nodes to which a node's plain edges lead; None where the graph has no edges to read."""
    builder = getattr(graph, "builder", None)
    if builder is None:
        return None
    known = _STATIC.get(builder)
    if known is None:
        targets: dict[str, set[str]] = {}
        for source, target in builder.edges:
            targets.setdefault(source, set()).add(target)
        known = _STATIC[builder] = {source: frozenset(found) for source, found in targets.items()}
    return known.get(node, frozenset())


def has_conditional_edges(graph: Any, node: str) -> bool:
    """Whether a routing function may choose the nodes after a node. Only the hook on it knows whether it did."""
    return bool(getattr(getattr(graph, "builder", None), "branches", {}).get(node))


def declared_destinations(graph: Any, node: str) -> list[str] | None:
    """The declared destinations of a node's commands (by annotation or `destinations=`); None where none are."""
    ends = getattr(getattr(graph, "builder", None), "nodes", {}).get(node)
    found = getattr(ends, "ends", None)
    return sorted(map(str, found)) if found else None
