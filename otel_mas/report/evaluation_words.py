"""Results of evaluations in words, for the terminal and for HTML alike."""

from __future__ import annotations

from otel_mas.evaluate import CaseResult, JudgeCost, Outcome
from otel_mas.report.text import count, duration, usd

MARKS = {Outcome.PASSED: "✓", Outcome.FAILED: "✗", Outcome.INSUFFICIENT_EVIDENCE: "?"}
_NS_PER_MS = 1e6


def case_amounts(case: CaseResult) -> str:
    """Runs that passed, and tokens, dollars and time; of several runs on average."""
    if not case.runs:
        return ""
    runs = case.runs
    parts = [f"{case.count(Outcome.PASSED)} of {count(len(runs), 'run')}"] if len(runs) > 1 else []
    spent = [run.usd for run in runs if run.usd is not None]
    parts += [count(sum(run.tokens for run in runs) // len(runs), "token")]
    parts += [usd(sum(spent) / len(spent))] if spent else []
    parts += [duration(round(sum(run.wall_ms for run in runs) / len(runs) * _NS_PER_MS))]
    return " · ".join(parts) + (" on average" if len(runs) > 1 else "")


def judges(cost: JudgeCost) -> str:
    """Calls of judges, and what these cost."""
    parts = [f"judges: {count(cost.asked, 'call')}"]
    if cost.asked:
        parts += [count(cost.tokens, "token"), usd(cost.usd)]
    if cost.unpriced:
        parts += [f"{count(cost.unpriced, 'call')} without a price"]
    if cost.kept:
        parts += [f"{count(cost.kept, 'answer')} from the cache"]
    return " · ".join(parts)


__all__ = ["MARKS", "case_amounts", "judges"]
