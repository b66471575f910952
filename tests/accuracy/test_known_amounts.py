"""Reported failures of other tools that are about amounts: tokens, prices, memory, sizes. See `test_known_failures`."""

from __future__ import annotations

import gc
import operator
from pathlib import Path
from typing import Annotated, Any, TypedDict

import pytest
from langchain_core.messages import AIMessage
from langchain_core.messages.ai import UsageMetadata
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.types import Send
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

import otel_mas
from otel_mas.instrumentation.langchain.models import HANDLER
from otel_mas.instrumentation.langgraph.runs import GraphRun, TaskRun
from otel_mas.instrumentation.langgraph.schedule import TASK_RUNS
from otel_mas.semconv import attributes as names
from tests.accuracy.cases.case import Way
from tests.accuracy.features import make_agent
from tests.accuracy.scripted import calls, says
from tests.accuracy.test_known_failures import ASKED, WAYS, config, graph_of


def used(given: int, produced: int, total: int | None = None, **details: int) -> UsageMetadata:
    total = given + produced if total is None else total
    return UsageMetadata(
        input_tokens=given,
        output_tokens=produced,
        total_tokens=total,
        input_token_details=details,  # type: ignore[typeddict-item]
    )


# -- 8 ---------------------------------------------------------------------------------------------------------------


@WAYS
def test_case_8_tokens_are_counted_once_on_the_call_that_used_them(way: Way, recorded: Path) -> None:
    """openinference#3164, #1193, mlflow#25007, langfuse#8700: sums on the spans around a call, and chunks added up."""

    @tool
    def weather(city: str) -> str:
        """Look outside."""
        return f"It rains in {city}."

    first = calls("weather", city="Oslo")
    first.usage_metadata = used(1000, 100)
    model = says(first, AIMessage("It rains.", usage_metadata=used(2000, 10)), provider="openai", model="gpt-4o-mini")
    outer = StateGraph(MessagesState)
    outer.add_node("guide", make_agent(model, [weather], name="guide"))
    outer.add_edge(START, "guide")
    way(outer.compile(checkpointer=InMemorySaver()), ASKED, config("tokens"))

    graph = graph_of(recorded, "tokens")
    counting = [span for span in graph.spans if span.get(names.GEN_AI_USAGE_INPUT_TOKENS) is not None]
    assert {span.record_kind for span in counting} == {"LLM_CALL"}
    total = graph.cost().total
    assert (total.calls, total.input_tokens, total.output_tokens) == (2, 3000, 110)
    assert total.usd == pytest.approx((3000 * 0.15 + 110 * 0.60) / 1e6)
    with otel_mas.open(recorded) as source:
        (summary,) = source.traces()
    assert (summary.input_tokens, summary.output_tokens) == (3000, 110)
    assert summary.cost_usd == pytest.approx(total.usd)


# -- 9 ---------------------------------------------------------------------------------------------------------------

SONNET = ("anthropic", "claude-sonnet-4-5")  # USD a million: 3 in, 15 out, 0.30 read, 3.75 written, 6 for an hour
BEDROCK = ("amazon_bedrock", "us.anthropic.claude-sonnet-4-5-20250929-v1:0")  # 3.30, 16.50, 0.33, 4.125, 6.60
MINI = ("openai", "gpt-4o-mini")  # 0.15, 0.60, 0.075
FLASH = ("google_genai", "gemini-2.5-flash")  # 0.30, 2.50, 0.03


