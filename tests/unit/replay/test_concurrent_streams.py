"""Models of one task that are called at once, while LangGraph has their answers streamed."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from langchain_openai import ChatOpenAI
from langgraph.graph import END, START, MessagesState, StateGraph

import otel_mas
from examples.model_server import ModelServer
from otel_mas.semconv import attributes as names

LENGTHS = (2, 4, 6)


@pytest.fixture
def store(tmp_path: Path) -> Any:
    otel_mas.instrument(store=tmp_path / "runs.db")
    yield tmp_path / "runs.db"
    otel_mas.shutdown()


def streamed(server: ModelServer) -> tuple[list[str], list[str]]:
    """The answers of three models, asked the same at once, and the texts of their streams."""
    models = [
        ChatOpenAI(model="gpt-4o-mini", base_url=server.url, api_key="local", max_retries=0, max_tokens=one)
        for one in LENGTHS
    ]

    async def ask(_: MessagesState) -> Any:
        return {"messages": list(await asyncio.gather(*[one.ainvoke("Why a tram?") for one in models]))}

    graph = StateGraph(MessagesState)
    graph.add_node("ask", ask)
    graph.add_edge(START, "ask")
    graph.add_edge("ask", END)

    async def run() -> tuple[list[str], list[str]]:
        texts: dict[str, str] = {}
        values: Any = None
        async for mode, item in graph.compile().astream({"messages": []}, stream_mode=["messages", "values"]):
            if mode == "values":
                values = item
            else:
                texts[item[0].id] = texts.get(item[0].id, "") + item[0].text
        return [message.text for message in values["messages"]], sorted(texts.values())

    return asyncio.run(run())


def test_each_of_the_models_that_stream_at_once_gets_its_own_answer(server: ModelServer, store: Path) -> None:
    recorded = streamed(server)
    assert len(set(recorded[0])) == len(LENGTHS)
    otel_mas.flush()
    with otel_mas.replay("latest") as session:
        assert streamed(server) == recorded
    otel_mas.flush()

    with otel_mas.open(store) as source:
        (trace_id,) = session.trace_ids
        calls = [one for one in source.trace(trace_id).spans if one.get(names.GEN_AI_REQUEST_MODEL)]
    asked = {one.span.span_id: one.span.get(names.GEN_AI_REQUEST_MAX_TOKENS) for one in session.recording.calls}
    answering = {
        one.get(names.GEN_AI_REQUEST_MAX_TOKENS): asked[str(one.get(names.MAS_REPLAY_SPAN)).split("-")[1]]
        for one in calls
    }
    assert answering == {one: one for one in LENGTHS}
