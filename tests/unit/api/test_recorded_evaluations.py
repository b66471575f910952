"""Results of evaluations, recorded beside what they judge."""

from __future__ import annotations

from pathlib import Path

import pytest

import otel_mas
from otel_mas.errors import UnsupportedQuery
from otel_mas.evaluate import EvalReport, EvaluationCase, EvaluationHarness
from otel_mas.semconv import EvaluationSource
from otel_mas.semconv import attributes as names

EXAMPLE = Path(__file__).resolve().parents[2] / "answers" / "example_team.jsonl.gz"


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """A store with one run."""
    path = tmp_path / "runs.db"
    otel_mas.instrument(store=path)
    with otel_mas.workflow("trip"), otel_mas.agent("planner") as planner:
        planner.state(plan="go")
    otel_mas.shutdown(30)
    return path


def _report(store: Path, expected: str) -> EvalReport:
    with otel_mas.open(store) as source:
        run = source.latest()
        report = EvaluationHarness(EvaluationCase(name="trip", expected_output=expected)).score(run)
        assert run.record_evaluations(report) == 3
        return report


def test_results_are_spans_with_opentelemetrys_event_below_the_run(store: Path) -> None:
    _report(store, "go")

    with otel_mas.open(store) as source:
        run = source.latest()
        root = next(span for span in run.spans if span.parent_span_id is None)
        found = {
            span.attributes[names.GEN_AI_EVALUATION_NAME]: span
            for span in run.spans
            if span.get(names.MAS_EVALUATION_SOURCE) == EvaluationSource.EVALUATION
        }
        assert found.keys() == {"expected_output", "max_tokens", "max_latency_ms"}
        span = found["expected_output"]
        assert (span.parent_span_id, span.name) == (root.span_id, "evaluate expected_output")
        event = next(one for one in span.events if one.name == "gen_ai.evaluation.result")
        assert event.attributes == {
            names.GEN_AI_EVALUATION_NAME: "expected_output",
            names.GEN_AI_EVALUATION_SCORE_LABEL: "passed",
            names.GEN_AI_EVALUATION_SCORE_VALUE: 1.0,
        }
        assert span.attributes[names.MAS_EVALUATION_AUTHOR] == "trip"


def test_the_same_result_is_recorded_once_and_changes_no_later_evaluation(store: Path) -> None:
    report = _report(store, "go")

    with otel_mas.open(store) as source:
        run = source.latest()
        assert run.record_evaluations(report) == 0
        again = EvaluationHarness(EvaluationCase(name="trip", expected_output="go")).score(run)
        assert again == report


def test_a_failed_output_is_a_complaint_about_the_run(store: Path) -> None:
    _report(store, "stay")

    with otel_mas.open(store) as source:
        complaint = source.latest().explain().complaint
    assert complaint is not None
    assert (complaint.label, complaint.author) == ("wrong", "trip")
    assert complaint.reason is not None
    assert "expected “stay”" in complaint.reason


def test_a_file_cannot_be_written_to() -> None:
    with otel_mas.open(EXAMPLE) as source:
        run = source.latest()
        with pytest.raises(UnsupportedQuery, match="can only be read"):
            run.record_evaluations(EvaluationHarness(EvaluationCase(name="x")).score(run))
