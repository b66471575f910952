"""The last that a run said or wrote."""

from __future__ import annotations

from pathlib import Path

import pytest

import otel_mas
from otel_mas.errors import OtelMasError


@pytest.fixture
def recorded(tmp_path: Path) -> Path:
    """Runs that a mark each records: answered, wrote, repeated, failed."""
    path = tmp_path / "runs.db"
    otel_mas.instrument(store=path)
    try:
        with otel_mas.workflow("wrote"), otel_mas.agent("planner") as planner:
            planner.state(plan="go")
            planner.state(plan="go there")
        with otel_mas.workflow("silent"), otel_mas.agent("planner"):
            pass
        with pytest.raises(OtelMasError):
            _failing()
    finally:
        otel_mas.shutdown(30)
    return path


def _failing() -> None:
    with otel_mas.workflow("failed"):
        with otel_mas.agent("planner") as planner:
            planner.state(plan="go there")
        raise OtelMasError("no")


def test_it_is_the_last_change_of_the_state_unless_the_run_failed(recorded: Path) -> None:
    with otel_mas.open(recorded) as source:
        found = {one.name.split()[-1]: source.trace(one.trace_id).final_output() for one in source.traces()}
    assert found == {"wrote": "plan: go there", "silent": None, "failed": None}
