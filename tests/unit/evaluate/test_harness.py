"""Cases, and the harness that holds recorded runs against them."""

from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import pytest
from IPython.core.interactiveshell import InteractiveShell
from pydantic import ValidationError

from otel_mas.api import Source, Trace
from otel_mas.api.display import register
from otel_mas.evaluate import (
    Contains,
    EvalReport,
    EvaluationCase,
    EvaluationHarness,
    EvaluationReason,
    InsufficientEvidence,
    Outcome,
    RunContext,
    TestCase,
)


def _outcomes(report: EvalReport) -> dict[str, Outcome]:
    return {case.name: case.outcome for case in report.cases}


def test_a_case_passes_where_the_run_gave_its_output_within_its_budgets(france: Trace) -> None:
    case = EvaluationCase(name="capital", expected_output="Paris", checks=[Contains("ari"), {"regex": "^Paris$"}])

    report = EvaluationHarness([case]).score(france)

    assert report.passed, str(report)
    run = report.case("capital").runs[0]
    assert [one.evaluator for one in run.results] == [
        "expected_output",
        "max_tokens",
        "max_latency_ms",
        "contains",
        "regex",
    ]
    assert run.trace_ids == (france.trace_id,)
    assert run.tokens == 10
    assert 0 < run.critical_path_ms <= run.wall_ms


def test_a_failure_says_what_was_expected_and_what_there_is(france: Trace) -> None:
    report = EvaluationHarness(EvaluationCase(name="capital", expected_output="Rome", max_tokens=5)).score(france)

    assert report.outcome is Outcome.FAILED
    assert str(report).splitlines() == [
        "capital: failed",
        "  expected_output: failed: expected “Rome”, the output is “Paris”",
        "  max_tokens: failed: 10 tokens of 5",
    ]


def test_a_run_that_failed_has_no_output_and_fails(failed: Trace) -> None:
    report = EvaluationHarness(EvaluationCase(name="capital", expected_output="Poseidonis")).score(failed)

    assert (
        report.case("capital").runs[0].result("expected_output").reason
        == "there is no output: the run ended with error"
    )
    assert report.outcome is Outcome.FAILED


def test_of_several_runs_a_case_with_an_input_is_held_against_those_that_had_it(runs: list[Trace]) -> None:
    cases = [
        EvaluationCase(name="france", input="What is the capital of France?", expected_output="Paris"),
        EvaluationCase(name="italy", input={"question": "What is the capital of Italy?"}, expected_output="Rome"),
        EvaluationCase(name="spain", input="What is the capital of Spain?", expected_output="Madrid"),
        EvaluationCase(name="all"),
    ]

    report = EvaluationHarness(cases).score(runs)

    assert _outcomes(report) == {
        "france": Outcome.PASSED,
        "italy": Outcome.PASSED,
        "spain": Outcome.INSUFFICIENT_EVIDENCE,
        "all": Outcome.PASSED,
    }
    assert [len(case.runs) for case in report.cases] == [1, 1, 0, 3]
    assert report.case("spain").reason == "none of 3 runs had its input"


def test_a_replay_session_is_scored_by_its_trace(france: Trace) -> None:
    case = TestCase(name="capital", expected_output="Paris")

    assert EvaluationHarness(case).score(SimpleNamespace(trace=france)).passed


def test_part_of_the_runs_may_be_enough(runs: list[Trace]) -> None:
    def outcome(rate: float) -> Outcome:
        case = EvaluationCase(name="paris or rome", checks={"regex": "Paris|Rome"}, pass_rate=rate)
        return EvaluationHarness(case).score(runs).outcome

    assert [outcome(rate) for rate in (0.6, 2 / 3, 0.7, 1)] == [Outcome.PASSED] * 2 + [Outcome.FAILED] * 2


@dataclass
class Scored:
    value: Any

    def evaluate(self, context: RunContext) -> Any:
        if isinstance(self.value, Exception):
            raise self.value
        return self.value


def test_a_bool_is_an_assertion_a_number_a_score_and_a_text_a_label(france: Trace) -> None:
    given = [True, False, 0.0, 0.4, "polite", EvaluationReason(2.0, "too terse", passed=False)]

    report = EvaluationHarness(EvaluationCase(name="x", checks=list(map(Scored, given)))).score(france)

    results = [one for one in report.cases[0].runs[0].results if one.evaluator.startswith("Scored")]
    assert [(one.value, one.outcome) for one in results] == [
        (True, Outcome.PASSED),
        (False, Outcome.FAILED),
        (0.0, Outcome.PASSED),
        (0.4, Outcome.PASSED),
        ("polite", Outcome.PASSED),
        (2.0, Outcome.FAILED),
    ]
    assert [one.evaluator for one in results] == ["Scored", *(f"Scored#{number}" for number in range(2, 7))]


