"""Lanes in columns are those of the picture that is drawn of objects."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given

import otel_mas
from otel_mas.causal import CausalGraph
from otel_mas.report.svg.scene import scene
from otel_mas.report.swimlanes import NONE, parents_first, swimlanes
from tests.unit.report.graph_strategies import graphs

ARCHIVES = sorted((Path(__file__).resolve().parents[2] / "answers").glob("*.jsonl.gz"))


def _check(causal: CausalGraph) -> None:
    drawn, found = scene(causal, causal.critical_path()), swimlanes(causal)
    if drawn.left_out:
        return
    lanes = {bar.span.span_id: bar.lane for bar in drawn.bars}
    ids = causal.table.ids
    assert {ids[i]: found.names[found.lane[i]] for i, bar in enumerate(found.bar) if bar == i} == lanes
    agents = {bar.lane for bar in drawn.bars if bar.agent}
    assert {name for name, agent in zip(found.names, found.agents, strict=True) if agent} == agents
    for i, lane in enumerate(found.lane):
        assert (lane == NONE) == (found.bar[i] == NONE)


@pytest.mark.parametrize("archive", ARCHIVES, ids=lambda path: path.name)
def test_lanes_of_recorded_runs_are_those_that_are_drawn(archive: Path) -> None:
    with otel_mas.open(archive) as source:
        for summary in source.traces(limit=1000):
            _check(source.trace(summary.trace_id).graph().causal)


@given(graphs())
def test_lanes_of_any_trace_are_those_that_are_drawn(causal: CausalGraph) -> None:
    _check(causal)


def test_a_parent_comes_before_its_children_however_the_clocks_went() -> None:
    assert list(parents_first([2, 0, NONE, 2])) == [2, 0, 1, 3]
    assert parents_first([NONE, 0, 1]) == range(3)
