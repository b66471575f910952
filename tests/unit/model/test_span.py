"""The properties of a span."""

from __future__ import annotations

import pytest

from otel_mas.model import Span
from otel_mas.model.span import SpanBody
from otel_mas.semconv import attributes as names


def span(operation: str | None, name: str | None, **body: str) -> Span:
    columns = {names.GEN_AI_OPERATION_NAME: operation, names.GEN_AI_AGENT_NAME: name}
    return Span("t", "1", None, "s", 0, 1, columns=columns, load=lambda: SpanBody(attributes=body))


@pytest.mark.parametrize(
    ("operation", "agent", "workflow"),
    [
        ("invoke_agent", "team", None),
        ("chat", "team", None),
        (None, "team", None),
        ("invoke_workflow", None, "team"),
    ],
)
def test_the_operation_tells_whether_the_name_is_an_agents_or_a_workflows(
    operation: str | None, agent: str | None, workflow: str | None
) -> None:
    assert (span(operation, "team").agent, span(operation, "team").workflow) == (agent, workflow)
