"""A web app that answers with a graph; served by `uvicorn tests.accuracy.served:app`."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any, TypedDict

from fastapi import FastAPI
from fastapi.responses import StreamingResponse
from langgraph.graph import START, StateGraph
from opentelemetry import trace
from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor

TRACER = trace.get_tracer("the app")


class State(TypedDict):
    text: str


def step(state: State) -> dict[str, Any]:
    with TRACER.start_as_current_span("work"):
        time.sleep(0.02)
    return {"text": state["text"] + "."}


async def astep(state: State) -> dict[str, Any]:
    with TRACER.start_as_current_span("work"):
        await asyncio.sleep(0.02)
    return {"text": state["text"] + "."}


def chain(node: Any) -> Any:
    builder = StateGraph(State)
    builder.add_node("one", node)
    builder.add_node("two", node)
    builder.add_edge(START, "one")
    builder.add_edge("one", "two")
    return builder.compile(name="app")


GRAPH, ASYNC_GRAPH = chain(step), chain(astep)
app = FastAPI()


@app.get("/sync")
def sync(text: str) -> dict[str, Any]:
    return {**GRAPH.invoke({"text": text}), "pid": os.getpid()}


@app.get("/async")
async def asynchronous(text: str) -> dict[str, Any]:
    return {**await ASYNC_GRAPH.ainvoke({"text": text}), "pid": os.getpid()}


@app.get("/stream")
def stream(text: str) -> StreamingResponse:
    def events() -> Iterator[str]:
        for event in GRAPH.stream({"text": text}, stream_mode="updates"):
            with TRACER.start_as_current_span("send"):
                line = f"{event}\n"
            yield line

    return StreamingResponse(events())


@app.get("/astream")
async def astream(text: str) -> StreamingResponse:
    async def events() -> AsyncIterator[str]:
        async for event in ASYNC_GRAPH.astream({"text": text}, stream_mode="updates"):
            with TRACER.start_as_current_span("send"):
                line = f"{event}\n"
            yield line

    return StreamingResponse(events())


@app.get("/endless")
async def endless() -> StreamingResponse:
    async def hang(state: State) -> None:
        await asyncio.sleep(60)

    builder = StateGraph(State)
    builder.add_node("one", astep)
    builder.add_node("hangs", hang)
    builder.add_edge(START, "one")
    builder.add_edge("one", "hangs")
    graph = builder.compile(name="endless")

    async def events() -> AsyncIterator[str]:
        async for event in graph.astream({"text": ""}, stream_mode="updates"):
            yield f"{event}\n"

    return StreamingResponse(events())


FastAPIInstrumentor.instrument_app(app, exclude_spans=["receive", "send"])
