"""JetBrains' Koog: `koog.node.name`, `koog.agent.strategy.name`, beside the names of the GenAI conventions.

Names: https://docs.koog.ai/opentelemetry-support. An agent has an id and no name.
"""

from __future__ import annotations

from typing import Any, Final

from otel_mas.dialects.calls import called, tool_content
from otel_mas.dialects.reading import ForeignSpan, text
from otel_mas.semconv import Operation, RecordKind, TaskOutcome
from otel_mas.semconv import attributes as names

_NODE: Final = "koog.node.name"
_STRATEGY: Final = "koog.agent.strategy.name"
MARKERS: Final = frozenset({_NODE, _STRATEGY, "gen_ai.agent.id"})
_ENDS: Final = ("__start__", "__finish__")
"""Nodes in which no code of the app runs."""


def structure(span: ForeignSpan) -> dict[str, Any]:
    """The span in our names, without content."""
    attributes = span.attributes
    node = text(attributes, _NODE)
    if node is not None:
        if node in _ENDS:
            return {}
        outcome = TaskOutcome.ERROR if span.failed else TaskOutcome.OK
        return {
            names.MAS_RECORD_KIND: RecordKind.AGENT_TASK.value,
            names.MAS_TASK_NAME: node,
            names.MAS_TASK_OUTCOME: outcome.value,
        }
    if _STRATEGY in attributes:
        return called(Operation.INVOKE_AGENT, text(attributes, names.GEN_AI_AGENT_NAME, "gen_ai.agent.id", _STRATEGY))
    return {}


def content(span: ForeignSpan) -> dict[str, Any]:
    """Arguments and result of a tool, which are named as in OpenInference."""
    attributes = span.attributes
    if names.GEN_AI_TOOL_NAME not in attributes:
        return {}
    return tool_content(attributes.get("input.value"), attributes.get("output.value"))


def messages(span: ForeignSpan, side: str) -> list[Any]:
    """None beyond those of the conventions."""
    return []


__all__ = ["MARKERS", "content", "messages", "structure"]
