"""A replay with a frozen clock: the app sees the recording's start, and what is recorded has the real time."""

from __future__ import annotations

import asyncio
import datetime
import random
import time
import uuid
from pathlib import Path
from time import time as imported_before
from typing import Any, TypedDict

import pytest
from langchain_core.language_models.fake_chat_models import FakeListChatModel
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, StateGraph

import otel_mas


class State(TypedDict, total=False):
    said: str
    seen: list[Any]


def app(model: Any) -> Any:
    async def speak(state: State) -> State:
        await asyncio.sleep(0.01)
        answer = await model.ainvoke("x")
        seen = [time.time(), imported_before(), datetime.datetime.now(datetime.UTC), datetime.date.today()]
        return {"said": answer.content, "seen": [*seen, uuid.uuid4(), random.random()]}

    graph = StateGraph(State)
    graph.add_node("speak", speak)
    graph.add_edge(START, "speak")
    return graph.compile(InMemorySaver())


def run(model: Any, thread: str = "1") -> Any:
    return asyncio.run(app(model).ainvoke({}, {"configurable": {"thread_id": thread}}))


@pytest.fixture
def recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("OTEL_MAS_STORE", str(tmp_path / "store.db"))
    otel_mas.instrument()
    run(FakeListChatModel(responses=["recorded"]))
    otel_mas.flush()
    with otel_mas.open() as source:
        yield source.trace(source.traces()[0].trace_id)
    otel_mas.shutdown()


def test_app_sees_the_start_of_the_recording_and_the_same_numbers_in_each_replay(recorded: Any) -> None:
    seen = []
    for _ in range(2):
        with otel_mas.replay(recorded, freeze=True):
            seen.append(run(FakeListChatModel(responses=["live"])))
    assert seen[0] == seen[1]
    assert seen[0]["said"] == "recorded"
    start_ns = min(span.start_ns for span in recorded.spans)
    assert seen[0]["seen"][0] == pytest.approx(start_ns / 1e9)
    assert seen[0]["seen"][1] == seen[0]["seen"][0]
    assert seen[0]["seen"][2].timestamp() == pytest.approx(start_ns / 1e9, abs=1e-5)
    assert type(seen[0]["seen"][2]) is datetime.datetime


def test_replay_is_recorded_with_the_real_time_and_ids_of_its_own(recorded: Any) -> None:
    before = time.time_ns()
    for _ in range(2):
        with otel_mas.replay(recorded, freeze=True):
            run(FakeListChatModel(responses=["live"]))
    otel_mas.flush()
    with otel_mas.open() as source:
        replays = [source.trace(one.trace_id) for one in source.traces()[:2]]
    assert len({one.trace_id for one in replays} | {recorded.trace_id}) == 3
    for one in replays:
        assert all(before <= span.start_ns <= (span.end_ns or 0) <= time.time_ns() for span in one.spans)
        assert max(span.duration_ns for span in one.spans) >= 10_000_000


def test_after_the_replay_everything_goes_on(recorded: Any) -> None:
    with otel_mas.replay(recorded, freeze=True):
        frozen = uuid.uuid4()
    assert abs(time.time() - imported_before()) < 5
    assert time.time() > min(span.start_ns for span in recorded.spans) / 1e9
    with otel_mas.replay(recorded, freeze=True):
        assert uuid.uuid4() == frozen
    assert uuid.uuid4() != frozen


def test_timeouts_of_the_event_loop_go_on_while_the_clock_stands(recorded: Any) -> None:
    async def wait() -> None:
        await asyncio.wait_for(asyncio.sleep(5), timeout=0.01)

    with otel_mas.replay(recorded, freeze=True), pytest.raises(TimeoutError):
        asyncio.run(wait())


def test_an_app_that_seeds_random_has_traces_of_its_own_in_each_run(recorded: Any) -> None:
    for _ in range(2):
        random.seed(1)
        run(FakeListChatModel(responses=["a"]))
    otel_mas.flush()
    with otel_mas.open() as source:
        assert len(source.traces()) == 3
