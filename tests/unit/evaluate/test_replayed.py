"""Replays are evaluated as what they have recorded, while they go on and afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from langchain_openai import ChatOpenAI

import otel_mas
from otel_mas.errors import UnsupportedQuery
from otel_mas.evaluate import Calls, Contains, EvaluationCase, EvaluationHarness, Outcome
from tests.fixtures import apps

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures"


@pytest.fixture(autouse=True)
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The store that replays are recorded into."""
    monkeypatch.setenv("OTEL_MAS_STORE", str(tmp_path / "store.db"))
    yield tmp_path / "store.db"
    otel_mas.shutdown()


def _model() -> ChatOpenAI:
    return ChatOpenAI(model="gpt-4o-mini", base_url="http://127.0.0.1:9/v1", max_retries=0)


def test_a_replay_is_scored_as_the_run_that_it_has_recorded() -> None:
    harness = EvaluationHarness(
        EvaluationCase(
            name="bridge",
            max_tokens=None,
            expected_topology="engineer => look_up, measure",
            checks=[Contains("32 m"), Calls(tool="look_up", least=1)],
        )
    )
    with otel_mas.replay(FIXTURES / "agent.jsonl") as session:
        apps.APPS["agent"](_model())
        during = harness.score(session)
    after = harness.score(session)

    assert [result.outcome for result in during.cases[0].runs[0].results] == [Outcome.PASSED] * 4
    assert after == during
    assert [run.trace_id for run in session.runs] == list(session.trace_ids)
    # Of the replay, not of what it replays.
    assert not set(session.trace_ids) & {span.trace_id for span in session.recording.spans}


def test_a_replay_over_a_pause_is_one_run() -> None:
    with otel_mas.replay(FIXTURES / "approval.jsonl") as session:
        apps.approval(_model())
    report = EvaluationHarness(EvaluationCase(name="booked", max_tokens=None)).score(session)

    assert len(report.case("booked").runs) == 1
    assert report.case("booked").runs[0].trace_ids == tuple(session.trace_ids)
    assert len(session.trace_ids) == 2


def test_a_replay_of_several_runs_gives_each_and_one_of_none_is_refused() -> None:
    with otel_mas.replay(FIXTURES / "agent.jsonl", on_miss="nearest") as session:
        with pytest.raises(UnsupportedQuery, match="run the app in its `with` block first"):
            EvaluationHarness(EvaluationCase(name="x")).score(session)
        apps.APPS["agent"](_model())
        apps.APPS["agent"](_model())
    case = EvaluationCase(name="x", max_tokens=None)

    with pytest.raises(UnsupportedQuery, match="has recorded 2 runs: take one of its `runs`"):
        EvaluationHarness(case).score(session)
    assert len(EvaluationHarness(case).score(session.runs).case("x").runs) == 2
