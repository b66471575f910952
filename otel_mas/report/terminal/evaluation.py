"""Reports of evaluations: a line for each case, and below it all that did not pass."""

from __future__ import annotations

from collections.abc import Iterator

from rich.text import Text

from otel_mas.evaluate import (
    BaselineChangeKind,
    BaselineComparison,
    CaseResult,
    EvalReport,
    EvaluationResult,
    Outcome,
    RunResult,
)
from otel_mas.report.evaluation_words import MARKS, case_amounts, judges
from otel_mas.report.terminal.lines import wrap
from otel_mas.report.text import count, plain

_STYLES = {Outcome.PASSED: "green", Outcome.FAILED: "bold red", Outcome.INSUFFICIENT_EVIDENCE: "yellow"}
_CHANGES = {
    BaselineChangeKind.REGRESSED: ("✗", "bold red"),
    BaselineChangeKind.LOST: ("?", "yellow"),
    BaselineChangeKind.IMPROVED: ("✓", "green"),
    BaselineChangeKind.AMOUNT: ("±", ""),
    BaselineChangeKind.NEW: ("+", "dim"),
    BaselineChangeKind.MISSING: ("-", "dim"),
}
_MOST_RUNS = 5
_WARNING = "yellow"


def evaluation(report: EvalReport, width: int) -> Iterator[Text]:
    """Each case with its outcome; of each run that did not pass the results that say why; then the counts."""
    for case in report.cases:
        yield from _case(case, width)
    yield Text("")
    counts = [
        (number, MARKS[outcome], _STYLES[outcome], outcome.words)
        for outcome, number in report.counts().items()
        if number
    ]
    parts = [Text(f"{mark} {number:,} {words}", style) for number, mark, style, words in counts]
    warnings = sum(len(case.warnings) for case in report.cases)
    parts += [Text(f"! {count(warnings, 'warning')}", _WARNING)] if warnings else []
    yield Text("  ").join(parts)
    if report.judge_cost:
        yield Text(judges(report.judge_cost), "dim")


def _case(case: CaseResult, width: int) -> Iterator[Text]:
    mark, style = MARKS[case.outcome], _STYLES[case.outcome]
    line = Text.assemble((f"{mark} {plain(case.name)}", style), ("  " + case_amounts(case), "dim"))
    yield from wrap(line, width)
    if case.reason:
        yield from _indented(Text(plain(case.reason), style), 2, width)
    failing = [run for run in case.runs if run.outcome != Outcome.PASSED]
    for run in failing[:_MOST_RUNS]:
        yield from _run(run, len(case.runs) > 1, width)
    if len(failing) > _MOST_RUNS:
        yield Text(f"  and {count(len(failing) - _MOST_RUNS, 'more run')} that did not pass; --json lists all", "dim")
    for warning in case.warnings:
        yield from _indented(Text(f"! {plain(warning)}", _WARNING), 4, width)


def _run(run: RunResult, named: bool, width: int) -> Iterator[Text]:
    if named:
        yield Text(f"  trace {run.trace_ids[0]}", "dim")
    for one in run.results:
        if one.outcome != Outcome.PASSED:
            yield from _result(one, width)


def _result(one: EvaluationResult, width: int) -> Iterator[Text]:
    mark, style = MARKS[one.outcome], _STYLES[one.outcome]
    first, *more = one.reason.splitlines() or [""]
    text = Text.assemble((f"{mark} {plain(one.evaluator)}", style), f": {plain(first)}" if first else "")
    yield from _indented(text, 4, width)
    for line in more:  # such as a topology's edges, in columns of its own
        yield Text("      " + line.rstrip())


def _indented(text: Text, indent: int, width: int) -> Iterator[Text]:
    yield from (Text.assemble(" " * indent, piece) for piece in wrap(text, width - indent))


def baseline_comparison(compared: BaselineComparison, width: int) -> Iterator[Text]:
    """The changes since the baseline, what regressed first."""
    yield Text("")
    if not compared.changes:
        yield Text("Nothing has changed since the baseline.", "green")
        return
    yield Text("Since the baseline", "bold")
    for kind, (mark, style) in _CHANGES.items():
        for one in compared.of_kind(kind):
            subject = f"{plain(one.case)} {plain(one.subject)}".strip()
            text = Text.assemble((f"{mark} {kind.value} {subject}", style), f": {plain(one.summary)}")
            yield from _indented(text, 2, width)


__all__ = ["baseline_comparison", "evaluation"]
