"""Profiles of what LangGraph ran: waiting at joins and for rate limits, streams, and profiled functions."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from operator import add
from pathlib import Path
from typing import Annotated, Any, TypedDict

import pytest
from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
from langchain_core.messages import AIMessage
from langgraph.graph import END, START, StateGraph
from langgraph.types import RetryPolicy, Send

import otel_mas
from otel_mas.analyse.profile import ProfileRow
from otel_mas.api import Profile

MS = 1_000_000


class State(TypedDict, total=False):
    text: Annotated[list[str], add]
    number: int


class RateLimitError(Exception):
    """As clients of models raise it."""


@pytest.fixture
def profiled(tmp_path: Path) -> Callable[[Callable[[], object]], Profile]:
    """`profiled(run)`: the profile of what was recorded while it ran."""

    def record(run: Callable[[], object]) -> Profile:
        otel_mas.instrument(store=str(tmp_path / "runs.db"))
        try:
            run()
        finally:
            otel_mas.shutdown(30)
        with otel_mas.open(tmp_path / "runs.db") as source:
            return source.latest().profile()

    return record


def app(**nodes: Callable[..., Any]) -> StateGraph[Any]:
    graph: StateGraph[Any] = StateGraph(State)
    for name, node in nodes.items():
        graph.add_node(name, node)
    return graph


def node(profile: Profile, name: str) -> ProfileRow:
    return next(row for row in profile.by("node") if row.name == name)


def test_tasks_of_a_fan_out_wait_for_the_slowest(profiled: Any) -> None:
    async def work(state: State) -> State:
        await asyncio.sleep(0.05 * state["number"])
        return {}

    graph = app(plan=lambda state: {}, work=work, merge=lambda state: {})
    graph.add_edge(START, "plan")
    graph.add_conditional_edges("plan", lambda state: [Send("work", {"number": n}) for n in (1, 2, 4)], ["work"])
    graph.add_edge("work", "merge")
    graph.add_edge("merge", END)
    profile = profiled(lambda: asyncio.run(graph.compile().ainvoke({"text": []})))

    work_row = node(profile, "work")
    assert work_row.calls == work_row.durations.n == 3
    assert 200 * MS <= work_row.wall_ns < work_row.sum_ns
    assert work_row.sum_ns >= 350 * MS
    # The first waits for the last, and so does the second; all three began after the first of them.
    assert 0 < work_row.waiting_sibling_ns <= 3 * work_row.wall_ns - work_row.sum_ns
    assert node(profile, "plan").waiting_sibling_ns == 0
    assert sum(spot.on_path_ns for spot in profile.hot_spots) == profile.total_ns


def test_time_between_attempts_that_a_rate_limit_refused_is_told(profiled: Any) -> None:
    attempts = []

    def call(state: State) -> State:
        attempts.append(1)
        if len(attempts) < 3:
            raise RateLimitError("429")
        return {}

    graph: StateGraph[Any] = StateGraph(State)
    policy = RetryPolicy(initial_interval=0.1, backoff_factor=1, jitter=False, max_attempts=3, retry_on=RateLimitError)
    graph.add_node("call", call, retry_policy=policy)
    graph.add_edge(START, "call")
    graph.add_edge("call", END)
    profile = profiled(lambda: graph.compile().invoke({"text": []}))

    row = node(profile, "call")
    assert (row.calls, row.errors) == (3, 2)
    assert 200 * MS <= row.waiting_rate_limit_ns <= profile.total_ns


def test_the_first_chunk_of_a_stream_is_in_the_row_of_its_agent_and_model(profiled: Any) -> None:
    class Slow(GenericFakeChatModel):
        def _stream(self, *args: Any, **kwargs: Any) -> Any:
            time.sleep(0.05)
            yield from super()._stream(*args, **kwargs)

    model = Slow(messages=iter([AIMessage("one two three")]))

    def speak(state: State) -> State:
        return {"text": [str(chunk.content) for chunk in model.stream("hello")]}

    graph = app(speak=speak)
    graph.add_edge(START, "speak")
    profile = profiled(lambda: graph.compile().invoke({"text": []}))

    assert node(profile, "speak").first_chunk.n == 1
    assert 50 * MS <= node(profile, "speak").first_chunk.p50 <= node(profile, "speak").model_ns


def test_profiled_functions_are_told_with_their_node(profiled: Any) -> None:
    @otel_mas.profiled
    def rank() -> None:
        time.sleep(0.01)

    @otel_mas.profiled
    async def load() -> None:
        await asyncio.sleep(0.02)

    async def read(state: State) -> State:
        await asyncio.gather(load(), load())
        rank()
        return {}

    async def write(state: State) -> State:
        rank()
        return {}

    graph = app(read=read, write=write)
    graph.add_edge(START, "read")
    graph.add_edge("read", "write")
    profile = profiled(lambda: asyncio.run(graph.compile().ainvoke({"text": []})))

    found = {(row.name.rpartition(".")[2], row.node): row for row in profile.functions}
    assert {place: row.calls for place, row in found.items()} == {
        ("load", "read"): 2,
        ("rank", "read"): 1,
        ("rank", "write"): 1,
    }
    load_row = found["load", "read"]
    assert load_row.total_ns >= 40 * MS
    assert load_row.max_ns < load_row.total_ns
    assert load_row.running_ns < load_row.total_ns
