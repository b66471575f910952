"""The app that runs in a peer's environment, under that peer, under otel-mas, or under both.

Prints a line of JSON: the spans that its own exporter got while the app was made, and from each way to call it. Its
model is reached over HTTP with `langchain-openai`, and once with the bare `openai` client.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import operator
from contextvars import copy_context
from importlib.metadata import entry_points
from typing import Annotated, Any, TypedDict


class State(TypedDict, total=False):
    answers: Annotated[list[str], operator.add]


def build(tracer: Any) -> Any:
    import openai
    from langchain.agents import create_agent
    from langchain_core.runnables import RunnableLambda
    from langchain_core.tools import tool
    from langchain_openai import ChatOpenAI
    from langgraph.graph import END, START, StateGraph

    model = ChatOpenAI(model="gpt-4o-mini", stream_usage=True)

    def plan(state: State) -> dict[str, Any]:
        with tracer.start_as_current_span("own plan"):
            first = model.invoke("What is there to do in Oslo?").text
        streamed = "".join(chunk.text for chunk in model.stream("What is there to eat in Oslo?"))
        return {"answers": [first, streamed]}

    async def aplan(state: State) -> dict[str, Any]:
        with tracer.start_as_current_span("own plan"):
            first = (await model.ainvoke("What is there to do in Oslo?")).text
        streamed = "".join([chunk.text async for chunk in model.astream("What is there to eat in Oslo?")])
        return {"answers": [first, streamed]}

    def left(state: State) -> dict[str, Any]:
        return {"answers": [model.invoke("What is there to see in Bergen?").text]}

    async def aleft(state: State) -> dict[str, Any]:
        return {"answers": [(await model.ainvoke("What is there to see in Bergen?")).text]}

    asked: dict[str, Any] = {
        "model": "gpt-4o-mini",
        "messages": [{"role": "user", "content": "What is there to hear in Bergen?"}],
    }

    def right(state: State) -> dict[str, Any]:
        answer = openai.OpenAI().chat.completions.create(**asked)
        return {"answers": [answer.choices[0].message.content]}

    async def aright(state: State) -> dict[str, Any]:
        async with openai.AsyncOpenAI() as client:
            answer = await client.chat.completions.create(**asked)
        return {"answers": [answer.choices[0].message.content]}

    @tool
    def look_up(city: str) -> str:
        """Look a city up."""
        with tracer.start_as_current_span("own look-up"):
            return f"- {city} is by the sea."

    guide = create_agent(model, [look_up], name="guide")

    def report(state: State) -> dict[str, Any]:
        with tracer.start_as_current_span("own report"):
            return {"answers": [model.invoke(" ".join(state["answers"])).text]}

    async def areport(state: State) -> dict[str, Any]:
        with tracer.start_as_current_span("own report"):
            return {"answers": [(await model.ainvoke(" ".join(state["answers"]))).text]}

    def ask(state: State) -> dict[str, Any]:
        answered = guide.invoke({"messages": [("user", "Which city is by the sea?")]})
        return {"answers": [answered["messages"][-1].text]}

    async def aask(state: State) -> dict[str, Any]:
        answered = await guide.ainvoke({"messages": [("user", "Which city is by the sea?")]})
        return {"answers": [answered["messages"][-1].text]}

    graph = StateGraph(State)
    nodes = {
        "plan": (plan, aplan),
        "left": (left, aleft),
        "right": (right, aright),
        "ask": (ask, aask),
        "report": (report, areport),
    }
    for name, (function, coroutine) in nodes.items():
        graph.add_node(name, RunnableLambda(function, coroutine))
    graph.add_edge(START, "plan")
    graph.add_edge("plan", "left")
    graph.add_edge("plan", "right")
    graph.add_edge(["left", "right"], "ask")
    graph.add_edge("ask", "report")
    graph.add_edge("report", END)
    return graph.compile(name="trip")


async def arun(app: Any, way: str) -> None:
    if way == "ainvoke":
        await app.ainvoke({"answers": []})
    else:
        async for _ in app.astream({"answers": []}):
            pass


def run(app: Any, tracer: Any, way: str, loop: asyncio.Runner) -> None:
    with tracer.start_as_current_span(f"own {way}"):
        if way == "invoke":
            app.invoke({"answers": []})
        elif way == "stream":
            for _ in app.stream({"answers": []}, stream_mode=["updates", "messages"]):
                pass
        else:
            loop.run(arun(app, way), context=copy_context())


def start_peers(names: list[str]) -> None:
    for point in entry_points(group="opentelemetry_instrumentor"):
        if point.name in names:
            point.load()().instrument()


def start_ours(store: str) -> None:
    import otel_mas

    otel_mas.instrument(store=store)


def form(span: Any) -> dict[str, Any]:
    return {
        "name": span.name,
        "scope": span.instrumentation_scope.name,
        "trace_id": f"{span.context.trace_id:032x}",
        "span_id": f"{span.context.span_id:016x}",
        "parent_id": None if span.parent is None else f"{span.parent.span_id:016x}",
        "status": span.status.status_code.name,
        "start_ns": span.start_time,
        "end_ns": span.end_time,
        "attributes": {name: value for name, value in span.attributes.items() if isinstance(value, str | int | float)},
        "links": len(span.links),
    }


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--ways", default="invoke", help="how to call the graph, each once: with commas")
    parser.add_argument("--store", default="", help="where otel-mas records; without it, it is off")
    parser.add_argument("--peers", default="", help="entry points to instrument with, with commas")
    parser.add_argument("--ours-last", action="store_true")
    options = parser.parse_args()

    from opentelemetry import trace
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    trace.set_tracer_provider(provider)
    peers = [name for name in options.peers.split(",") if name]
    if options.store and not options.ours_last:
        start_ours(options.store)
    start_peers(peers)
    if options.store and options.ours_last:
        start_ours(options.store)

    tracer = trace.get_tracer("app")
    app = build(tracer)
    made = [form(span) for span in exporter.get_finished_spans()]
    spans = {}
    with asyncio.Runner() as loop:  # one for all: the model keeps its connections
        for way in options.ways.split(","):
            exporter.clear()
            run(app, tracer, way, loop)
            spans[way] = [form(span) for span in exporter.get_finished_spans()]
    if options.store:
        import otel_mas

        if not otel_mas.flush(30):
            raise SystemExit("not everything was written")
    print(json.dumps({"made": made, **spans}))


if __name__ == "__main__":
    main()
