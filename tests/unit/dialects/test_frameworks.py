"""Traces of ten agent frameworks: agents, calls of models and tools, tokens, and messages beside another reader's.

The other reader is Langfuse, as its API answered on the day of each trace. Its failures are in it, so each difference
is named below with what is right.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import otel_mas
from otel_mas.analyse.cost import cost
from otel_mas.model import Query, Span, Trace
from otel_mas.otlp.span_content import TraceContent
from otel_mas.semconv import RecordKind
from otel_mas.semconv import attributes as names
from otel_mas.sources.exports.langfuse import LangfuseFile

EMPTY = "Langfuse found a message without role and content; there is one, or none at all"
BLOCKS = "Langfuse left Anthropic's blocks as JSON; they are a text or a call of a tool"
CALLS_AS_TEXT = "Langfuse left calls of tools as text; they are calls"
OF_A_TOOL = "what a tool returns is a result, and no message"
GROUPED = "one message with three answers of tools came, which Langfuse has as three"
SPACED = "the same answer of a tool: JSON with other spaces and escapes"
RUN = "the output of an agent's run is its last message; the others were its input"


@dataclass(frozen=True)
class Expected:
    agents: frozenset[str]
    models: int
    """Calls of models, each once."""
    tools: tuple[str, ...]
    tokens: tuple[int, int]
    differences: Mapping[str, str]
    """Name of a span, and side → why ours is right."""


def expected(
    agents: str, models: int, tools: str, tokens: tuple[int, int], differences: Mapping[str, str] | None = None
) -> Expected:
    return Expected(frozenset(agents.split()), models, tuple(tools.split()), tokens, differences or {})


FRAMEWORKS: dict[str, Expected] = {
    "agno-2025-06-11": expected(
        "Agent.run",
        2,
        "duckduckgo_search",
        (826, 245),
        {"OpenAIChat.invoke input": EMPTY, "duckduckgo_search output": OF_A_TOOL},
    ),
    "claude-agent-2025-12-22": expected(
        "",
        4,
        "mcp__weather__get_weather mcp__weather__get_weather",
        (34, 232),
        {
            "claude.assistant.turn output": BLOCKS,
            "claude.conversation output": BLOCKS,
            "mcp__weather__get_weather output": OF_A_TOOL,
        },
    ),
    "crewai-2025-07-11": expected("Software_developer", 1, "", (190, 164), {"Crew.kickoff output": EMPTY}),
    "google-adk-2025-08-28": expected(
        "hello_agent",
        2,
        "say_hello",
        (67, 9),
        {"call_llm input": SPACED, "execute_tool say_hello output": OF_A_TOOL},
    ),
    "koog-2025-08-26": expected(
        "f9f77d1a-437f-4ba6-890e-b592a50cbd21",
        2,
        "ByeTool HelloTool",
        (215, 125),
        {"llm.chat input": CALLS_AS_TEXT, "llm.chat output": CALLS_AS_TEXT},
    ),
    "langgraph-python-2025-08-22": expected("", 2, "", (168, 66)),
    "microsoft-agent-2025-12-17": expected("171105b7-59dd-49c0-9677-0b95395aa46a", 2, "get_weather", (293, 106)),
    "pydantic-ai-2025-06-06": expected(
        "qa_agent", 1, "", (31, 96), {"chat gpt-4o output": EMPTY, "qa_agent run output": RUN}
    ),
    "pydantic-ai-tools-2025-12-04": expected(
        "joke_agent evaluator_agent",
        4,
        "get_pun_suggestion get_dad_joke_suggestion get_one_liner_suggestion",
        (1315, 209),
        {
            "chat gpt-4o-mini input": GROUPED,
            "run_joke_generator output": EMPTY,
            "running tool: get_pun_suggestion output": OF_A_TOOL,
            "running tool: get_dad_joke_suggestion output": OF_A_TOOL,
            "running tool: get_one_liner_suggestion output": OF_A_TOOL,
        },
    ),
    "vercel-aisdk-2025-11-17": expected("", 1, "getWeather", (62, 85), {"getWeather output": OF_A_TOOL}),
}


@pytest.fixture(params=FRAMEWORKS)
def framework(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def folder(shared_data: Callable[[str], Path]) -> Path:
    return shared_data("dialects/frameworks")


@pytest.fixture
def trace(framework: str, folder: Path) -> Trace:
    source = LangfuseFile(str(folder / f"{framework}.trace.json"))
    (summary,) = source.traces(Query())
    return source.trace(summary.trace_id)


def of_kind(trace: Trace, kind: RecordKind) -> list[Span]:
    return [span for span in trace.spans if span.record_kind == kind]


def test_agents_and_tools_are_found(framework: str, trace: Trace) -> None:
    wanted = FRAMEWORKS[framework]
    tools = of_kind(trace, RecordKind.TOOL_CALL)

    assert {str(span.agent).replace(" ", "_") for span in trace.spans if span.is_agent} == wanted.agents
    assert sorted(str(span.columns[names.GEN_AI_TOOL_NAME]) for span in tools) == sorted(wanted.tools)


def test_a_tools_call_has_arguments_and_a_result(trace: Trace) -> None:
    content = TraceContent.of(trace.spans)
    for span in of_kind(trace, RecordKind.TOOL_CALL):
        found = {one.name for one in content.contents[span.span_id]}
        assert {names.GEN_AI_TOOL_CALL_ARGUMENTS, names.GEN_AI_TOOL_CALL_RESULT} <= found


def test_tokens_are_counted_once(framework: str, trace: Trace) -> None:
    wanted, total = FRAMEWORKS[framework], cost(trace.spans).total

    assert (total.calls, total.input_tokens, total.output_tokens) == (wanted.models, *wanted.tokens)


def test_messages_are_the_other_readers_or_better(framework: str, trace: Trace, folder: Path) -> None:
    content = TraceContent.of(trace.spans)
    spans = {span.span_id: span.name for span in trace.spans}
    different = set()
    for span_id, sides in json.loads((folder / f"{framework}.chatml.json").read_text()).items():
        for side, read in sides.items():
            if read["success"] and list(map(theirs, read["data"])) != ours(content, span_id, side):
                different.add(f"{spans[span_id]} {side}")

    assert different == set(FRAMEWORKS[framework].differences)


def theirs(message: Mapping[str, Any]) -> tuple[str, str, list[str]]:
    """Role, text and names of tools called, in a message as Langfuse has it."""
    calls = [str(call.get("name")) for call in message.get("tool_calls") or ()]
    text = message.get("content") or ""
    role = str(message.get("role") or "").replace("model", "assistant")
    return role, (text if isinstance(text, str) else json.dumps(text)).strip(), calls


def ours(content: TraceContent, span_id: str, side: str) -> list[tuple[str, str, list[str]]]:
    """The same of the messages of a span."""
    found = []
    for ref in content.refs:
        if (ref.span_id, ref.direction) == (span_id, side):
            message = content.messages[ref.digest]
            parts = (message.body or {})["parts"]
            calls = [part["name"] for part in parts if part["type"] == "tool_call"]
            found.append((message.role, "\n".join(filter(None, map(_text, parts))).strip(), calls))
    return found


def _text(part: Mapping[str, Any]) -> str:
    if part["type"] == "tool_call":
        return ""
    value = part.get("content", part.get("response", ""))
    return value if isinstance(value, str) else json.dumps(value)


def test_nothing_is_found_wrong_with_a_run_that_went_well(framework: str, folder: Path) -> None:
    with otel_mas.open(folder / f"{framework}.trace.json") as source:
        (run,) = source.traces()
        assert not source.trace(run.trace_id).findings()
