"""The causes of runs that were never instrumented, from LangGraph's checkpoints, against the hand-written truths."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

import otel_mas
from tests.accuracy.cases import CASES, Case
from tests.accuracy.cases.truth import differences
from tests.accuracy.prototypes import RUNS
from tests.accuracy.test_langgraph_causes import CONTROL, expected
from tests.accuracy.test_two_processes import TRUTH as PAUSED

GAPS = {
    "handoff_through_code": "that code called the graph inside of a task, and the task is not the graph",
    "node_before_a_paused_one_written": "which node was written as, where it had run before",
    "node_that_sends_written": "which node was written as, where it had run before",
    "retried_in_vain": "attempts of a retry policy",
    "retried_until_it_succeeds": "attempts of a retry policy",
    "state_written_after_the_end": "which node was written as, where it had run before",
    "state_written_without_a_node": "which node was written as, where it had run before",
    "update_of_the_parent": "whether a command to the parent also said where to go",
}
"""Cases of which checkpoints do not know everything, and what it is; docs/sources.md says so."""

SCRIPT = Path(__file__).with_name("uninstrumented.py")


def run(*arguments: str) -> str:
    command = [sys.executable, str(SCRIPT), *arguments]
    return subprocess.run(command, check=True, timeout=120, stdout=subprocess.PIPE, text=True).stdout


@pytest.fixture(scope="module")
def prototypes(apps: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Iterator[otel_mas.Source]:
    database = tmp_path_factory.mktemp("prototypes") / "checkpoints.sqlite"
    run("prototypes", str(apps.__file__), str(database))
    with otel_mas.open(f"checkpoints+sqlite://{database}") as source:
        yield source


@pytest.fixture(scope="module")
def paused(tmp_path_factory: pytest.TempPathFactory) -> Iterator[otel_mas.Source]:
    database = tmp_path_factory.mktemp("paused") / "checkpoints.sqlite"
    run("paused", str(database), *[f"{app}:{answers}" for app, (answers, _) in PAUSED.items()])
    with otel_mas.open(f"checkpoints+sqlite://{database}") as source:
        yield source


@pytest.fixture(scope="module")
def cases(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[otel_mas.Source, dict[str, str]]]:
    database = tmp_path_factory.mktemp("cases") / "checkpoints.sqlite"
    threads = json.loads(run("cases", str(database)))
    with otel_mas.open(f"checkpoints+sqlite://{database}") as source:
        yield source, threads


@pytest.mark.parametrize("case", [case for case in CASES if case.only != "async"], ids=lambda case: case.name)
def test_what_is_rebuilt_is_what_is_true(case: Case, cases: tuple[otel_mas.Source, dict[str, str]]) -> None:
    """Each span, each cause and each ending; routing decisions are never in checkpoints, nor cache hits."""
    source, threads = cases
    if case.name not in threads:
        pytest.skip(f"needs LangGraph {case.since}")
    graph = source.conversation(threads[case.name]).graph()
    truth = case.truth.replace(": cached", ": ok")
    found = [line for line in differences(truth, graph) if " decides by " not in line]
    if case.name in GAPS:
        assert found, f"closed: {GAPS[case.name]}"
    else:
        assert "\n".join(found) == ""
    assert {edge.provenance for edge in graph.edges if edge.kind != "child"} <= {"metadata"}


@pytest.mark.parametrize("app", RUNS)
def test_the_control_edges_are_those_of_the_app(app: str, apps: ModuleType, prototypes: otel_mas.Source) -> None:
    graph = prototypes.conversation(app).graph()
    labels = graph.labels()
    edges = graph.control_edges()
    assert {(labels[e.cause], labels[e.effect]) for e in edges if e.kind in CONTROL} == expected(apps, app)
    assert {e.provenance for e in edges} == {"metadata"}
    assert not graph.problems


@pytest.mark.parametrize("app", PAUSED)
def test_pauses_and_resumes_are_linked(app: str, paused: otel_mas.Source) -> None:
    _, truth = PAUSED[app]
    graph = paused.conversation(app).graph()
    labels = graph.labels()
    assert {(labels[e.cause], e.kind, labels[e.effect]) for e in graph.control_edges()} == truth
    assert {e.provenance for e in graph.control_edges()} == {"metadata"}
    assert not graph.problems
    first, *_, last = sorted(paused.traces(conversation=app), key=lambda summary: summary.start_ns)
    assert (first.status, last.status) == ("interrupted", "ok")


def test_what_checkpoints_do_not_know_is_not_made_up(prototypes: otel_mas.Source) -> None:
    """The gaps that docs/sources.md declares. A line that fails here is a gap that is closed: say so there."""
    spans = prototypes.conversation("D").graph().spans
    kinds = {span.record_kind for span in spans}
    assert kinds == {"WORKFLOW", "AGENT_TASK"}, "no model, tool or routing spans"
    assert {span.name for span in spans} >= {"invoke_workflow", "task sub"}, "no names of graphs"
    (flaky,) = (span for span in spans if span.task_name == "flaky")
    (cached,) = (span for span in spans if span.task_name == "cached")
    assert "retry" not in flaky.attributes.get("mas.cause.refs", ("",))[0], "no attempts"
    assert cached.get("mas.task.cached") is None, "no cache hits"
    assert (flaky.start_ns, flaky.end_ns) == (cached.start_ns, cached.end_ns), "no times within a step"
    assert {span.attributes["mas.time.basis"] for span in spans} == {"checkpoint"}
    assert {span.service for span in spans} == {""}, "no service"


def test_the_same_checkpoints_give_the_same_ids(prototypes: otel_mas.Source) -> None:
    before = [span.span_id for span in prototypes.conversation("E").graph().spans]
    with otel_mas.open(prototypes.location) as again:
        assert [span.span_id for span in again.conversation("E").graph().spans] == before
    assert len(set(before)) == len(before)
