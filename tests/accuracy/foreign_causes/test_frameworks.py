"""Edges in traces of frameworks: by ids, by names and arguments, by contents, and by LangGraph's steps."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

import otel_mas

Found = set[tuple[str, str, str, str]]
MODEL = "chat gpt-4o-mini"
PUNS, DAD, ONE = (f"running tool: get_{kind}_suggestion" for kind in ("pun", "dad_joke", "one_liner"))

EDGES: dict[str, Found] = {
    "agno-2025-06-11": {("OpenAIChat.invoke", "duckduckgo_search", "trigger", "inferred")},
    "koog-2025-08-26": {
        ("llm.chat", "tool.ByeTool", "trigger", "metadata"),
        ("llm.chat", "tool.HelloTool", "trigger", "metadata"),
        ("llm.chat", "llm.chat", "message", "inferred"),
    },
    "microsoft-agent-2025-12-17": {
        ("chat gpt-5-mini", "get_weather", "trigger", "metadata"),
        ("get_weather", "chat gpt-5-mini", "message", "metadata"),
    },
    "pydantic-ai-tools-2025-12-04": {
        *((MODEL, tool, "trigger", "metadata") for tool in (PUNS, DAD, ONE)),
        *((tool, MODEL, "message", "metadata") for tool in (PUNS, DAD, ONE)),
        # The second run of the agent was given the messages of the first.
        *((tool, "joke_agent run", "message", "metadata") for tool in (PUNS, DAD, ONE)),
    },
    "langgraph-python-2025-08-22": {
        ("LangGraph", "agent", "trigger", "metadata"),
        ("agent", "tools", "trigger", "metadata"),
        ("tools", "agent", "trigger", "metadata"),
        ("ChatOpenAI", "tools", "message", "inferred"),
    },
    "google-adk-2025-08-28": set(),  # its tool runs inside of the model call that asked for it
    "vercel-aisdk-2025-11-17": {("ai.generateText.doGenerate", "getWeather", "trigger", "metadata")},
}


@pytest.mark.parametrize("trace", EDGES)
def test_calls_are_connected_as_far_as_the_framework_says(trace: str, shared_data: Callable[[str], Path]) -> None:
    path = shared_data(f"dialects/frameworks/{trace}.trace.json")
    with otel_mas.open(f"langfuse+file://{path}") as source:
        (summary,) = source.traces(limit=2)
        graph = source.trace(summary.trace_id).graph()
    name = {span.span_id: span.name for span in graph.spans}
    found = {
        (name[one.cause], name[one.effect], one.kind, one.provenance) for one in graph.edges if one.kind != "child"
    }
    assert found == EDGES[trace]
