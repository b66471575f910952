"""CrewAI's names."""

from __future__ import annotations

from typing import Any

import pytest

from otel_mas.dialects import ForeignSpan
from tests.unit.dialects.reading import ours, written

TABLE: dict[str, tuple[ForeignSpan, dict[str, Any]]] = {
    "crew": (
        written({"crew_key": "k", "openinference.span.kind": "CHAIN"}, "Crew.kickoff"),
        {"mas.record.kind": "WORKFLOW", "gen_ai.operation.name": "invoke_workflow", "gen_ai.agent.name": "Crew"},
    ),
    "agent, by its role": (
        written(
            {
                "crew_key": "k",
                "openinference.span.kind": "AGENT",
                "input.value": "{\"agent\": \"role='Poet' goal='x'\"}",
            },
            "Task._execute_core",
        ),
        {"mas.record.kind": "AGENT_TASK", "gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "Poet"},
    ),
    "agent, by the span's name": (
        written({"task_key": "k", "openinference.span.kind": "AGENT"}, "Poet._execute_core"),
        {"mas.record.kind": "AGENT_TASK", "gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "Poet"},
    ),
    "CrewAI's own": (
        written({"crew_key": "k", "crewai_version": "1"}, "Crew Created"),
        {"mas.record.kind": None, "gen_ai.operation.name": None, "gen_ai.agent.name": None},
    ),
}


@pytest.mark.parametrize("name", TABLE)
def test_a_span_in_our_names(name: str) -> None:
    span, expected = TABLE[name]

    assert ours(span) == expected
