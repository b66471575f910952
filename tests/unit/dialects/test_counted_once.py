"""Tokens of traces in other dialects are counted once, where they were spent."""

from __future__ import annotations

from typing import Any

from otel_mas.analyse.cost import cost
from tests.research_team import TraceBuilder

AGENT = {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "writer"}
CALL = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "m"}
LITELLM = {"openinference.span.kind": "LLM", "llm.model_name": "m"}


def used(attributes: dict[str, Any], tokens: int) -> dict[str, Any]:
    return {**attributes, "gen_ai.usage.input_tokens": tokens, "gen_ai.usage.output_tokens": 1}


def counted(*nested: dict[str, Any]) -> tuple[int, int, list[str | None]]:
    """Calls, input tokens and agents of spans, each inside of the one before."""
    builder, around = TraceBuilder("4bf92f3577b34da6a3ce929d0e0e4736"), None
    for depth, attributes in enumerate(nested):
        around = builder.span(f"span {depth}", depth, 100 - depth, around, attributes=attributes)
    found = cost(builder.trace().spans)
    return found.total.calls, found.total.input_tokens, [row.name for row in found.by_agent]


def test_an_agent_repeats_the_tokens_of_its_calls() -> None:
    assert counted(used(AGENT, 7), used(CALL, 7)) == (1, 7, ["writer"])


def test_an_agent_stands_for_calls_that_nobody_recorded() -> None:
    assert counted(used(AGENT, 7), {"http.request.method": "POST"}) == (1, 7, ["writer"])


def test_of_agents_inside_of_each_other_the_innermost_stands_for_its_calls() -> None:
    assert counted(used({**AGENT, "gen_ai.agent.name": "team"}, 7), used(AGENT, 7)) == (1, 7, ["writer"])


def test_of_two_spans_of_one_call_the_one_with_tokens_counts() -> None:
    assert counted(AGENT, LITELLM, used(CALL, 7)) == (1, 7, ["writer"])
    assert counted(AGENT, used(CALL, 7), LITELLM) == (1, 7, ["writer"])
    assert counted(AGENT, {**LITELLM, "llm.token_count.prompt": 7}, used(CALL, 7)) == (1, 7, ["writer"])
