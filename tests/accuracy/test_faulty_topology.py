"""The fault of tests/fixtures/faulty_trace.jsonl is found by the expectation that a person writes."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path

import pytest

import otel_mas
from otel_mas.evaluate import Outcome
from otel_mas.evaluate.topology import assert_topology, match, topology_of
from otel_mas.faults import Fault, FaultKind, inject
from tests.fixtures.publishing import EXPECTED, FAULTY, run

FAILING = ("desk -> approval", "approval -> publish", "never publish before approval")


def test_the_fault_of_the_fixture_is_found_where_it_is() -> None:
    with otel_mas.open(str(FAULTY)) as source:
        (summary,) = source.traces()
        trace = source.trace(summary.trace_id)
        result = match(EXPECTED, trace)

    assert tuple(one.expected for one in result.verdicts if one.outcome is Outcome.FAILED) == FAILING
    assert result.missing == FAILING[:2]
    assert result.unexpected == ("publish#1",)
    assert "desk led to publish#1" in result.text
    way = "START -> supervisor#1 -> researcher#1 -> supervisor#2 -> writer#1 -> desk#1 -> publish#1"
    assert f"publish#1 ran and no approval was before it: {way}" in result.text
    with pytest.raises(AssertionError, match="3 of 12 statements do not hold"):
        assert_topology(trace, EXPECTED)


@pytest.mark.parametrize("faulty", [False, True])
def test_the_app_has_its_topology_without_the_fault_and_that_of_the_fixture_with_it(
    faulty: bool, recorded: Path
) -> None:
    fault = Fault(FaultKind.FIELD_FORGOTTEN, agent="desk", field="sensitive")
    with inject(fault, seed=7) if faulty else nullcontext():
        run()
    otel_mas.flush(30)
    with otel_mas.open(recorded) as source, otel_mas.open(str(FAULTY)) as fixture:
        (summary,), (kept,) = source.traces(), fixture.traces()
        trace = source.trace(summary.trace_id)

        assert (match(EXPECTED, trace).outcome is Outcome.PASSED) is not faulty
        assert (topology_of(trace) == topology_of(fixture.trace(kept.trace_id))) is faulty
