"""Runs of one graph that race: each repeats the recorded one with its input. Replays are known as such."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from pathlib import Path
from typing import Annotated, Any, TypedDict

import pytest
from click.testing import CliRunner
from langchain_core.messages import HumanMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.graph.message import add_messages
from langgraph.types import Command, interrupt

import otel_mas
from otel_mas.cli import cli
from otel_mas.errors import ReplayMiss
from otel_mas.semconv import attributes as names
from tests.accuracy.topologies.model import ScriptedModel

CALLED: list[str] = []
SCHEDULES = 15


def asked(text: str) -> str:
    def script(messages: Any) -> str:
        CALLED.append(text)
        return f"{text} {len(CALLED)}"  # another answer each time: a wrong one shows

    time.sleep(random.random() * 0.003)
    return str(ScriptedModel(script=script).invoke([HumanMessage(text)]).content)


class Numbered(TypedDict, total=False):
    number: int
    tags: list[str]
    found: list[str]


class Talk(TypedDict, total=False):
    messages: Annotated[list[Any], add_messages]
    found: list[str]


def numbered() -> Any:
    graph = StateGraph(Numbered)
    graph.add_node("work", lambda state: {"found": [asked("the same"), asked(f"item {state['number']}")]})
    graph.add_edge(START, "work")
    return graph.compile(name="items")


def talking() -> Any:
    graph = StateGraph(Talk)
    graph.add_node("work", lambda state: {"found": [asked("the same"), asked(state["messages"][-1].content)]})
    graph.add_edge(START, "work")
    return graph.compile(name="talk")


def numbers() -> list[Any]:
    return [{"number": number, "tags": ["no", "digests"]} for number in range(6)]


def talks() -> list[Any]:
    return [{"messages": [HumanMessage(f"question {number}")]} for number in range(6)]


@pytest.fixture(autouse=True)
def store(tmp_path: Path) -> Iterator[Path]:
    CALLED.clear()
    path = tmp_path / "runs.db"
    otel_mas.instrument(store=str(path))
    yield path
    otel_mas.shutdown()


@pytest.mark.parametrize(("app", "given"), [(numbered, numbers), (talking, talks)])
@pytest.mark.parametrize("exported", [False, True])
def test_runs_of_a_batch_with_equal_first_requests_get_their_own_answers(
    app: Any, given: Any, exported: bool, store: Path, tmp_path: Path
) -> None:
    graph = app()

    def batch() -> list[Any]:
        inputs = list(enumerate(given()))
        random.shuffle(inputs)
        with otel_mas.workflow("batch"), ThreadPoolExecutor(6) as pool:
            running = [(number, pool.submit(copy_context().run, graph.invoke, one)) for number, one in inputs]
            return [one.result()["found"] for _, one in sorted(running, key=lambda item: item[0])]

    first = batch()
    otel_mas.flush()
    file = tmp_path / "batch.jsonl"
    if exported:
        arguments = ["export", "latest", "--with-content", "--store", str(store), "-o", str(file)]
        assert CliRunner().invoke(cli, arguments).exit_code == 0
    CALLED.clear()
    for _ in range(SCHEDULES):
        with otel_mas.replay(file) if exported else otel_mas.replay("latest", source=store):
            assert batch() == first
    assert CALLED == []


def test_a_run_more_than_was_recorded_is_a_miss_that_says_so(store: Path) -> None:
    app = numbered()
    app.invoke({"number": 1})
    otel_mas.flush()

    with pytest.raises(ReplayMiss, match="are repeated already"), otel_mas.replay("latest", source=store):
        app.batch([{"number": 1}, {"number": 1}])


def paused() -> Any:
    graph = StateGraph(MessagesState)
    graph.add_node("ask", lambda _: {"messages": [HumanMessage(interrupt("sure?"))]})
    graph.add_edge(START, "ask")
    return graph.compile(checkpointer=InMemorySaver(), name="paused")


def test_a_replay_that_calls_nothing_is_part_of_no_recording(store: Path) -> None:
    config: Any = {"configurable": {"thread_id": "review"}}

    def run() -> None:
        app = paused()
        app.invoke({"messages": []}, config)
        app.invoke(Command(resume="yes"), config)

    run()
    otel_mas.flush()
    with otel_mas.open(store) as source:
        recorded = {one.trace_id for one in source.traces()}
    for target in ("thread:review", "latest"):
        with otel_mas.replay(target, source=store) as session:
            run()
        otel_mas.flush()
        assert set(session.recording.trace_ids) <= recorded
        with otel_mas.open(store) as source:
            spans = [span for one in session.trace_ids for span in source.trace(one).spans]
        marked = [span.get(names.MAS_REPLAY_TRACES) for span in spans if span.get(names.MAS_RUN_OUTCOME)]
        assert list(map(tuple, marked)) == [session.recording.trace_ids] * 2
