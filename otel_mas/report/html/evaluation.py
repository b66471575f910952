"""Report of an evaluation: a table of the cases, and a list of what did not pass."""

from __future__ import annotations

from itertools import islice

from otel_mas.errors.printable import printable, shortened
from otel_mas.evaluate import EvalReport, EvaluationResult, Outcome, RunResult
from otel_mas.report.evaluation_words import MARKS, case_amounts, judges
from otel_mas.report.html.block import left_out, table
from otel_mas.report.markup import Child, Markup, element, text
from otel_mas.report.tables import Head
from otel_mas.report.text import count, plain

_MOST_CASES = 100
_MOST_PROBLEMS = 50
_MOST_CHARACTERS = 2_000
_SHAPES = {Outcome.PASSED: "om-good", Outcome.FAILED: "om-bad", Outcome.INSUFFICIENT_EVIDENCE: "om-wait"}
_HEADS = (Head("case"), Head("outcome"), Head("runs, tokens, cost and time"))


def evaluation(report: EvalReport) -> Markup:
    """A row for each case, then an item for each result that did not pass, and what judges cost."""
    rows: list[list[Child]] = [
        [plain(case.name), _outcome(case.outcome), case_amounts(case)] for case in report.cases[:_MOST_CASES]
    ]
    problems = ((case.name, *problem) for case in report.cases for problem in case.problems())
    shown = [_problem(*one) for one in islice(problems, _MOST_PROBLEMS)]
    shown += [_reason(case.name, case.reason) for case in report.cases[:_MOST_CASES] if case.reason]
    shown += [_warning(case.name, one) for case in report.cases[:_MOST_CASES] for one in case.warnings]
    hidden = sum(1 for _ in problems)
    beyond = len(report.cases) - len(rows)
    counts = [
        *([count(beyond, "more case")] if beyond > 0 else []),
        *([count(hidden, "more result") + " that did not pass"] if hidden else []),
    ]
    cost = element("p", judges(report.judge_cost), class_="om-dim") if report.judge_cost else None
    return text(table(_HEADS, rows), element("ul", shown) if shown else None, left_out(counts), cost)


def _outcome(outcome: Outcome) -> Markup:
    return element("span", f"{MARKS[outcome]} {outcome.words}", class_=_SHAPES[outcome])


def _problem(case: str, run: RunResult, one: EvaluationResult) -> Markup:
    mark = element("span", f"{MARKS[one.outcome]} {plain(one.evaluator)}", class_=_SHAPES[one.outcome])
    where = element("span", f" of {plain(case)} in trace {run.trace_ids[0]}", class_="om-dim")
    return element("li", mark, where, _text(one.reason))


def _reason(case: str, reason: str) -> Markup:
    return element("li", element("span", plain(case), class_="om-wait"), f": {plain(reason)}")


def _warning(case: str, warning: str) -> Markup:
    where = element("span", f" of {plain(case)}", class_="om-dim")
    return element("li", element("span", "! warning", class_="om-wait"), where, f": {plain(warning)}")


def _text(reason: str) -> Markup | None:
    """The reason; of several lines, such as those of a topology, in columns of its own."""
    if not reason:
        return None
    lines = shortened(reason, _MOST_CHARACTERS).splitlines()
    if len(lines) == 1:
        return text(f": {plain(lines[0])}")
    return element("pre", "\n".join(map(printable, lines)))


__all__ = ["evaluation"]
