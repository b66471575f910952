"""Misses, what is live, keys, and what a replay leaves on its spans and in the process."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from langgraph.graph import END, START, StateGraph

import otel_mas
from otel_mas.errors import ConfigError, ReplayMiss
from otel_mas.replay.hook_tables import HOOKS
from otel_mas.replay.keys import PLACEHOLDER
from otel_mas.semconv import attributes as names
from tests.accuracy.replay import witness
from tests.accuracy.replay.apps import State, same_requests
from tests.accuracy.replay.witness import Witness, lookup


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Path]:
    otel_mas.instrument(store=tmp_path / "runs.db")
    yield tmp_path / "runs.db"
    otel_mas.shutdown()


def latest(store: Path) -> Any:
    otel_mas.flush()
    return otel_mas.open(store).latest()


@tool
def ask_another(query: str) -> str:
    """Ask another model."""
    return f"heard {Witness(of='inner').invoke(query).content}"


def app(question: str = "the same", query: str = "x") -> Any:
    def writer(_: State) -> State:
        return {"found": [Witness(of="writer").invoke(question).content, lookup.invoke({"query": query})]}

    def asker(_: State) -> State:
        return {"found": [ask_another.invoke({"query": "why"})]}

    graph = StateGraph(State)
    graph.add_node("writer", writer)
    graph.add_node("asker", asker)
    graph.add_edge(START, "writer")
    graph.add_edge("writer", "asker")
    graph.add_edge("asker", END)
    return graph.compile(name="team").invoke({"found": []})["found"]


def test_a_miss_names_the_task_the_nearest_request_and_the_difference(store: Path) -> None:
    app()
    with pytest.raises(ReplayMiss) as raised, otel_mas.replay(latest(store)):
        app("the same, but longer")

    assert raised.value.place == "team/writer#1 in step 1"
    assert raised.value.nearest == "writer#1/model#1"
    assert raised.value.difference == "message 1 (user).content: recorded 'the same', now 'the same, but longer'"
    assert "writer#1/model#1" in str(raised.value)


def test_a_call_that_comes_more_often_than_recorded_is_a_miss(store: Path) -> None:
    Witness(of="a").invoke("the same")
    recorded = latest(store)
    with pytest.raises(ReplayMiss, match="has answered already"), otel_mas.replay(recorded):
        Witness(of="a").batch(["the same", "the same"])


def test_a_miss_that_the_app_catches_is_raised_at_the_end(store: Path) -> None:
    app()
    with pytest.raises(ReplayMiss, match="lookup"), otel_mas.replay(latest(store)), pytest.raises(ReplayMiss):
        app(query="y")


def test_a_miss_is_answered_by_the_nearest_request_where_that_is_asked_for(store: Path) -> None:
    recorded = app()
    with otel_mas.replay(latest(store), on_miss="nearest") as session:
        assert app("the same, but longer", "y") == recorded
    assert (session.answered, session.missed) == (3, 2)


def test_a_miss_is_called_where_that_is_asked_for(store: Path) -> None:
    recorded = app()
    trace = latest(store)
    with otel_mas.replay(trace, on_miss="live") as session:
        again = app(query="y")
    assert again[0] == recorded[0]
    assert again[1] != recorded[1]
    assert (session.answered, session.live, session.missed) == (2, 1, 1)


def test_live_tools_are_called_and_their_models_answer(store: Path) -> None:
    recorded = app()
    trace = latest(store)
    with otel_mas.replay(trace, live="tools") as session:
        again = app()
    assert (again[0], again[2]) == (recorded[0], recorded[2])
    assert again[1] != recorded[1]
    assert (session.answered, session.live, session.missed) == (2, 2, 0)


def test_all_in_a_live_agent_is_called(store: Path) -> None:
    recorded = app()
    trace = latest(store)
    with otel_mas.replay(trace, live=["asker"]) as session:
        again = app()
    assert again[:2] == recorded[:2]
    assert again[2] != recorded[2]
    assert (session.answered, session.live) == (2, 2)


def test_clients_are_made_without_keys_and_with_none_that_is_real(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Witness(of="a").invoke("the same")
    monkeypatch.setenv("ANTHROPIC_API_KEY", "real")
    recorded = latest(store)
    with otel_mas.replay(recorded):
        assert ChatOpenAI(model="gpt-4o-mini").openai_api_key.get_secret_value() == PLACEHOLDER  # type: ignore[union-attr]
        assert os.environ["ANTHROPIC_API_KEY"] == PLACEHOLDER
    assert "OPENAI_API_KEY" not in os.environ
    assert os.environ["ANTHROPIC_API_KEY"] == "real"
    with otel_mas.replay(recorded, live="models"):
        assert os.environ["ANTHROPIC_API_KEY"] == "real"


def test_spans_of_a_replay_name_what_answered_them(store: Path) -> None:
    app()
    recorded = latest(store)
    with otel_mas.replay(recorded):
        app()
    replayed = latest(store)

    pairs = {span.get(names.MAS_REPLAY_SPAN): span for span in replayed.spans if span.get(names.MAS_REPLAY_SPAN)}
    calls = [span for span in recorded.spans if span.name.split()[0] in ("chat", "execute_tool")]
    answered = [span for span in calls if f"{span.trace_id}-{span.span_id}" in pairs]
    assert [span.name for span in calls if span not in answered] == ["chat"]  # in a tool that did not run
    for span in answered:
        again = pairs[f"{span.trace_id}-{span.span_id}"]
        assert again.name == span.name
        assert again.get(names.MAS_REPLAY_OUTCOME) == "answered"
        assert [(link.span_id, link.kind) for link in again.links if link.kind == "replay"] == [
            (span.span_id, "replay")
        ]
        assert bool(again.get(names.MAS_COST_SIMULATED)) == (span.name == "chat")
    root = next(span for span in replayed.spans if span.parent_span_id is None)
    assert root.get(names.MAS_REPLAY_SPAN) == f"{recorded.trace_id}-{recorded.spans[0].span_id}"
    assert not [edge for edge in replayed.graph().causal.edges if edge.kind == "replay"]  # an origin is no cause


def test_nothing_is_left_in_the_frameworks(store: Path) -> None:
    app()
    with otel_mas.replay(latest(store)):
        assert all(table._replaced for table in HOOKS.tables)
    assert not any(table._replaced for table in HOOKS.tables)
    calls = len(witness.really_called)
    app()
    assert len(witness.really_called) == calls + 3


def test_what_a_recording_lacks_is_said_before_the_first_call(tmp_path: Path) -> None:
    otel_mas.instrument(store=tmp_path / "runs.db", content="none")
    app()
    recorded = latest(tmp_path / "runs.db")
    session = otel_mas.replay(recorded).session
    otel_mas.shutdown()

    (lacking,) = session.recording.lacks
    assert "4 of 4 calls were recorded without their content (writer#1/model#1 is the first)" in lacking


def test_volatile_parts_of_an_app_are_named_by_a_rule(store: Path) -> None:
    recorded = app(f"order {random.random()}")
    trace = latest(store)
    with otel_mas.replay(trace, volatile=[r"order \S+"]):
        assert app(f"order {random.random()}") == recorded


def test_the_class_runs_a_function_in_a_replay(store: Path) -> None:
    recorded = same_requests()
    engine = otel_mas.TraceReplayEngine(latest(store))
    assert engine.run(same_requests) == recorded
    assert engine.session.missed == 0
    with pytest.raises(ConfigError, match="there is no option 'on_mis'"):
        otel_mas.TraceReplayEngine(latest(store), on_mis="live")
