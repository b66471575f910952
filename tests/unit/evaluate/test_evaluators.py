"""Evaluators of output, budgets, trajectory, findings and topology."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import otel_mas
from otel_mas.api import Trace
from otel_mas.errors import ConfigError
from otel_mas.evaluate import (
    Calls,
    Contains,
    EvaluationCase,
    EvaluationHarness,
    EvaluationResult,
    Exact,
    JsonSchema,
    MaxCostUsd,
    MaxCriticalPathMs,
    MaxLatencyMs,
    MaxRetries,
    MaxTokens,
    NoFindings,
    Numeric,
    Outcome,
    Regex,
    Similar,
    ToolSequence,
    Topology,
    no,
    no_findings,
)
from otel_mas.evaluate.evaluators.numeric import numbers_in
from otel_mas.evaluate.evaluators.trajectory import in_order

EXAMPLE = Path(__file__).resolve().parents[2] / "answers" / "example_team.jsonl.gz"
PASSED, FAILED, UNKNOWN = Outcome.PASSED, Outcome.FAILED, Outcome.INSUFFICIENT_EVIDENCE


def _result(run: Any, check: Any) -> EvaluationResult:
    return EvaluationHarness(EvaluationCase(name="x", checks=[check])).score(run).case("x").runs[0].results[-1]


@pytest.mark.parametrize(
    ("check", "outcome"),
    [
        (Exact(" Paris\n"), PASSED),
        (Exact("paris"), FAILED),
        (Exact({"answer": "Paris"}), PASSED),
        (Exact({"answer": "Rome"}), FAILED),
        (Exact({"nothing": "Rome"}), UNKNOWN),
        (Exact(["France has the capital Paris."], channel="notes"), FAILED),
        (Contains("capital Paris", channel="notes"), PASSED),
        (Contains("holiday", channel="notes"), PASSED),
        (Contains("PAR", ignore_case=True), PASSED),
        (Regex("^P.*s$"), PASSED),
        (Regex("^p"), FAILED),
        (Regex("^p", ignore_case=True), PASSED),
        (JsonSchema({"type": "string"}), FAILED),
        (JsonSchema({"type": "array", "items": {"type": "string"}}, channel="notes"), PASSED),
        (JsonSchema({"type": "array", "maxItems": 0}, channel="notes"), FAILED),
        (Numeric(4), FAILED),
        (Similar("The capital is Paris.", least=0.5), PASSED),
        (Similar("Turtles live in the sea.", least=0.5), FAILED),
        pytest.param(Similar("x", embedder=lambda texts: [[1.0, 0.0], [0.0, 1.0]]), FAILED, id="Similar-embedder"),
        (MaxTokens(10), PASSED),
        (MaxTokens(9), FAILED),
        (MaxCostUsd(0.1), UNKNOWN),
        (MaxLatencyMs(60_000), PASSED),
        (MaxLatencyMs(0.01), FAILED),
        (MaxCriticalPathMs(60_000), PASSED),
        (MaxCriticalPathMs(0.01), FAILED),
        (MaxRetries(1), PASSED),
        (MaxRetries(0), FAILED),
        (Calls(tool="atlas", most=1, least=1), PASSED),
        (Calls(tool="atlas", most=0), FAILED),
        (Calls(least=3), FAILED),
        (Calls(model="scripted-small", most=1), PASSED),
        (Calls(agent="nobody", least=1), FAILED),
        (ToolSequence(["atlas", "calendar"], mode="unordered"), PASSED),
        (ToolSequence(["atlas"], mode="superset"), PASSED),
        (ToolSequence(["atlas", "atlas"], mode="superset"), FAILED),
        (ToolSequence(["atlas", "calendar", "phone"], mode="subset"), PASSED),
        (ToolSequence(["atlas"], mode="subset"), FAILED),
        (ToolSequence([{"name": "atlas", "arguments": {"country": "France"}}, "calendar"], mode="unordered"), PASSED),
        (ToolSequence([{"name": "atlas", "arguments": {"country": "Italy"}}, "calendar"], mode="unordered"), FAILED),
        (no_findings(severity="error"), PASSED),
        (no("causal_amnesia"), PASSED),
        (Topology("write joins research, schedule"), PASSED),
        (Topology("write -> research"), FAILED),
        (Topology("never schedule"), FAILED),
    ],
    ids=str,
)
def test_a_run_is_judged(france: Trace, check: Any, outcome: Outcome) -> None:
    found = _result(france, check)
    assert found.outcome is outcome, found


def test_missing_evidence_says_what_the_trace_would_have_to_have(france: Trace, tmp_path: Path) -> None:
    otel_mas.instrument(store=tmp_path / "runs.db", content="none")
    with otel_mas.workflow("silent"), otel_mas.agent("writer") as writer:
        writer.output("Paris")
    otel_mas.shutdown(30)

    with otel_mas.open(tmp_path / "runs.db") as source:
        silent = source.latest()
        for check in (Exact("Paris"), Contains("Paris"), Regex("Paris"), JsonSchema({}), Numeric(1)):
            found = _result(silent, check)
            assert found.outcome is UNKNOWN
            assert "OTEL_MAS_CONTENT" in found.reason
    assert "model calls have no price" in _result(france, MaxCostUsd(1)).reason


def test_lost_spans_are_no_evidence_that_nothing_was_done(france: Trace) -> None:
    class Lossy:
        incomplete = "3 spans are missing"
        findings = france.findings
        _facts = france._facts

    for check in (
        MaxTokens(10),
        Calls(tool="atlas", most=1),
        ToolSequence(["atlas", "calendar"], "unordered"),
        no_findings(),
    ):
        assert _result(france, check).outcome is PASSED
        assert (_result(Lossy(), check).outcome, _result(Lossy(), MaxTokens(9)).outcome) == (UNKNOWN, FAILED)


def test_what_was_called_and_is_not_expected_fails_whatever_is_missing(france: Trace) -> None:
    class Lossy:
        incomplete = "3 spans are missing"
        findings = france.findings
        _facts = france._facts

    for mode in ("strict", "unordered", "subset"):
        found = _result(Lossy(), ToolSequence([{"name": "calendar", "arguments": {"day": "Monday"}}], mode))
        assert (found.outcome, found.reason) == (FAILED, "not expected: atlas")
    assert _result(Lossy(), ToolSequence(["atlas"], "superset")).outcome is PASSED
    assert _result(Lossy(), ToolSequence(["atlas", "atlas"], "superset")).outcome is UNKNOWN


def test_time_of_a_run_without_its_root_is_not_known(france: Trace, tmp_path: Path) -> None:
    lines = (EXAMPLE.parents[1] / "fixtures" / "agent.jsonl").read_text().splitlines()
    headless, inner = tmp_path / "headless.jsonl", tmp_path / "inner.jsonl"
    headless.write_text("\n".join(line for line in lines if '"parentSpanId":' in line))
    inner.write_text("\n".join(line for line in lines if '"execute_tool look_up"' not in line))
    for path, outcome in ((headless, UNKNOWN), (inner, PASSED)):
        with otel_mas.open(path) as source:
            run = source.latest()
            for check in (MaxLatencyMs(60_000), MaxCriticalPathMs(60_000)):
                assert _result(run, check).outcome is outcome
            assert _result(run, MaxLatencyMs(1)).outcome is FAILED


def test_a_schema_fetches_no_other_document(france: Trace, monkeypatch: pytest.MonkeyPatch) -> None:
    fetched: list[Any] = []
    monkeypatch.setattr("urllib.request.urlopen", fetched.append)
    context: Any = SimpleNamespace(without_output=None, output="{}")

    with pytest.raises(Exception, match="Unresolvable"):
        JsonSchema({"$ref": "https://example.com/schema.json"}).evaluate(context)
    assert fetched == []


def test_an_evaluator_that_asserts_fails_the_run_and_so_does_one_that_raises(france: Trace) -> None:
    class Asserts:
        def evaluate(self, context: Any) -> bool:
            assert context.output == "Rome", "not Rome"
            return True

    class Breaks:
        def evaluate(self, context: Any) -> bool:
            raise KeyError("answer")

    found, broken = _result(france, Asserts()), _result(france, Breaks())
    assert found.outcome is FAILED
    assert found.reason.startswith("not Rome")
    assert found.error_type is None
    assert (broken.outcome, broken.value, broken.error_type) == (FAILED, None, "KeyError")
    assert re.fullmatch(r"the evaluator raised KeyError: 'answer' \(test_evaluators\.py:\d+\)", broken.reason)


def test_findings_of_a_severity_or_a_kind_fail_a_run() -> None:
    with otel_mas.open(EXAMPLE.with_name("faulty.jsonl.gz")) as source:
        run = source.latest()
        code = run.findings()[0].code
        assert _result(run, NoFindings(severity="info")).outcome is FAILED
        assert code in _result(run, no(code)).reason


def _call(name: str, start: int, end: int) -> Any:
    return name, SimpleNamespace(start_ns=start, last_ns=end)


@pytest.mark.parametrize(
    ("wanted", "made", "right"),
    [
        ("ab", [_call("a", 0, 1), _call("b", 2, 3)], True),
        ("ba", [_call("a", 0, 1), _call("b", 2, 3)], False),
        ("ba", [_call("a", 0, 5), _call("b", 2, 3)], True),  # they overlapped
        ("acb", [_call("a", 0, 1), _call("b", 2, 5), _call("c", 3, 4)], True),
        ("cab", [_call("a", 0, 1), _call("b", 2, 5), _call("c", 3, 4)], False),
        ("aba", [_call("a", 0, 1), _call("a", 0, 9), _call("b", 2, 3)], True),
    ],
)
def test_calls_that_overlapped_may_come_in_either_order(wanted: str, made: Sequence[Any], right: bool) -> None:
    names = [(name, None) for name, _ in made]
    assert in_order([(one, None) for one in wanted], names, [span for _, span in made]) is right


def test_numbers_are_read_as_people_write_them() -> None:
    assert numbers_in("1,234.5 of v2.3, -3 and −4, 2e3, 12,34") == [1234.5, -3, -4, 2000, 12, 34]


@pytest.mark.parametrize(
    ("text", "check", "passed"),
    [
        ("It costs 38 million.", Numeric(38), True),
        ("It costs 38.4.", Numeric(38, tolerance=0.5), True),
        ("It costs 38.6.", Numeric(38, tolerance=0.5), False),
        ("1,010 people", Numeric(1000, relative=0.01), True),
        ("First 7, then 9", Numeric(7, last=True), False),
    ],
)
def test_a_number_of_the_output_counts_within_its_tolerance(text: str, check: Numeric, passed: bool) -> None:
    context: Any = SimpleNamespace(without_output=None, output=text)
    assert check.evaluate(context).value is passed


@pytest.mark.parametrize(
    "make",
    [
        lambda: Contains(""),
        lambda: Regex("("),
        lambda: JsonSchema({"type": "nothing"}),
        lambda: Numeric(float("nan")),
        lambda: Numeric(1, tolerance=-1),
        lambda: Similar("", least=0.5),
        lambda: Similar("x", least=2),
        lambda: MaxTokens(-1),
        lambda: MaxLatencyMs(True),
        lambda: Calls(),
        lambda: Calls(most=1, least=2),
        lambda: Calls(tool="a", agent="b", most=1),
        lambda: ToolSequence("atlas"),
        lambda: ToolSequence([3]),  # type: ignore[list-item]
        lambda: ToolSequence([], mode="loose"),  # type: ignore[arg-type]
        lambda: NoFindings(severity="bad"),
        lambda: no("rust"),
        lambda: Topology("-> ->"),
    ],
)
def test_an_evaluator_that_means_nothing_is_refused(make: Any) -> None:
    with pytest.raises(ConfigError):
        make()