def test_an_evaluator_that_lacks_evidence_or_fails_itself_takes_nothing_from_the_others(france: Trace) -> None:
    checks = [Scored(InsufficientEvidence("it does not say")), Scored(ZeroDivisionError("oh")), Scored(True)]

    results = EvaluationHarness(EvaluationCase(name="x", checks=checks)).score(france).cases[0].runs[0].results[-3:]

    assert [one.outcome for one in results] == [Outcome.INSUFFICIENT_EVIDENCE] * 2 + [Outcome.PASSED]
    assert [one.reason for one in results[:2]] == [
        "it does not say",
        "the evaluator itself failed with ZeroDivisionError: oh",
    ]


def test_a_report_survives_json(runs: list[Trace]) -> None:
    report = EvaluationHarness(EvaluationCase(name="x", expected_output="Paris")).score(runs)

    assert EvalReport.from_json(report.to_json()) == report


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"name": ""}, "name"),
        ({"name": "x", "max_tokens": -1}, "max_tokens"),
        ({"name": "x", "expected": "Paris"}, "expected"),
        ({"name": "x", "checks": [{"regex": "("}]}, "no regular expression"),
        ({"name": "x", "checks": ["nobody"]}, "no evaluator 'nobody'"),
        ({"name": "x", "checks": [{"calls": {"most": "many"}}]}, "most"),
        ({"name": "x", "checks": [{"calls": {}}]}, "any number passes"),
        ({"name": "x", "checks": [3]}, "3 is no evaluator"),
        ({"name": "x", "max_tokens": None, "max_latency_ms": None}, "it checks nothing"),
        ({"name": "x", "pass_rate": 0}, "pass_rate"),
    ],
)
def test_a_case_that_means_nothing_is_refused(fields: dict[str, Any], named: str) -> None:
    with pytest.raises(ValidationError, match=named.replace("(", r"\(")):
        EvaluationCase(**fields)


def test_the_harness_refuses_what_is_no_case_and_no_run(france: Trace, source: Source) -> None:
    case = EvaluationCase(name="x")
    with pytest.raises(ValueError, match="no cases"):
        EvaluationHarness([])
    with pytest.raises(ValueError, match="several cases are called x"):
        EvaluationHarness([case, case])
    with pytest.raises(TypeError, match="must be an EvaluationCase"):
        EvaluationHarness(["x"])  # type: ignore[list-item]
    for wrong in (3, "x", [None], source, SimpleNamespace(trace=None)):
        with pytest.raises(TypeError, match="no recorded run"):
            EvaluationHarness(case).score(wrong)


def test_a_report_is_a_table_with_a_row_for_each_result(runs: list[Trace]) -> None:
    cases = [
        EvaluationCase(name="france", input="What is the capital of France?", expected_output="Rome", max_tokens=9_999),
        EvaluationCase(name="elsewhere", input="Which other?"),
    ]
    report = EvaluationHarness(cases).score(runs)
    table = report.to_pandas()

    assert table.case.tolist() == ["france"] * 3 + ["elsewhere"]
    assert table.outcome.tolist() == ["failed", "passed", "passed", "insufficient_evidence"]
    assert table.score.tolist()[:3] == [0, 1, 1]
    assert table.trace_id.tolist()[:3] == [runs[0].trace_id] * 3
    assert table.iloc[3].isna()[["trace_id", "evaluator", "tokens", "wall_s"]].all()
    assert table.reason[3] == "none of 3 runs had its input"
    assert report.to_arrow().column_names == list(table.columns)


def test_a_report_shows_itself_in_ipython(france: Trace) -> None:
    case = EvaluationCase(name="<b>x</b>", expected_output="<i>Rome</i>", expected_topology="write -> research")
    shell = InteractiveShell()
    register(shell)
    data, _ = shell.display_formatter.format(EvaluationHarness(case).score(france))
    html = data["text/html"]

    assert "✗ failed" in html
    assert "&lt;b&gt;x&lt;/b&gt;" in html
    assert "<b>x" not in html
    assert "<i>" not in html
    assert "<pre>Topology not as expected: 1 of 1 statements does not hold." in html
    assert html.count("<script") == 0


def test_log_has_the_traceback_of_an_evaluator_that_fails_itself(
    france: Trace, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG", logger="otel_mas")
    EvaluationHarness(EvaluationCase(name="x", checks=[Scored(ZeroDivisionError("oh"))])).score(france)
    assert [one.exc_info[0] for one in caplog.records if one.exc_info] == [ZeroDivisionError]