@pytest.mark.parametrize(
    ("model", "usage", "total", "usd"),
    [
        # OpenAI: what was cached is part of the prompt.
        pytest.param(MINI, used(10_000, 100, cache_read=8_000), 10_000, 2_000 * 0.15 + 8_000 * 0.075 + 60, id="openai"),
        # Google: likewise.
        pytest.param(FLASH, used(10_000, 100, cache_read=8_000), 10_000, 2_000 * 0.3 + 8_000 * 0.03 + 250, id="google"),
        # Anthropic by langchain-anthropic: the sum of new, written and read.
        pytest.param(
            SONNET,
            used(39_019, 100, cache_read=30_000, cache_creation=9_000),
            39_019,
            19 * 3 + 30_000 * 0.30 + 9_000 * 3.75 + 1_500,
            id="anthropic",
        ),
        # Written for five minutes and for an hour, which costs more.
        pytest.param(
            SONNET,
            used(5_100, 100, cache_creation=0, ephemeral_5m_input_tokens=2_000, ephemeral_1h_input_tokens=3_000),
            5_100,
            100 * 3 + 2_000 * 3.75 + 3_000 * 6 + 1_500,
            id="anthropic-for-an-hour",
        ),
        # As Anthropic itself counts: beside the input. Where it is more than that, it cannot be a part of it.
        pytest.param(
            SONNET,
            used(19, 100, cache_read=30_000, cache_creation=9_000),
            39_019,
            19 * 3 + 30_000 * 0.30 + 9_000 * 3.75 + 1_500,
            id="anthropic-beside",
        ),
        # As Bedrock counts: beside the input, and in the total.
        pytest.param(
            BEDROCK,
            used(20_000, 100, 25_100, cache_read=4_000, cache_creation=1_000),
            25_000,
            20_000 * 3.3 + 4_000 * 0.33 + 1_000 * 4.125 + 1_650,
            id="bedrock-beside",
        ),
        pytest.param(
            BEDROCK,
            used(25_000, 100, cache_read=4_000, cache_creation=1_000),
            25_000,
            20_000 * 3.3 + 4_000 * 0.33 + 1_000 * 4.125 + 1_650,
            id="bedrock",
        ),
    ],
)
def test_case_9_cached_tokens_have_prices_of_their_own(
    model: tuple[str, str], usage: UsageMetadata, total: int, usd: float, recorded: Path
) -> None:
    """databricks-ai-bridge#446, langchainjs#10339, openllmetry#4239, langsmith-sdk#2519.

    Prices are those of the pinned table, in USD a million tokens; `usd` is in millionths.
    """
    provider, name = model
    asked = says(AIMessage("It rains.", usage_metadata=usage), provider=provider, model=name)
    graph = StateGraph(MessagesState)
    graph.add_node("ask", lambda state: {"messages": [asked.invoke(state["messages"])]})
    graph.add_edge(START, "ask")
    graph.compile(checkpointer=InMemorySaver()).invoke(ASKED, config("cached"))  # type: ignore[call-overload]
    found = graph_of(recorded, "cached").cost()
    assert found.unpriced == ()
    assert found.total.usd == pytest.approx(usd / 1e6)
    assert found.total.input_tokens == total
    assert found.total.cache_read_tokens == usage["input_token_details"].get("cache_read", 0)


# -- 11 --------------------------------------------------------------------------------------------------------------


def test_case_11_nothing_is_kept_of_runs_that_are_over(recorded: Path) -> None:
    """langsmith-sdk#2097, opik#7517, openllmetry#2790: handlers and run tables that grow with every run."""
    handlers = _handlers()

    def runs(count: int) -> None:
        for number in range(count):
            graph = StateGraph(MessagesState)
            graph.add_node("guide", make_agent(says("It rains."), name="guide"))
            graph.add_edge(START, "guide")
            graph.compile().invoke(ASKED, config(str(number)))  # type: ignore[call-overload]

    runs(3)
    assert otel_mas.flush(30)
    before = _kept()
    runs(50)
    assert otel_mas.flush(30)
    assert _kept() == before
    assert _handlers() == handlers
    assert not TASK_RUNS
    assert not HANDLER._open


def _kept() -> dict[str, int]:
    gc.collect()
    kinds = (TaskRun, GraphRun)
    return {kind.__name__: sum(isinstance(one, kind) for one in gc.get_objects()) for kind in kinds}


def _handlers() -> int:
    from langchain_core.tracers.context import _configure_hooks

    return len(_configure_hooks)


# -- 12 --------------------------------------------------------------------------------------------------------------


def test_case_12_no_attribute_is_too_large_for_a_backend(tmp_path: Path) -> None:
    """tempo#7093, #3985, ai-gateway#2064: values cut at 2,048 bytes, batches refused, 128 attributes at most."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(trace, "_TRACER_PROVIDER", provider)
        otel_mas.instrument(store=str(tmp_path / "runs.db"))
        try:
            _large_run()
        finally:
            otel_mas.shutdown(30)
    spans = exporter.get_finished_spans()
    assert {span.name.split()[0] for span in spans} >= {"invoke_workflow", "task", "chat", "execute_tool"}
    for span in spans:
        attributes = dict(span.attributes or {})
        assert len(attributes) < 128
        for name, value in attributes.items():
            texts = value if isinstance(value, tuple) else (value,)
            assert all(len(str(text)) <= 2048 for text in texts), name


def _large_run() -> None:
    @tool
    def read(city: str) -> str:
        """Read a lot."""
        return "a fact " * 100_000

    first = calls("read", city="x" * 50_000)
    agent = make_agent(says(first, "y" * 200_000), [read], name="guide")

    class Large(TypedDict, total=False):
        messages: list[Any]
        seen: Annotated[list[str], operator.add]

    graph = StateGraph(Large)
    graph.add_node("split", lambda state: {})
    graph.add_node("work", lambda state: {"seen": ["z" * 10_000]})
    graph.add_node("ask", lambda state: {"messages": agent.invoke({"messages": state["messages"]})["messages"]})
    graph.add_edge(START, "split")
    graph.add_conditional_edges("split", lambda state: [Send("work", state) for _ in range(200)], ["work"])
    graph.add_edge("work", "ask")
    graph.compile().invoke({"messages": [("user", "w" * 1_000_000)]})  # type: ignore[call-overload]
