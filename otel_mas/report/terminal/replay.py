"""A replay with changes on a terminal: what depends on them before it runs, and both runs side by side after it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.text import Text

from otel_mas.replay.comparison import ComparedStep, ReplayComparison, Sameness
from otel_mas.replay.plan import Plan, PlannedCall
from otel_mas.replay.recording import CallKind
from otel_mas.replay.verification import Verdict, VerifiedCause
from otel_mas.report.tables import Head, Table
from otel_mas.report.terminal.table import table
from otel_mas.report.text import plain, usd

_MOST_STEPS = 40
_MOST_CAUSES = 12
_LONGEST = 300


def plan(found: Plan, width: int) -> Iterator[Text]:
    """The calls that depend on the changes."""
    if found.segment:
        yield Text("segment", style="bold").append(f" {plain(found.segment)}", style="not bold")
    if found.changes:
        yield Text("changes", style="bold")
    for change in found.changes:
        yield Text(f"  {plain(str(change))}")
    yield Text(f"{plain(str(found))}, of {found.recorded} recorded calls", style="bold")
    heads = (Head("call"), Head("of"), Head("tokens", numeric=True), Head("USD", numeric=True))
    rows = [[plain(call.label), plain(call.name), *_amounts(call)] for call in found.calls]
    if rows:
        yield from table(Table(heads, rows[:_MOST_STEPS], "call", max(0, len(rows) - _MOST_STEPS)), width)


def comparison(found: ReplayComparison, width: int) -> Iterator[Text]:
    """Both runs side by side: what differs."""
    yield Text("recorded and replayed", style="bold")
    totals = (Head(""), Head("recorded", text=True), Head("replayed", text=True))
    yield from table(Table(totals, list(_totals(found)), "total"), width)
    first = found.first_difference
    same = len(found.steps) - len(found.differing)
    yield Text("")
    if first is None:
        yield Text(f"no difference in {same} calls and tasks")
    else:
        yield Text(f"first difference: {plain(first.label)}", style="bold")
        rows = [_row(step) for step in found.differing]
        heads = (Head("call or task"), Head(""), Head("recorded", text=True), Head("replayed", text=True))
        yield from table(Table(heads, rows[:_MOST_STEPS], "call or task", max(0, len(rows) - _MOST_STEPS)), width)
        yield Text(f"{same} other calls and tasks are the same", style="dim")
    for title, edges in (("causes that are gone", found.causes_gone), ("new causes", found.causes_new)):
        if edges:
            yield Text(f"{title}: {', '.join(f'{plain(cause)} → {plain(effect)}' for cause, effect in edges)}")
    for title, findings in (("findings that are gone", found.findings_gone), ("new findings", found.findings_new)):
        for one in findings:
            yield Text(f"{title}: {plain(one.code)} of {plain(one.subject)}: {plain(one.summary)}")


def root_causes(found: Sequence[VerifiedCause], width: int) -> Iterator[Text]:
    """Candidates for the root cause, with what a replay says of each."""
    if not found:
        yield Text("Nothing speaks against this run: say what is wrong with it by --complaint.")
        return
    heads = (Head("score", numeric=True), Head("agent"), Head("call or task"), Head("verdict"), Head("", text=True))
    shown = [one for one in found if one.verdict is not Verdict.NOT_TRIED or one.cause.reasons]
    rows = [
        [f"{one.cause.score:.0%}", plain(one.cause.agent or ""), plain(one.label), one.verdict.value, plain(one.reason)]
        for one in shown
    ]
    left_out = max(0, len(rows) - _MOST_CAUSES)
    yield from table(Table(heads, rows[:_MOST_CAUSES], "candidate", left_out), width)


def _totals(found: ReplayComparison) -> Iterator[Sequence[str]]:
    yield (
        "output",
        _output(found.output_before, found.outcome_before),
        _output(found.output_after, found.outcome_after),
    )
    before, after = found.cost_before, found.cost_after
    yield ("calls of models", str(before.calls), f"{after.calls}, {found.paid.calls} of them really made")
    tokens = [one.input_tokens + one.output_tokens for one in (before, after, found.paid)]
    yield ("tokens", f"{tokens[0]:,}", f"{tokens[1]:,}, {tokens[2]:,} of them now")
    yield (
        "USD",
        _price(before.usd),
        f"{_price(after.usd)}, {_price(found.paid.usd if found.paid.calls else 0.0)} of it now",
    )


def _output(text: str | None, outcome: str | None) -> str:
    return f"({outcome})" if outcome is not None else _shortened(text)


def _row(step: ComparedStep) -> list[str]:
    how = "" if step.how in (None, "answered") else f", {step.how}"
    what = "" if step.sameness is Sameness.CHANGED and how == ", changed" else step.sameness.value
    return [plain(step.label), f"{what}{how}".removeprefix(", "), _shortened(step.before), _shortened(step.after)]


def _shortened(text: str | None) -> str:
    shown = plain(text or "")
    return shown if len(shown) <= _LONGEST else f"{shown[: _LONGEST - 1]}…"


def _amounts(call: PlannedCall) -> tuple[str, str]:
    """Tokens and price of a call of a model; other calls have none."""
    if call.kind != CallKind.MODEL:
        return "", ""
    return "not known" if call.tokens is None else f"{call.tokens:,}", _price(call.usd)


def _price(amount: float | None) -> str:
    return "not known" if amount is None else usd(amount)


__all__ = ["comparison", "plan", "root_causes"]
