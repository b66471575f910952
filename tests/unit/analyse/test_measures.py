"""Measures of one run, by agent, node and edge."""

from __future__ import annotations

import pytest

from otel_mas.analyse.executions import executions
from otel_mas.analyse.measures import RUN, Subject, execution_measure, measures_of
from otel_mas.model import SummaryBuilder, Trace
from tests.unit.analyse.test_executions import team


def test_a_run_has_measures_of_itself_its_agents_nodes_outside_of_agents_and_edges() -> None:
    graph = team()
    found = measures_of(SummaryBuilder.of(Trace("t1", graph.spans)).summary(), graph)

    assert {key for key in found if key[0] == RUN} == {
        (RUN, one) for one in ("duration", "input_tokens", "output_tokens", "cost", "errors", "steps")
    }
    assert found[RUN, "steps"] == 4
    assert {key[0] for key in found if key[0].of in ("agent", "node")} == {
        Subject("agent", "researcher"), Subject("agent", "writer"), Subject("node", "plan"),
    }  # fmt: skip
    assert found[Subject("agent", "researcher"), "duration"] == pytest.approx(400e-9)
    assert (found[Subject("agent", "writer"), "errors"], found[Subject("agent", "researcher"), "errors"]) == (1, 0)
    assert {key[0].name: value for key, value in found.items() if key[0].of == "edge" and key[1] == "steps"} == {
        "plan → researcher": 1, "researcher → researcher/look": 1, "researcher → writer": 1,
    }  # fmt: skip
    assert found[Subject("edge", "researcher → writer"), "wait"] == pytest.approx(10e-9)
    assert (Subject("edge", "researcher → researcher/look"), "wait") not in found


def test_a_measure_that_an_execution_lacks_is_none_and_never_0() -> None:
    plan, *_ = executions(team())

    assert execution_measure(plan, "cost") is None
    assert (execution_measure(plan, "errors"), execution_measure(plan, "overhead")) == (0.0, pytest.approx(90e-9))
