"""OpenTelemetry's own instrumentation of LangChain: the GenAI conventions, with providers that are `unknown`.

Names: https://github.com/open-telemetry/opentelemetry-python-genai. It has no span for a node: each call of a model or
a tool hangs below the whole workflow.
"""

from __future__ import annotations

from typing import Any, Final

from otel_mas.dialects import langgraph
from otel_mas.dialects.calls import provider
from otel_mas.dialects.reading import ForeignSpan, text
from otel_mas.semconv import Operation
from otel_mas.semconv import attributes as names

MARKERS: Final = frozenset({names.GEN_AI_PROVIDER_NAME, "gen_ai.workflow.name"})


def structure(span: ForeignSpan) -> dict[str, Any]:
    """The span in our names, without content."""
    attributes = span.attributes
    found: dict[str, Any] = {}
    named = text(attributes, names.GEN_AI_PROVIDER_NAME)
    if named is not None and provider(named) is None:
        found[names.GEN_AI_PROVIDER_NAME] = None
    if attributes.get(names.GEN_AI_OPERATION_NAME) == Operation.INVOKE_WORKFLOW:
        found[names.MAS_RUN_OUTCOME] = langgraph.run_outcome(span).value
    return found


def content(span: ForeignSpan) -> dict[str, Any]:
    """None beyond what the conventions have."""
    return {}


def messages(span: ForeignSpan, side: str) -> list[Any]:
    """None beyond those of the conventions."""
    return []


__all__ = ["MARKERS", "content", "messages", "structure"]
