"""MLflow's names."""

from __future__ import annotations

from typing import Any

import pytest

from otel_mas.dialects import ForeignSpan
from tests.unit.dialects.reading import ours, said, written

TABLE: dict[str, tuple[ForeignSpan, dict[str, Any]]] = {
    "model": (
        written(
            {
                "mlflow.spanType": '"CHAT_MODEL"',
                "mlflow.llm.model": '"m"',
                "mlflow.llm.provider": '"openai"',
                "mlflow.chat.tokenUsage": '{"input_tokens": 3, "output_tokens": 4, "total_tokens": 7}',
                "mlflow.llm.cost": '{"input_cost": 0.1, "output_cost": 0.2, "total_cost": 0.25}',
            }
        ),
        {
            "mas.record.kind": "LLM_CALL",
            "gen_ai.operation.name": "chat",
            "gen_ai.request.model": "m",
            "gen_ai.provider.name": "openai",
            "gen_ai.usage.input_tokens": 3,
            "gen_ai.usage.output_tokens": 4,
            "mas.cost.usd": 0.25,
            "mas.cost.source": "MLflow",
        },
    ),
    "agent": (
        written({"mlflow.spanType": '"AGENT"'}, "team"),
        {"mas.record.kind": "AGENT_TASK", "gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "team"},
    ),
    "tool": (
        written({"mlflow.spanType": '"TOOL"', "mlflow.spanInputs": '{"a": 1}', "mlflow.spanOutputs": '"b"'}, "add"),
        {
            "mas.record.kind": "TOOL_CALL",
            "gen_ai.operation.name": "execute_tool",
            "gen_ai.tool.name": "add",
            "gen_ai.tool.call.arguments": {"a": 1},
            "gen_ai.tool.call.result": "b",
        },
    ),
    "retriever": (
        written({"mlflow.spanType": "RETRIEVER", "mlflow.spanInputs": '{"query": "q"}', "mlflow.spanOutputs": "[1]"}),
        {
            "mas.record.kind": "RETRIEVAL",
            "gen_ai.operation.name": "retrieval",
            "gen_ai.retrieval.query.text": "q",
            "gen_ai.retrieval.documents": [1],
        },
    ),
    "chain": (written({"mlflow.spanType": '"CHAIN"'}, "c"), {}),
}


@pytest.mark.parametrize("name", TABLE)
def test_a_span_in_our_names(name: str) -> None:
    span, expected = TABLE[name]

    assert ours(span) == expected


def test_messages() -> None:
    span = written(
        {
            "mlflow.spanType": '"CHAT_MODEL"',
            "mlflow.spanInputs": '{"messages": [{"role": "user", "content": "hi"}]}',
            "mlflow.spanOutputs": '{"choices": [{"message": {"role": "assistant", "content": "hello"}}]}',
        }
    )

    assert said(span, "input") == [("user", "hi")]
    assert said(span, "output") == [("assistant", "hello")]
