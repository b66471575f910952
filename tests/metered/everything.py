"""An app in which everything happens that a metric counts. Its own MeterProvider has a reader for Prometheus.

Run as `python -m tests.metered.everything TEXT`: what its reader says is written to TEXT.
"""

from __future__ import annotations

import asyncio
import operator
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal, TypedDict

from langchain.agents import create_agent
from langchain.agents.middleware import PIIMiddleware
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.types import Command, RetryPolicy, Send, interrupt
from opentelemetry import metrics
from opentelemetry.exporter.prometheus import PrometheusMetricReader
from opentelemetry.sdk.metrics import MeterProvider
from prometheus_client import CollectorRegistry, generate_latest

import otel_mas

_USAGE: Any = {
    "input_tokens": 120,
    "output_tokens": 30,
    "total_tokens": 150,
    "input_token_details": {"cache_read": 40, "cache_creation": 8},
    "output_token_details": {"reasoning": 12},
}


class Model(BaseChatModel):
    """Says what it was made to say, in order, as a model that has a price."""

    answers: list[AIMessage]
    model_name: str = "gpt-4o-mini"
    said: int = 0

    @property
    def _llm_type(self) -> str:
        return "openai-chat"

    def _get_ls_params(self, stop: Any = None, **kwargs: Any) -> Any:
        return {"ls_provider": "openai", "ls_model_name": self.model_name, "ls_model_type": "chat"}

    def bind_tools(self, tools: Any, **kwargs: Any) -> Any:
        return self

    def _next(self) -> AIMessage:
        answer = self.answers[min(self.said, len(self.answers) - 1)]
        self.said += 1
        return answer.model_copy(update={"usage_metadata": _USAGE, "id": None})

    def _generate(self, messages: list[BaseMessage], *args: Any, **kwargs: Any) -> ChatResult:
        return ChatResult(generations=[ChatGeneration(message=self._next())])

    def _stream(self, messages: list[BaseMessage], *args: Any, **kwargs: Any) -> Iterator[ChatGenerationChunk]:
        answer = self._next()
        words = str(answer.content).split() or [""]
        for word in words:
            yield ChatGenerationChunk(message=AIMessageChunk(content=f"{word} "))
        yield ChatGenerationChunk(
            message=AIMessageChunk(content="", tool_calls=answer.tool_calls, usage_metadata=_USAGE)
        )


@tool
def look_up(query: str) -> str:
    """Look something up."""
    return f"{query}: 17"


@tool
def archive(query: str) -> str:
    """Ask the archive, which is closed."""
    raise ConnectionError("the archive has no connection")


def _call(name: str, number: int) -> Any:
    return {"name": name, "args": {"query": "the tram"}, "id": f"call-{number}", "type": "tool_call"}


def agent_with_tools() -> None:
    """An agent that is streamed, calls two tools, of which one fails, behind a guardrail."""
    answers = [AIMessage("", tool_calls=[_call("look_up", 1)]), AIMessage("It has seventeen stops in all.")]
    researcher = create_agent(Model(answers=answers), [look_up], middleware=[PIIMiddleware("email")], name="researcher")
    for _ in researcher.stream(
        {"messages": [("user", "How many stops? Write to ann@example.com")]}, stream_mode="messages"
    ):
        pass
    asked = create_agent(Model(answers=[AIMessage("", tool_calls=[_call("archive", 2)])]), [archive], name="archivist")
    try:
        asked.invoke({"messages": [("user", "Ask the archive")]})
    except ConnectionError:
        pass


class Work(TypedDict, total=False):
    """The state of the desk."""

    done: Annotated[list[str], operator.add]
    part: str


_ATTEMPTS: list[int] = []


def desk() -> None:
    """A route, a fan-out of tasks and of Sends, a join, a retry, a judgement and a check."""

    def plan(state: Work) -> Work:
        return {"done": ["plan"]}

    def parts(state: Work) -> list[Send]:
        return [Send("measure", {"part": one}) for one in ("north", "south")]

    def measure(state: Work) -> Work:
        return {"done": [state["part"]]}

    def read(state: Work) -> Work:
        _ATTEMPTS.append(1)
        if len(_ATTEMPTS) == 1:
            raise TimeoutError("no answer yet")
        return {"done": ["read"]}

    async def count(state: Work) -> Work:
        time.sleep(0.15)  # it blocks the loop on purpose, past the timer that is to see it
        await asyncio.sleep(0.01)
        return {"done": ["count"]}

    def write(state: Work) -> Work:
        with otel_mas.guardrail("tone", target="output") as check:
            check.verdict("block", "too loud", category="tone")
        with otel_mas.grade("relevance") as grade:
            grade.score("escalate", "nothing about the tram")
        return {"done": ["write"]}

    def whether(state: Work) -> Literal["write", "__end__"]:
        return "write"

    graph = StateGraph(Work)
    graph.add_node("plan", plan)
    graph.add_node("measure", measure)
    graph.add_node("read", read, retry_policy=RetryPolicy(max_attempts=2, initial_interval=0.01, retry_on=TimeoutError))
    graph.add_node("count", count)
    graph.add_node("gather", lambda state: {"done": ["gather"]})
    graph.add_node("write", write)
    graph.add_edge(START, "plan")
    graph.add_conditional_edges("plan", parts, ["measure"])
    graph.add_edge("plan", "read")
    graph.add_edge("plan", "count")
    graph.add_edge(["read", "count"], "gather")
    graph.add_conditional_edges("gather", whether, ["write", END])
    asyncio.run(graph.compile(name="desk").ainvoke({"done": []}))


def swarm() -> None:
    """One agent hands over to another one."""

    def hand_over(state: MessagesState) -> Command[Any]:
        return Command(goto="ben", graph=Command.PARENT, update={"messages": [("ai", "over to ben")]})

    ann = StateGraph(MessagesState)
    ann.add_node("decide", hand_over)
    ann.add_edge(START, "decide")
    whole = StateGraph(MessagesState)
    whole.add_node("ann", ann.compile(name="ann"))
    whole.add_node("ben", create_agent(Model(answers=[AIMessage("I could not find the file.")]), [], name="ben"))
    whole.add_edge(START, "ann")
    whole.compile(name="swarm").invoke({"messages": [("user", "Find the file")]})


class Booking(TypedDict, total=False):
    """The state of an approval."""

    answer: str


def approvals() -> None:
    """A question that is answered, and one that nobody answers."""

    def ask(state: Booking) -> Booking:
        return {"answer": interrupt("Book it?")}

    graph = StateGraph(Booking)
    graph.add_node("ask", ask)
    graph.add_edge(START, "ask")
    booking = graph.compile(InMemorySaver(), name="booking")
    answered: Any = {"configurable": {"thread_id": "answered"}}
    booking.invoke({}, answered)
    booking.invoke(Command(resume="yes"), answered)
    booking.invoke({}, {"configurable": {"thread_id": "waiting"}})


@otel_mas.workflow("many tools")
def many_tools() -> None:
    """More tools than a label has values."""
    for number in range(30):
        with otel_mas.tool(f"tool-{number}"):
            pass


def main(written: Path) -> None:
    """Run all of it."""
    registry = CollectorRegistry()
    reader = PrometheusMetricReader(disable_target_info=True, scope_info_enabled=False, registry=registry)
    provider = MeterProvider([reader])
    metrics.set_meter_provider(provider)
    for part in (agent_with_tools, desk, swarm, approvals, many_tools):
        part()
    assert otel_mas.flush()
    written.write_bytes(generate_latest(registry))
    provider.shutdown()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
