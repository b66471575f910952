"""Cost of runs by outcome."""

from __future__ import annotations

from pathlib import Path

import pytest

import otel_mas
from otel_mas.analyse.outcome_costs import JudgedRun, OutcomeCost, outcome_costs
from otel_mas.model import TraceSummary


def run(status: str, usd: float | None, accepted: bool | None = None, unpriced: int = 0) -> JudgedRun:
    summary = TraceSummary("aa", "run", "shop", 0, 1, status, 1, cost_usd=usd, unpriced_calls=unpriced)
    return JudgedRun(summary, accepted)


def test_an_outcome_costs_what_all_runs_cost() -> None:
    runs = [run("ok", 1.0, True), run("ok", 3.0, False, unpriced=2), run("error", 4.0), run("ok", None)]
    assert outcome_costs(runs) == [
        OutcomeCost("all", 4, 8.0, 2.0, 2.0, 2),
        OutcomeCost("ok", 3, 4.0, pytest.approx(4 / 3), pytest.approx(8 / 3), 2),
        OutcomeCost("error", 1, 4.0, 4.0, 8.0, 0),
        OutcomeCost("accepted", 1, 1.0, 1.0, 8.0, 0),
        OutcomeCost("rejected", 1, 3.0, 3.0, 8.0, 2),
    ]
    assert outcome_costs([run("ok", None)])[0] == OutcomeCost("all", 1, None, None, None, 0)
    assert outcome_costs([]) == []


def test_the_last_feedback_decides(tmp_path: Path) -> None:
    otel_mas.instrument(store=tmp_path / "runs.db")
    for labels in (("wrong", "right"), ("right",), ("right", "missing"), ()):
        with otel_mas.workflow("shop"):
            for label in labels:
                otel_mas.feedback(label=label)
    otel_mas.shutdown()
    with otel_mas.open(tmp_path / "runs.db") as source:
        assert [(one.outcome, one.runs) for one in source.outcomes()] == [
            ("all", 4),
            ("ok", 4),
            ("accepted", 2),
            ("rejected", 1),
        ]
