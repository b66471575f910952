"""A run that is replayed again and again into the store that has it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.types import Command, interrupt

import otel_mas
from otel_mas.errors import ReplayMiss
from tests.accuracy.replay.witness import Witness

ON_THREAD: Any = {"configurable": {"thread_id": "one thread"}}


@pytest.fixture(autouse=True)
def store(tmp_path: Path) -> Iterator[Path]:
    otel_mas.instrument(store=tmp_path / "runs.db")
    yield tmp_path / "runs.db"
    otel_mas.shutdown()


def paused() -> list[str]:
    def talk(_: MessagesState) -> Any:
        return {"messages": [Witness(of="before").invoke("the same"), f"{interrupt('go on?')}"]}

    graph = StateGraph(MessagesState)
    graph.add_node("talk", talk)
    graph.add_edge(START, "talk")
    graph.add_edge("talk", END)
    app = graph.compile(checkpointer=InMemorySaver(), name="team")
    app.invoke({"messages": ["begin"]}, ON_THREAD)
    return [message.content for message in app.invoke(Command(resume="yes"), ON_THREAD)["messages"]]


def test_the_latest_trace_is_the_recorded_one_whatever_became_of_its_replays(store: Path) -> None:
    recorded = Witness(of="a").invoke("the same").content
    with pytest.raises(ReplayMiss), otel_mas.replay("latest"):
        Witness(of="a").invoke("something else")
    for _ in range(2):
        with otel_mas.replay("latest") as session:
            assert Witness(of="a").invoke("the same").content == recorded
        otel_mas.flush()
    assert session.answered == 1


def test_a_conversation_is_what_was_recorded_and_not_its_replays(store: Path) -> None:
    recorded = paused()
    otel_mas.flush()
    for _ in range(2):
        with otel_mas.replay("thread:one thread") as session:
            assert paused() == recorded
        otel_mas.flush()
        assert len(session.recording.calls) == 2


def test_each_process_of_a_conversation_goes_on_where_its_own_one_had(store: Path) -> None:
    """A task that asks twice is begun three times, each with the same first request."""

    def talk(_: MessagesState) -> Any:
        before = Witness(of="before").invoke("the same").content
        return {"messages": [f"{before} {interrupt('one?')} {interrupt('two?')}", Witness(of="after").invoke("then")]}

    def app(saver: InMemorySaver, given: Any) -> Any:
        graph = StateGraph(MessagesState)
        graph.add_node("talk", talk)
        graph.add_edge(START, "talk")
        graph.add_edge("talk", END)
        return graph.compile(checkpointer=saver, name="team").invoke(given, ON_THREAD)["messages"]

    def parts(*blocks: Any) -> list[str]:
        saver = InMemorySaver()
        inputs = ({"messages": ["begin"]}, Command(resume="yes"), Command(resume="no"))
        for block, given in zip(blocks, inputs, strict=True):
            with block():
                messages = app(saver, given)
            otel_mas.flush()
        return [message.content for message in messages]

    recorded = parts(*[nullcontext] * 3)
    assert parts(*[partial(otel_mas.replay, "thread:one thread")] * 3) == recorded


def test_a_replay_is_replayed_where_it_is_asked_for_by_its_id(store: Path) -> None:
    recorded = Witness(of="a").invoke("the same").content
    with otel_mas.replay("latest") as session:
        Witness(of="a").invoke("the same")
    otel_mas.flush()
    (replayed,) = session.trace_ids
    with otel_mas.replay(replayed) as again:
        assert Witness(of="a").invoke("the same").content == recorded
    assert again.recording.spans[0].trace_id == replayed
