"""CrewAI, as OpenInference instruments it, and as it tells of itself: `crew_key`, `task_key`, `crewai_version`.

Names: https://github.com/Arize-ai/openinference (crewai), https://github.com/crewAIInc/crewAI (telemetry). CrewAI's own
spans say that something was set up or used; the work is in those of instrumentation.
"""

from __future__ import annotations

import re
from typing import Any, Final

from otel_mas.dialects.calls import NO_CALL, called
from otel_mas.dialects.reading import ForeignSpan, text
from otel_mas.semconv import Operation

MARKERS: Final = frozenset({"crew_key", "crew_id", "crewai_version", "task_key"})
_KIND: Final = "openinference.span.kind"
_KICKOFF: Final = re.compile(r"^(.+)\.kickoff(?:_async|_for_each)?$")
_CORE: Final = re.compile(r"^(.+)\._execute_core$")
_ROLE: Final = re.compile(r"\brole='([^']+)'")
"""The agent's role, in the text of the task's arguments."""


def structure(span: ForeignSpan) -> dict[str, Any]:
    """The span in our names, without content."""
    attributes = span.attributes
    kind = str(attributes.get(_KIND, "")).upper()
    if not kind:
        return dict(NO_CALL)
    if kind == "CHAIN" and (crew := _KICKOFF.match(span.name)):
        return called(Operation.INVOKE_WORKFLOW, crew[1])
    if kind == "AGENT":
        role = _ROLE.search(str(attributes.get("input.value", "")))
        task = _CORE.match(span.name)
        named = role[1] if role else task[1] if task and task[1] != "Task" else None
        return called(Operation.INVOKE_AGENT, text(attributes, "agent.role", "agent.name") or named or span.name)
    return {}


def content(span: ForeignSpan) -> dict[str, Any]:
    """None beyond what OpenInference has."""
    return {}


def messages(span: ForeignSpan, side: str) -> list[Any]:
    """None beyond those of OpenInference."""
    return []


__all__ = ["MARKERS", "content", "messages", "structure"]
