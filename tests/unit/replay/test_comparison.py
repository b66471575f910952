"""A recorded run beside its replay: what differs, and what the command line does with a change."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, StateGraph
from langgraph.types import Command, interrupt
from typing_extensions import TypedDict

import otel_mas
from otel_mas.errors import UnsupportedQuery
from otel_mas.replay.comparison import Sameness
from tests.unit.replay.test_counterfactual import CALLED, diamond, recorded, store

__all__ = ["store"]  # a fixture
REPOSITORY = Path(__file__).resolve().parents[3]


class Topic(TypedDict):
    topic: str


def test_differing_calls_tasks_and_output(store: Path) -> None:
    app = diamond()
    result = recorded(app, {"topic": "trams"})

    with otel_mas.replay("latest", source=store, live="descendants") as session:
        session.change("left#1/model#1", output="changed")
        after = app.invoke({"topic": "trams"})
    found = session.comparison()

    assert CALLED == ["report"]
    assert {step.label for step in found.differing} == {
        "left#1",
        "left#1/model#1",
        "shout#1",
        "report#1",
        "report#1/model#1",
    }
    assert found.first_difference is not None
    assert found.first_difference.label in ("left#1", "left#1/model#1")
    by_label = {step.label: step for step in found.steps}
    assert by_label["left#1/model#1"].how == "changed"
    assert by_label["report#1/model#1"].how == "live"
    assert (by_label["shout#1"].before, by_label["shout#1"].after) == (
        "left: LEFT OF (PLAN OF (TRAMS))",
        "left: CHANGED",
    )
    assert by_label["right#1/tool:search#1"].sameness is Sameness.SAME
    assert (found.output_before, found.output_after) == (result["report"], after["report"])
    assert (found.cost_before.calls, found.cost_after.calls, found.paid.calls) == (4, 4, 1)
    assert found.causes_gone == found.causes_new == ()


def test_another_route_has_other_tasks_and_causes(store: Path) -> None:
    app = diamond()
    recorded(app, {"topic": "trams"})

    with otel_mas.replay("latest", source=store, live="descendants") as session:
        session.change("left#1", goto="__end__")
        app.invoke({"topic": "trams"})
    found = session.comparison()

    gone = {step.label for step in found.steps if step.sameness is Sameness.GONE}
    assert gone == {"shout#1", "report#1", "report#1/model#1"}
    assert ("left#1", "shout#1") in found.causes_gone


def test_calls_inside_a_tool_that_was_answered_are_not_gone(store: Path) -> None:
    @otel_mas.retrieval
    def notes(query: str) -> list[str]:
        return [f"a note about {query}"]

    @otel_mas.tool
    def look_up(query: str) -> str:
        return notes(query)[0].upper()

    @otel_mas.tool
    def count(text: str) -> int:
        return len(text)

    def node(state: dict[str, Any]) -> dict[str, Any]:
        return {"topic": f"{look_up(state['topic'])} {count(state['topic'])}"}

    graph = StateGraph(Topic)
    graph.add_node("node", node)
    graph.add_edge(START, "node")
    app = graph.compile()
    recorded(app, {"topic": "trams"})

    with otel_mas.replay("latest", source=store) as session:
        session.change("node#1/tool:count#1", output=7)
        app.invoke({"topic": "trams"})
    found = session.comparison()

    assert {step.label for step in found.differing} == {"node#1", "node#1/tool:count#1"}


def test_task_of_a_conversation_has_the_content_of_its_own_trace(store: Path) -> None:
    def first(state: dict[str, Any]) -> dict[str, Any]:
        return {"topic": f"more {state['topic']}"}

    def ask(state: dict[str, Any]) -> dict[str, Any]:
        return {"topic": interrupt("which?")}

    graph = StateGraph(Topic)
    graph.add_sequence([("first", first), ("second", first), ("ask", ask)])
    graph.add_edge(START, "first")
    thread: Any = {"configurable": {"thread_id": "one thread"}}
    app = graph.compile(checkpointer=InMemorySaver())
    app.invoke({"topic": "trams"}, thread)
    app.invoke(Command(resume="boats"), thread)
    otel_mas.flush()

    with otel_mas.replay("thread:one thread", source=store) as session:
        session.change("second#1", output={"topic": "ships"})
        graph.compile(checkpointer=InMemorySaver()).invoke({"topic": "trams"}, thread)
    found = session.comparison()

    assert found.first_difference is not None
    assert found.first_difference.label == "second#1"
    assert {step.label: step.sameness for step in found.steps}["first#1"] is Sameness.SAME


def test_a_replay_without_a_change_is_the_same(store: Path) -> None:
    app = diamond()
    recorded(app, {"topic": "trams"})

    with otel_mas.replay("latest", source=store) as session:
        app.invoke({"topic": "trams"})
    found = session.comparison()

    assert found.first_difference is None
    assert found.paid.calls == 0
    assert found.findings_new == ()


def test_a_failed_run_that_a_change_mends(store: Path) -> None:
    app = diamond()
    recorded(app, {"topic": "trams"})
    with otel_mas.replay("latest", source=store, live="descendants") as session:
        session.change("right#1/tool:search#1", output=TimeoutError("too late"))
        with pytest.raises(TimeoutError):
            app.invoke({"topic": "trams"})
    found = session.comparison()

    assert (found.outcome_before, found.outcome_after) == (None, "error")
    assert found.output_after is None


def test_nothing_to_compare(store: Path) -> None:
    recorded(diamond(), {"topic": "trams"})
    with otel_mas.replay("latest", source=store) as session:
        pass
    with pytest.raises(UnsupportedQuery, match="nothing to compare"):
        session.comparison()


def cli(
    store: Path, *args: str, app: bool = True, command: tuple[str, ...] = ("tests.unit.replay.changed_app",)
) -> subprocess.CompletedProcess[str]:
    asked = [str(Path(sys.executable).with_name("otel-mas")), *args]
    asked += ["--", sys.executable, "-m", *command] if app else []
    environ = {**os.environ, "OTEL_MAS_STORE": str(store), "NO_COLOR": "1", "COLUMNS": "160"}
    return subprocess.run(
        asked, cwd=REPOSITORY, env=environ, capture_output=True, text=True, timeout=120, stdin=subprocess.DEVNULL
    )


@pytest.mark.slow
def test_a_change_on_the_command_line(tmp_path: Path) -> None:
    store, replays, file = tmp_path / "runs.db", tmp_path / "replays.db", tmp_path / "comparison.json"
    assert cli(store, "run", "--quiet").returncode == 0
    labels = cli(store, "replay", "--list", app=False)
    assert "left#1/model#1  scripted-small" in labels.stdout.splitlines()
    change = ("replay", "latest", "--store", str(replays), "--change", "left#1/model#1=changed")

    stopped = cli(store, *change)
    assert stopped.returncode != 0
    assert "dependent calls: 1 of models" in stopped.stderr
    assert "would have to be called anew" in stopped.stderr
    assert "really called" not in stopped.stdout

    refused = cli(store, *change, "--live", "descendants")
    assert refused.returncode == 2
    assert "--yes" in refused.stderr

    live = cli(store, *change, "--live", "descendants", "--yes", "--comparison", str(file))
    assert live.returncode == 0, live.stderr
    assert live.stdout.count("really called") == 1
    assert "first difference: left#1" in live.stderr
    document: dict[str, Any] = json.loads(file.read_text())
    assert document["replayed"]["output"].startswith("report of (CHANGED")
    assert document["first_difference"] in ("left#1", "left#1/model#1")

    stubbed = cli(store, *change, "--stub", "tests.unit.replay.changed_app:stub")
    assert stubbed.returncode == 0, stubbed.stderr
    assert "stub of CHANGED" in stubbed.stdout
    assert "not recorded" not in stubbed.stderr

    unknown = cli(store, "replay", "latest", "--change", "nobody#1=x")
    assert unknown.returncode == 2
    assert "has no nobody#1" in unknown.stderr
    assert "really called" not in unknown.stdout
