"""One measured process: a LangGraph loop of nodes with one model call each, under one recorder. Prints a JSON line.

Runs in the environment of the recorder that it measures, so it imports the project only to record with it.
CPU is that of the whole process, all threads, from before the first measured run until all is exported or stored.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import operator
import resource
import time
from typing import Annotated, Any, TypedDict

from langchain_core.language_models.chat_models import BaseChatModel
from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.runnables import RunnableLambda
from langgraph.graph import END, START, StateGraph
from langgraph.graph.message import add_messages


def cpu_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def start_recorder(name: str, target: str) -> Any:
    """Switch the recorder on; returns what waits until everything it recorded has left the process."""
    if name == "bare":
        return lambda: None
    if name == "otel-mas":
        import otel_mas

        otel_mas.instrument(store=target)
        return lambda: otel_mas.flush(60)
    if name == "openinference":
        from openinference.instrumentation.langchain import LangChainInstrumentor
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor

        provider = TracerProvider()
        provider.add_span_processor(
            BatchSpanProcessor(OTLPSpanExporter(endpoint=target), max_queue_size=1 << 20, schedule_delay_millis=500)
        )
        LangChainInstrumentor().instrument(tracer_provider=provider)
        return lambda: provider.force_flush(60_000)
    raise SystemExit(f"unknown recorder {name!r}")


class Scripted(BaseChatModel):
    """Answers at once, with the usage that a hosted model reports."""

    model_name: str = "gpt-4o-mini"

    @property
    def _llm_type(self) -> str:
        return "scripted"

    def _get_ls_params(self, stop: Any = None, **kwargs: Any) -> Any:
        return {"ls_provider": "openai", "ls_model_name": self.model_name, "ls_model_type": "chat"}

    def _generate(self, messages: Any, stop: Any = None, run_manager: Any = None, **kwargs: Any) -> ChatResult:
        message = AIMessage(
            content="noted",
            usage_metadata={"input_tokens": 900, "output_tokens": 7, "total_tokens": 907},
            response_metadata={"model_name": self.model_name, "finish_reason": "stop"},
        )
        return ChatResult(generations=[ChatGeneration(message=message)])


class State(TypedDict, total=False):
    messages: Annotated[list[Any], add_messages]
    blob: str
    turns: Annotated[int, operator.add]


def build(nodes: int) -> Any:
    """A loop of one node, which calls the model once in each of `nodes` steps."""
    model = Scripted()

    def think(state: State) -> dict[str, Any]:
        model.invoke(state["messages"])
        return {"turns": 1}

    async def athink(state: State) -> dict[str, Any]:
        await model.ainvoke(state["messages"])
        return {"turns": 1}

    graph = StateGraph(State)
    graph.add_node("think", RunnableLambda(think, athink))
    graph.add_edge(START, "think")
    graph.add_conditional_edges("think", lambda s: END if s["turns"] >= nodes else "think", ["think", END])
    return graph.compile(name="loop")


def initial(messages: int, size: int, blob: int) -> dict[str, Any]:
    kinds = (HumanMessage, AIMessage)
    text = "lorem ipsum dolor sit amet " * (size // 27 + 1)
    history = [kinds[i % 2](content=f"{i} {text}"[:size], id=f"m{i}") for i in range(messages)]
    return {"messages": history, "blob": "x" * blob, "turns": 0}


async def event_loop_lag(stop: asyncio.Event, lags: list[float]) -> None:
    while not stop.is_set():
        before = time.perf_counter()
        await asyncio.sleep(0.001)
        lags.append(time.perf_counter() - before - 0.001)


async def run_async(app: Any, state: dict[str, Any], config: dict[str, Any], runs: int) -> list[float]:
    stop, lags = asyncio.Event(), []
    watcher = asyncio.create_task(event_loop_lag(stop, lags))
    for _ in range(runs):
        await app.ainvoke(dict(state), config)
    stop.set()
    await watcher
    return lags


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--recorder", required=True)
    parser.add_argument("--target", default="")
    parser.add_argument("--nodes", type=int, default=50)
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--messages", type=int, default=2)
    parser.add_argument("--size", type=int, default=40)
    parser.add_argument("--blob", type=int, default=0)
    parser.add_argument("--asynchronous", action="store_true")
    options = parser.parse_args()

    finish = start_recorder(options.recorder, options.target)
    app = build(options.nodes)
    state = initial(options.messages, options.size, options.blob)
    config = {"recursion_limit": options.nodes + 10}

    app.invoke(dict(state), config)  # imports, caches and the recorder's start are not what is measured
    finish()

    cpu, wall = cpu_seconds(), time.perf_counter()
    lags: list[float] = []
    if options.asynchronous:
        lags = asyncio.run(run_async(app, state, config, options.runs))
    else:
        for _ in range(options.runs):
            app.invoke(dict(state), config)
    wall_done = time.perf_counter() - wall
    finish()
    cpu = cpu_seconds() - cpu

    count = options.nodes * options.runs
    lags.sort()
    print(
        json.dumps(
            {
                "cpu_us": cpu / count * 1e6,
                "wall_us": wall_done / count * 1e6,
                "lag_p99_ms": lags[int(len(lags) * 0.99)] * 1e3 if lags else None,
                "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
            }
        )
    )


if __name__ == "__main__":
    main()
