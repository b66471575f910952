"""Diffs of recorded runs: of apps that are run twice, and of the same run in two dialects."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import otel_mas
from otel_mas.analyse.content import NO_CONTENT
from otel_mas.analyse.diff import RunSteps, StepPair, diff_runs
from otel_mas.causal import CausalGraph
from otel_mas.causal.labels import unnumbered
from tests.accuracy.foreign_causes.same_tests import graphs_of_tests
from tests.accuracy.topologies import TOPOLOGIES
from tests.example_team import ROOT

CUT_OTHERWISE = "tests/test_pregel.py::test_nested_graph"
"""OpenLLMetry has the sequences around two of its graphs as runs, OpenInference as spans without a kind."""


RECORD = """
import sys
import otel_mas
from tests.accuracy.topologies import TOPOLOGIES, build
for name in TOPOLOGIES:
    otel_mas.instrument(store=f"{sys.argv[1]}/{name}.db")
    for _ in range(2):
        build(name, 3, clean=True).run()
    otel_mas.shutdown()
"""


@pytest.fixture(scope="module")
def stores(once: Callable[[str, Callable[[Path], None]], Path]) -> Path:
    def record(folder: Path) -> None:
        subprocess.run([sys.executable, "-c", RECORD, str(folder)], cwd=ROOT, check=True, capture_output=True)

    return once("apps-run-twice", record)


@pytest.mark.parametrize("name", TOPOLOGIES)
def test_an_app_that_runs_twice_does_the_same_whatever_ran_first(name: str, stores: Path) -> None:
    with otel_mas.open(stores / f"{name}.db") as source:
        found = [source.trace(one.trace_id) for one in reversed(source.traces(limit=100))]
        half = len(found) // 2
        assert half > 0

        for before, after in zip(found[:half], found[half:], strict=True):
            diff = before.diff(after)
            assert diff.same, {step.label: (step.changes, step.before, step.after) for step in diff.differing}


def test_tasks_of_the_same_run_are_found_again_in_another_dialect(shared_data: Callable[[str], Path]) -> None:
    dialects = [graphs_of_tests(shared_data(f"dialects/{one}.jsonl.gz")) for one in ("openinference", "openllmetry")]
    tasks = {test: list(tasks_of(*(graphs[test] for graphs in dialects))) for test in dialects[0]}

    pairs = [step for found in tasks.values() for step in found if step.a is not None and step.b is not None]
    alone = {test for test, found in tasks.items() if any(step.a is None or step.b is None for step in found)}
    assert (len(tasks), len(pairs), alone) == (60, 334, {CUT_OTHERWISE})
    assert all(unnumbered(step.a.label) == unnumbered(step.b.label) for step in pairs if step.a and step.b)


def tasks_of(one: CausalGraph, other: CausalGraph) -> Iterator[StepPair]:
    found = diff_runs(RunSteps(one, NO_CONTENT), RunSteps(other, NO_CONTENT))
    return (step for step in found.steps if step.either.kind == "task")
