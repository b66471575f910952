"""The same finding of many runs is one group; its trend is told where the runs can tell it."""

from __future__ import annotations

from collections.abc import Collection

import pytest

from otel_mas.analyse.findings.groups import ExaminedRun, FindingTrend, group
from otel_mas.model import Finding, Severity


def finding(subject: str = "writer: search", **more: object) -> Finding:
    fields = {"severity": Severity.WARNING, "confidence": 1.0, "summary": "it is wrong", **more}
    return Finding(code="loop", subject=subject, spans=("a",), **fields)  # type: ignore[arg-type]


def runs(number: int, having: Collection[int]) -> list[ExaminedRun]:
    """Runs in the order of time, those of these numbers with a finding."""
    return [ExaminedRun(f"t{i}", i, [finding()] if i in having else []) for i in range(number)]


def test_findings_of_one_kind_and_subject_are_one_group() -> None:
    dear = finding(severity=Severity.ERROR, saves_ns=5, saves_usd=0.5)
    found = group(
        [
            ExaminedRun("t2", 20, [finding(saves_ns=2), dear]),
            ExaminedRun("t1", 10, [finding(), finding("reader: search")]),
            ExaminedRun("t3", 30, []),
        ]
    )

    assert [one.subject for one in found] == ["writer: search", "reader: search"]
    first = found[0]
    assert (first.severity, first.example, first.example_trace) == (Severity.ERROR, dear, "t2")
    assert (first.findings, list(first.traces), first.share) == (3, ["t2", "t1"], 2 / 3)
    assert (first.first_ns, first.last_ns, first.saves_ns, first.saves_usd) == (10, 20, 7, 0.5)


@pytest.mark.parametrize(
    ("having", "trend"),
    [
        (range(10, 20), FindingTrend.RISING),
        (range(10), FindingTrend.FALLING),
        (range(0, 20, 2), FindingTrend.STEADY),
        ((19,), FindingTrend.CANNOT_TELL),
        (range(20), FindingTrend.STEADY),
    ],
)
def test_the_trend_is_a_change_from_the_older_to_the_newer_half(having: Collection[int], trend: FindingTrend) -> None:
    assert group(runs(20, having))[0].trend == trend


def test_few_runs_cannot_tell() -> None:
    assert group(runs(4, (2, 3)))[0].trend == FindingTrend.CANNOT_TELL


def test_the_trend_agrees_with_the_exact_test_of_scipy() -> None:
    stats = pytest.importorskip("scipy.stats")
    for before in range(11):
        for after in range(11):
            if 0 < before + after < 20:
                having = [*range(before), *range(10, 10 + after)]
                changed = group(runs(20, having))[0].trend in (FindingTrend.RISING, FindingTrend.FALLING)

                p_value = stats.fisher_exact([[before, 10 - before], [after, 10 - after]]).pvalue
                assert changed == (p_value < 0.05), (before, after)
