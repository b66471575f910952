"""The names of OpenTelemetry's instrumentation of LangChain."""

from __future__ import annotations

from typing import Any

import pytest

from otel_mas.dialects import ForeignSpan
from tests.unit.dialects.reading import ours, written

TABLE: dict[str, tuple[ForeignSpan, dict[str, Any]]] = {
    "workflow that paused": (
        written(
            {
                "gen_ai.operation.name": "invoke_workflow",
                "gen_ai.workflow.name": "team",
                "error.type": "GraphInterrupt",
            },
            "invoke_workflow team",
            failed=True,
        ),
        {
            "mas.record.kind": "WORKFLOW",
            "gen_ai.agent.name": "team",
            "mas.run.outcome": "interrupted",
            "error.type": None,
        },
    ),
    "model of an unknown provider": (
        written({"gen_ai.operation.name": "chat", "gen_ai.provider.name": "unknown"}),
        {"mas.record.kind": "LLM_CALL", "gen_ai.provider.name": None},
    ),
}


@pytest.mark.parametrize("name", TABLE)
def test_a_span_in_our_names(name: str) -> None:
    span, expected = TABLE[name]

    assert ours(span) == expected
