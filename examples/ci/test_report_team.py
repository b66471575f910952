"""Tests of the team, from a recording: nothing is called, nothing is paid, no key is needed."""

from __future__ import annotations

from typing import Any

import pytest
from report_team import build_team

from otel_mas.evaluate import Calls, Contains, EvaluationCase

SUBJECT = {"subject": "the tram line of Elmstead"}


@pytest.mark.otel_mas(replay="fixtures/trams.jsonl")
def test_three_sections_are_written_and_joined(assert_topology: Any, assert_no_findings: Any) -> None:
    report = build_team().invoke(SUBJECT)["report"]

    assert [line.split(":")[0] for line in report.splitlines()] == ["cost", "riders", "risks"]
    assert_topology("""
        START -> plan -> write_section{3} -> edit -> END
        each write_section => figures{1}
        edit joins write_section
    """)
    assert_no_findings()


@pytest.mark.otel_mas(replay="fixtures/trams.jsonl")
async def test_the_report_stays_within_its_budget(assert_case: Any) -> None:
    await build_team().ainvoke(SUBJECT)

    assert_case(
        EvaluationCase(
            name="report",
            max_tokens=5_000,
            max_cost_usd=0.01,
            checks=[Contains("cost:", channel="report"), Calls(tool="figures", most=3)],
        )
    )
