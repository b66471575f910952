"""The causes of runs that were never instrumented, from LangGraph's checkpoints, against the hand-written truths."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import ModuleType

import pytest

import otel_mas
from tests.accuracy.cases import CASES, Case
from tests.accuracy.cases.truth import recorded, stated
from tests.accuracy.prototypes import RUNS
from tests.accuracy.test_langgraph_causes import CONTROL, expected
from tests.accuracy.test_two_processes import EACH_APP, RUNNABLE
from tests.accuracy.test_two_processes import TRUTH as PAUSED

WHOLE = ("commands", "edges", "joins", "sends")
"""Modules of cases of which checkpoints know every edge."""
GAPS = {
    "endless_loop_that_code_deals_with": "whether what was due next ran: a recursion limit looks like a handoff",
}
"""Cases of which checkpoints do not know all edges, or seem to know too many; docs/sources.md says so."""
WITHOUT = "nothing_to_start_from"
"""The case of which nothing is kept: it never began."""
_UNNAMED = re.compile(r"update_state|call \d+|.* \(handler\)")
_TIMES = re.compile(r"@\d+")

SCRIPT = Path(__file__).with_name("uninstrumented.py")


def run(*arguments: str) -> str:
    command = [sys.executable, str(SCRIPT), *arguments]
    return subprocess.run(command, check=True, timeout=300, stdout=subprocess.PIPE, text=True).stdout


@pytest.fixture(scope="module")
def prototypes(apps: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Iterator[otel_mas.Source]:
    database = tmp_path_factory.mktemp("prototypes") / "checkpoints.sqlite"
    run("prototypes", str(apps.__file__), str(database))
    with otel_mas.open(f"checkpoints+sqlite://{database}") as source:
        yield source


@pytest.fixture(scope="module")
def paused(tmp_path_factory: pytest.TempPathFactory) -> Iterator[otel_mas.Source]:
    database = tmp_path_factory.mktemp("paused") / "checkpoints.sqlite"
    run("paused", str(database), *[f"{app}:{answers}" for app, answers in RUNNABLE.items()])
    with otel_mas.open(f"checkpoints+sqlite://{database}") as source:
        yield source


@pytest.fixture(scope="module")
def cases(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[otel_mas.Source, dict[str, str]]]:
    database = tmp_path_factory.mktemp("cases") / "checkpoints.sqlite"
    threads = json.loads(run("cases", str(database)))
    with otel_mas.open(f"checkpoints+sqlite://{database}") as source:
        yield source, threads


def edges(statements: Iterable[str]) -> set[tuple[str, str]]:
    """Which task caused which: not by what means, nor which of its runs, nor what surrounds it."""
    found = set()
    for one in statements:
        cause, arrow, effect = one.partition(" --")
        kind, _, effect = effect.partition("--> ")
        ends = tuple(_TIMES.sub("", end).removesuffix("START").removesuffix("/") for end in (cause, effect))
        if arrow and kind not in ("resume", "retry") and not any(map(_UNNAMED.search, ends)):
            found.add((ends[0], ends[1]))
    return found


@pytest.mark.parametrize(
    "case",
    [pytest.param(case, marks=case.mark, id=case.name) for case in CASES if case.only != "async"],
)
def test_what_is_rebuilt_is_true(case: Case, cases: tuple[otel_mas.Source, dict[str, str]]) -> None:
    source, threads = cases
    kept = {one.conversation_id for one in source.traces(limit=10_000)}
    assert (threads[case.name] in kept) != (case.name == WITHOUT)
    if case.name == WITHOUT:
        return
    graph = source.conversation(threads[case.name]).graph()
    found, true = edges(recorded(graph)), edges(stated(case.truth))
    if case.name in GAPS:
        assert found != true, f"closed: {GAPS[case.name]}"
        return
    assert found - true == set()
    if case.build.__module__.rpartition(".")[2] in WHOLE:
        assert true - found == set()
    assert {edge.provenance for edge in graph.edges if edge.kind != "child"} <= {"metadata"}


@pytest.mark.parametrize("app", RUNS)
def test_the_control_edges_are_those_of_the_app(app: str, apps: ModuleType, prototypes: otel_mas.Source) -> None:
    graph = prototypes.conversation(app).graph()
    labels = graph.labels()
    edges = graph.control_edges()
    assert {(labels[e.cause], labels[e.effect]) for e in edges if e.kind in CONTROL} == expected(apps, app)
    assert {e.provenance for e in edges} == {"metadata"}
    assert not graph.problems


@EACH_APP
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
