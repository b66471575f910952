"""Cases, and the harness that holds recorded runs against them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from IPython.core.interactiveshell import InteractiveShell
from pydantic import ValidationError

import otel_mas
from otel_mas.api import Source, Trace
from otel_mas.api.display import register
from otel_mas.evaluate import (
    Calls,
    Contains,
    EvalReport,
    EvaluationCase,
    EvaluationHarness,
    EvaluationReason,
    InsufficientEvidence,
    Outcome,
    RunContext,
    TestCase,
    ToolSequence,
    Topology,
)
from otel_mas.report.html.evaluation import evaluation


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


def test_an_evaluator_that_lacks_evidence_or_raises_takes_nothing_from_the_others(france: Trace) -> None:
    checks = [Scored(InsufficientEvidence("it does not say")), Scored(ZeroDivisionError("oh")), Scored(True)]

    results = EvaluationHarness(EvaluationCase(name="x", checks=checks)).score(france).cases[0].runs[0].results[-3:]

    assert [one.outcome for one in results] == [Outcome.INSUFFICIENT_EVIDENCE, Outcome.FAILED, Outcome.PASSED]
    assert results[0].reason == "it does not say"
    assert results[1].reason.startswith("the evaluator raised ZeroDivisionError: oh (test_harness.py:")
    assert [one.error_type for one in results] == [None, "ZeroDivisionError", None]


def test_a_value_that_is_none_is_an_exception_of_its_evaluator(france: Trace) -> None:
    [result] = (
        EvaluationHarness(EvaluationCase(name="x", checks=Scored(None))).score(france).cases[0].runs[0].results[2:]
    )

    assert (result.outcome, result.error_type) == (Outcome.FAILED, "TypeError")
    assert "value is None: it must be a bool, a number or a str" in result.reason


@dataclass
class RaisesOnce:
    """Raises an exception on the first run alone."""

    runs: int = 0

    def evaluate(self, context: RunContext) -> bool:
        self.runs += 1
        if self.runs == 1:
            raise LookupError("no such key")
        return True


def test_an_exception_of_an_evaluator_fails_its_case_whatever_the_pass_rate(runs: list[Trace]) -> None:
    report = EvaluationHarness(EvaluationCase(name="x", checks=RaisesOnce(), pass_rate=0.5)).score(runs)

    assert (report.outcome, report.cases[0].error_type) == (Outcome.FAILED, "LookupError")
    assert report.cases[0].count(Outcome.PASSED) == 2
    assert report.to_pandas().error_type.dropna().tolist() == ["LookupError"]


def _otlp(path: Path, *spans: tuple[str, dict[str, str]]) -> Trace:
    """A trace as other instrumentation writes it: a run, and spans below it."""
    written = [
        {
            "traceId": "7" * 32,
            "spanId": f"{number + 1:016x}",
            **({"parentSpanId": f"{1:016x}"} if number else {}),
            "name": name,
            "startTimeUnixNano": str(10**18 + number),
            "endTimeUnixNano": str(10**18 + 10**6 - number),
            "attributes": [{"key": key, "value": {"stringValue": value}} for key, value in attributes.items()],
        }
        for number, (name, attributes) in enumerate(spans)
    ]
    path.write_text(json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": written}]}]}) + "\n")
    with otel_mas.open(path) as opened:
        return opened.latest()


@pytest.fixture
def foreign(tmp_path: Path) -> Trace:
    """A run whose model call does not say how many tokens it used, but which tools the model had."""
    tools = [{"type": "function", "function": {"name": name, "parameters": {}}} for name in ("search", "archive")]
    return _otlp(
        tmp_path / "foreign.jsonl",
        ("invoke_agent helper", {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "helper"}),
        ("chat m", {"gen_ai.operation.name": "chat", "gen_ai.tool.definitions": json.dumps(tools)}),
        ("execute_tool search", {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "search"}),
    )


def test_a_default_limit_that_the_trace_says_nothing_of_takes_no_part(foreign: Trace) -> None:
    def outcome(**fields: Any) -> tuple[Outcome, list[str]]:
        report = EvaluationHarness(EvaluationCase(name="x", **fields)).score(foreign)
        return report.outcome, [one.evaluator for one in report.cases[0].runs[0].results]

    assert outcome(checks=Calls(tool="search", least=1)) == (Outcome.PASSED, ["max_latency_ms", "calls"])
    assert outcome(max_tokens=50_000) == (Outcome.INSUFFICIENT_EVIDENCE, ["max_tokens", "max_latency_ms"])
    assert outcome(max_latency_ms=None) == (Outcome.INSUFFICIENT_EVIDENCE, ["max_tokens"])


@pytest.mark.parametrize(
    ("check", "warnings"),
    [
        (Calls(tool="serach", most=0), ("no tool 'serach' is known in this run: did you mean search?",)),
        (Calls(tool="archive", most=0), ()),
        (Calls(tool="search", most=9, by="hepler"), ("no agent 'hepler' is known in this run: did you mean helper?",)),
        (Calls(agent="publisher", most=0), ("no agent 'publisher' is known in this run",)),
        (Calls(model="gpt", most=0), ("no model 'gpt' is known in this run",)),
        (
            ToolSequence(["search", "acrhive"], mode="subset"),
            ("no tool 'acrhive' is known in this run: did you mean archive?",),
        ),
        (
            Topology("never helper => serach; never publish before aproval"),
            (
                "no tool 'serach' is known in this run: did you mean search?",
                "no agent or task or tool 'aproval' is known in this run",
                "no agent or task or tool 'publish' is known in this run",
            ),
        ),
        (Topology("never agent:helper => tool:archive; never {agents} => archive; helper*"), ()),
    ],
)
def test_a_name_that_the_run_does_not_know_is_warned_about(
    foreign: Trace, check: Any, warnings: tuple[str, ...]
) -> None:
    report = EvaluationHarness(EvaluationCase(name="x", checks=check)).score(foreign)
    [case] = report.cases

    assert report.passed, str(report)
    assert case.runs[0].results[-1].warnings == warnings
    assert [line for line in str(report).splitlines() if "warning" in line] == [
        f"  warning: {case.runs[0].results[-1].evaluator}: {one}" for one in warnings
    ]
    assert EvalReport.from_json(report.to_json()) == report
    assert str(evaluation(report)).count("! warning") == len(warnings)


def test_a_name_that_a_graph_declares_or_another_run_knows_is_not_warned_about(
    france: Trace, foreign: Trace, failed: Trace
) -> None:
    def warned(check: Any, *runs: Trace) -> tuple[str, ...]:
        return EvaluationHarness(EvaluationCase(name="x", checks=check)).score(runs).cases[0].warnings

    assert warned(Topology("never write -> research; write?"), failed) == ()
    assert warned(Calls(tool="atlas", most=9), foreign) == ("calls: no tool 'atlas' is known in this run",)
    assert warned(Calls(tool="atlas", most=9), foreign, france) == ()


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
        ({"name": "x", "checks": ["containts"]}, "no evaluator 'containts': did you mean contains?"),
        ({"name": "x", "checks": [{"calls": {"tol": "search"}}]}, "no argument 'tol' of Calls: did you mean tool?"),
        ({"name": "x", "checks": [{"tools": {"expectd": ["a"]}}]}, "no argument 'expectd' of ToolSequence: did you me"),
        ({"name": "x", "checks": [{"no_findings": {"code": "causal_amnsia"}}]}, "did you mean causal-amnesia?"),
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
