"""Reliability over repeated runs, and reports against a baseline."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_mas.analyse.proportions import wilson_interval
from otel_mas.errors import ConfigError
from otel_mas.evaluate import (
    BaselineChangeKind,
    CaseResult,
    EvalReport,
    EvaluationResult,
    Outcome,
    Reliability,
    RunResult,
    compare_with_baseline,
    read_baseline,
)

PASSED, FAILED, UNKNOWN = Outcome.PASSED, Outcome.FAILED, Outcome.INSUFFICIENT_EVIDENCE


def _report(*outcomes: Outcome, name: str = "x", tokens: int = 100, rate: float = 1.0) -> EvalReport:
    runs = [
        RunResult(
            trace_ids=("0" * 32,),
            span_id="0" * 16,
            results=(EvaluationResult(evaluator="exact", outcome=one),),
            tokens=tokens,
            usd=None,
            wall_ms=1.0,
            critical_path_ms=1.0,
        )
        for one in outcomes
    ]
    return EvalReport(cases=(CaseResult(name=name, pass_rate=rate, runs=tuple(runs)),))


@given(st.lists(st.booleans(), min_size=1, max_size=8), st.integers(1, 4))
def test_pass_hat_is_the_mean_over_all_choices_of_k_runs(passed: list[bool], k: int) -> None:
    """What makes it unbiased: each choice is one sample of k independent runs."""
    found = Reliability(sum(passed), len(passed))
    chosen = [all(one) for one in combinations(passed, k)]
    some = [any(one) for one in combinations(passed, k)]
    if chosen:
        assert found.pass_hat(k) == pytest.approx(sum(chosen) / len(chosen))
        assert found.pass_at(k) == pytest.approx(sum(some) / len(some))
    else:
        assert found.pass_hat(k) is found.pass_at(k) is None


def test_the_interval_is_wilsons() -> None:
    assert wilson_interval(8, 10) == pytest.approx((0.4901625, 0.9433178), abs=1e-6)  # as R's binom.wilson
    assert wilson_interval(0, 0) == (0, 1)
    assert Reliability(10, 10).interval()[1] == 1
    assert Reliability(8, 10).interval(3) == pytest.approx((0.4901625**3, 0.9433178**3), abs=1e-6)


def test_runs_without_evidence_count_neither_way() -> None:
    case = _report(PASSED, FAILED, UNKNOWN).cases[0]
    assert case.reliability == Reliability(1, 2)


@pytest.mark.parametrize(
    ("outcomes", "rate", "outcome"),
    [
        ((PASSED, UNKNOWN), 0.5, PASSED),
        ((FAILED, UNKNOWN), 0.5, UNKNOWN),
        ((FAILED, FAILED, UNKNOWN), 0.5, FAILED),
        ((), 1.0, UNKNOWN),
    ],
)
def test_a_case_is_decided_as_soon_as_no_missing_evidence_could_change_it(
    outcomes: tuple[Outcome, ...], rate: float, outcome: Outcome
) -> None:
    assert _report(*outcomes, rate=rate).outcome is outcome


def _kinds(now: EvalReport, before: EvalReport) -> list[tuple[str, str]]:
    return [(one.kind.value, one.subject) for one in compare_with_baseline(now, before).changes]


def test_changes_of_outcomes_are_regressions_improvements_or_lost() -> None:
    assert _kinds(_report(FAILED), _report(PASSED)) == [("regressed", ""), ("regressed", "exact")]
    assert _kinds(_report(PASSED), _report(FAILED)) == [("improved", ""), ("improved", "exact")]
    assert _kinds(_report(UNKNOWN), _report(PASSED)) == [("lost", ""), ("lost", "exact")]
    assert _kinds(_report(FAILED), _report(FAILED)) == []
    assert _kinds(_report(PASSED, name="y"), _report(PASSED)) == [("new", ""), ("missing", "")]


def test_a_lower_rate_regresses_only_beyond_chance() -> None:
    before = _report(*[PASSED] * 18, *[FAILED] * 2)
    assert _kinds(_report(*[PASSED] * 16, *[FAILED] * 4), before) == []
    worse = compare_with_baseline(_report(*[PASSED] * 8, *[FAILED] * 12), before)
    assert [one.kind for one in worse.changes] == [BaselineChangeKind.REGRESSED] * 2
    assert worse.changes[0].summary == "18 of 20 runs passed, now 8 of 20 (p = 0.0022)"


def test_an_amount_that_changed_by_a_tenth_is_named_and_fails_nothing() -> None:
    assert not compare_with_baseline(_report(PASSED, tokens=111), _report(PASSED)).regressed
    assert _kinds(_report(PASSED, tokens=111), _report(PASSED)) == [("amount", "tokens")]
    assert _kinds(_report(PASSED, tokens=109), _report(PASSED)) == []


def test_a_baseline_that_is_no_report_is_refused(tmp_path: Path) -> None:
    for text, message in (("{}", "cases: Field required"), ("[", "Invalid JSON"), (None, "cannot be read")):
        path = tmp_path / "b.json"
        path.unlink(missing_ok=True)
        if text is not None:
            path.write_text(text)
        with pytest.raises(ConfigError, match=message):
            read_baseline(path)
