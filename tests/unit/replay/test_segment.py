"""Segments: a task and its causal descendants run again, up to another task; all before is recorded, and free."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from langgraph.func import entrypoint, task
from langgraph.graph import START, StateGraph
from langgraph.types import Send

import otel_mas
from otel_mas.errors import ConfigError, ReplayMiss, ReplayStopped
from tests.unit.replay.test_comparison import cli
from tests.unit.replay.test_counterfactual import CALLED, State, diamond, model, recorded, said, store

__all__ = ["store"]  # a fixture


def chain() -> Any:
    graph = StateGraph(State)
    before = START
    for name in ("one", "two", "three", "four"):
        graph.add_node(name, lambda state, name=name: {"topic": said(name, state["topic"])})
        graph.add_edge(before, name)
        before = name
    return graph.compile(name="chain")


def fan_out(seen: list[str]) -> Any:
    def work(state: State) -> State:
        return {"parts": [said(f"work {state['topic']}", "the same"), said(f"more {state['topic']}", "the same")]}

    def report(state: State) -> State:
        seen.append("report began")
        return {"report": said("report", str(sorted(state["parts"])))}

    graph = StateGraph(State)
    graph.add_node("work", work)
    graph.add_node("report", report)
    graph.add_conditional_edges(START, lambda _: [Send("work", {"topic": str(n)}) for n in range(5)], ["work"])
    graph.add_edge("work", "report")
    return graph.compile()


def nested() -> Any:
    def team(state: State) -> State:
        before = said("before", state["topic"])
        found = inner.invoke({"topic": before})
        return {"report": said("after", found["report"])}

    inner = diamond()
    graph = StateGraph(State)
    graph.add_node("team", team)
    graph.add_node("last", lambda state: {"report": said("last", state["report"])})
    graph.add_edge(START, "team")
    graph.add_edge("team", "last")
    return graph.compile(name="outer")


def test_a_task_and_its_descendants_run_again_also_where_they_ask_the_same(store: Path) -> None:
    app = chain()
    expected = recorded(app, {"topic": "x"})

    with otel_mas.replay("latest", source=store, live="descendants") as session:
        session.segment("three#1")
        assert [call.label for call in session.plan().calls] == ["three#1/model#1", "four#1/model#1"]
        assert app.invoke({"topic": "x"}) == expected

    assert CALLED == ["three", "four"]
    assert (session.answered, session.live, session.missed, session.ended) == (2, 2, 0, False)


def test_the_replay_stops_before_the_first_call_after_the_last_task(store: Path) -> None:
    app = chain()
    recorded(app, {"topic": "x"})
    results = []

    with otel_mas.replay("latest", source=store, live="descendants") as session:
        session.segment("two#1", "three#1")
        assert [call.label for call in session.plan().calls] == ["two#1/model#1", "three#1/model#1"]
        results.append(app.invoke({"topic": "x"}))

    assert CALLED == ["two", "three"]
    assert results == []
    assert session.ended
    outcomes = [span.get("mas.replay.outcome") for span in session.trace.spans]
    assert outcomes.count("after_segment") == 1
    assert outcomes.count("live") == 2


def test_the_end_of_a_segment_inside_of_a_coroutine(store: Path) -> None:
    app = chain()
    recorded(app, {"topic": "x"})

    async def run() -> str:
        with otel_mas.replay("latest", source=store, live="descendants") as session:
            session.segment("two#1", "two#1")
            await app.ainvoke({"topic": "x"})
        return "went on" if session.ended else "did not end"

    assert asyncio.run(run()) == "went on"
    assert CALLED == ["two"]


def test_a_segment_of_one_task(store: Path) -> None:
    app = chain()
    recorded(app, {"topic": "x"})

    with otel_mas.replay("latest", source=store, stub=model("stub")) as session:
        session.segment("two#1", "two#1")
        app.invoke({"topic": "x"})

    assert CALLED == ["stub"]
    assert (session.answered, session.stubbed, session.ended) == (1, 1, True)


def test_a_stub_may_answer_otherwise_and_what_follows_runs_again(store: Path) -> None:
    app = chain()
    recorded(app, {"topic": "x"})

    with otel_mas.replay("latest", source=store, stub=lambda call: f"<{call.asked[-1].content}>") as session:
        session.segment("three#1")
        result = app.invoke({"topic": "x"})

    assert result["topic"] == "<<two of (one of (x))>>"
    assert CALLED == []


def test_without_stub_or_live_it_stops_with_the_plan(store: Path) -> None:
    app = chain()
    recorded(app, {"topic": "x"})

    def run() -> None:
        with otel_mas.replay("latest", source=store) as session:
            session.segment("two#1", "three#1")
            app.invoke({"topic": "x"})

    with pytest.raises(ReplayStopped, match=r"segment from two#1 to three#1") as stopped:
        run()
    assert stopped.value.calls == ("two#1/model#1", "three#1/model#1")
    assert CALLED == []


@pytest.mark.parametrize("asynchronous", [False, True])
def test_one_branch_of_a_fan_out(asynchronous: bool, store: Path) -> None:
    seen: list[str] = []
    app = fan_out(seen)
    recorded(app, {"topic": "trams"})
    seen.clear()

    with otel_mas.replay("latest", source=store, live="descendants") as session:
        session.segment("work#3", "work#3")
        if asynchronous:
            asyncio.run(app.ainvoke({"topic": "trams"}))
        else:
            app.invoke({"topic": "trams"})

    assert CALLED == ["work 2", "more 2"]
    assert session.answered == 8
    assert session.ended
    assert seen == ["report began"]


def test_of_parallel_branches_only_the_descendants_run_again(store: Path) -> None:
    app = diamond()
    recorded(app, {"topic": "trams"})

    with otel_mas.replay("latest", source=store, live="descendants") as session:
        session.segment("left#1")
        app.invoke({"topic": "trams"})

    assert CALLED == ["left", "report"]
    assert session.answered == 3


def test_inside_of_a_nested_graph(store: Path) -> None:
    app = nested()
    recorded(app, {"topic": "trams"})
    with otel_mas.replay("latest", source=store, live="descendants") as session:
        left = next(label for label in session.recording.tasks if label.endswith("left#1"))
        report = next(label for label in session.recording.tasks if label.endswith("report#1"))
        session.segment(left, report)
        app.invoke({"topic": "trams"})
    assert CALLED == ["left", "report"]
    assert session.answered == 4
    assert session.ended

    CALLED.clear()
    with otel_mas.replay("latest", source=store, live="descendants") as session:
        session.segment(report, "team#1")
        app.invoke({"topic": "trams"})
    assert CALLED == ["report", "after"]
    assert session.ended

    CALLED.clear()
    with otel_mas.replay("latest", source=store, live="descendants") as session:
        session.segment("team#1", report)
        app.invoke({"topic": "trams"})
    assert CALLED[0] == "before"
    assert sorted(CALLED) == ["before", "left", "plan", "report", "right", "search trams"]


def test_tasks_of_the_functional_api(store: Path) -> None:
    @task
    def part(text: str) -> str:
        return said("part", text)

    @task
    def whole(text: str) -> str:
        return said("whole", part(text).result())

    @entrypoint()
    def flow(text: str) -> str:
        first = whole(text).result()
        return said("flow", first)

    recorded(flow, "trams")
    with otel_mas.replay("latest", source=store, live="descendants") as session:
        label = next(one for one in session.recording.tasks if "whole#1" in one and "part" not in one)
        session.segment(label, label)
        flow.invoke("trams")
    assert CALLED == ["part", "whole"]
    assert session.ended


def test_handlers_of_errors_in_the_app_do_not_see_the_end(store: Path) -> None:
    def careful(state: State) -> State:
        try:
            return {"report": said("careful", state["topic"])}
        except Exception:
            return {"report": "another way"}

    graph = StateGraph(State)
    graph.add_node("first", lambda state: {"topic": said("first", state["topic"])})
    graph.add_node("careful", careful)
    graph.add_edge(START, "first")
    graph.add_edge("first", "careful")
    app = graph.compile()
    recorded(app, {"topic": "x"})
    engine = otel_mas.TraceReplayEngine("latest", source=store, live="descendants")
    engine.session.segment("first#1", "first#1")

    assert engine.run(app.invoke, {"topic": "x"}) is None
    assert engine.session.ended
    assert engine.run(app.invoke, {"topic": "x"}) is None  # from the start, with the same segment
    assert CALLED == ["first", "first"]


def test_a_segment_that_is_not_reached_is_an_error(store: Path) -> None:
    app = chain()
    recorded(app, {"topic": "x"})
    engine = otel_mas.TraceReplayEngine("latest", source=store)
    engine.session.segment("two#1", "three#1")
    with pytest.raises(ReplayMiss, match=r"two#1 of the segment .* was not reached"):
        engine.run(app.get_graph)


@pytest.mark.parametrize(
    ("first", "last", "error"),
    [
        ("two#2", None, r"has no two#2; there is two#1"),
        ("two#1/model#1", None, "has no two#1/model#1"),
        ("two#1", "nobody#1", "has no nobody#1"),
        ("three#1", "one#1", "one#1 does not depend on three#1"),
        (None, None, "has no None"),
        (3, None, "has no 3"),
        ("two#1", ["three#1"], "has no"),
    ],
)
def test_segments_that_mean_nothing(first: Any, last: Any, error: str, store: Path) -> None:
    recorded(chain(), {"topic": "x"})
    engine = otel_mas.TraceReplayEngine("latest", source=store)
    with pytest.raises(ConfigError, match=error):
        engine.session.segment(first, last)


@pytest.mark.slow
def test_a_segment_on_the_command_line(tmp_path: Path) -> None:
    store, replays = tmp_path / "runs.db", tmp_path / "replays.db"
    assert cli(store, "run", "--quiet").returncode == 0
    of_left = ("replay", "latest", "--store", str(replays), "--from-task", "left#1")

    stopped = cli(store, *of_left)
    assert stopped.returncode != 0
    assert "dependent calls: 2 of models" in stopped.stderr
    assert "really called" not in stopped.stdout

    assert cli(store, *of_left, "--live", "descendants").returncode == 2  # it asks first

    ended = cli(store, *of_left, "--to-task", "left#1", "--live", "descendants", "--yes")
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.split("\n") == ["really called left", ""]
    assert "stopped before the first call after left#1" in ended.stderr
    assert "Traceback" not in ended.stderr

    whole = cli(store, *of_left, "--live", "descendants", "--yes")
    assert whole.returncode == 0, whole.stderr
    assert whole.stdout.count("really called") == 2

    for given in (
        ("--from-task", "nobody#1"),
        ("--to-task", "left#1"),
        ("--from-task", "report#1", "--to-task", "left#1"),
    ):
        unknown = cli(store, "replay", "latest", *given)
        assert unknown.returncode == 2
        assert "really called" not in unknown.stdout
