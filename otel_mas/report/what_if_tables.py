"""A what-if in words: for the terminal and for HTML alike."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from otel_mas.analyse.what_if import WhatIf
from otel_mas.causal import CausalGraph
from otel_mas.causal.links import RECORDED
from otel_mas.causal.schedule import Assumption, Faster, Instead, Lasting, ideal
from otel_mas.report.tables import Head, Table
from otel_mas.report.task_labels import TaskLabels
from otel_mas.report.text import count, duration, listing, plain, share, usd

_MOST_TASKS = 30
_MOST_ASSUMPTIONS = 12
_WAYS = {
    "order": "{effect} started after {cause}",
    "step": "{effect} waited for LangGraph's step, which {cause} ended",
    "limit": "{effect} waited for a place, which {cause} left",
    "message": "{effect} read what {cause} wrote",
}
_OTHER_WAY = "{effect} waited for {cause} ({kind})"
_RESTS_ON = {"order": "order only", "metadata": "recorded"}


def headline(answer: WhatIf) -> str:
    """The changes, in a sentence."""
    return f"If: {listing([plain(one) for one in answer.changes], 6)}" if answer.changes else "As recorded"


def totals(answer: WhatIf) -> Table:
    """Time and cost, then and now."""
    heads = (Head(""), *(Head(title, numeric=True) for title in ("recorded", "what if", "saved", "")))
    saved = answer.saves_ns
    rows = [
        [
            "end to end",
            duration(answer.recorded_ns),
            duration(answer.total_ns),
            _signed(saved, duration(abs(saved))),
            share(abs(saved), answer.recorded_ns) if saved else "",
        ]
    ]
    before, after, saves = answer.recorded_cost.usd, answer.cost.usd, answer.saves_usd
    if before is not None or after is not None:
        rows.append(
            [
                "cost, simulated" if answer.recorded_cost.simulated else "cost",
                "not known" if before is None else usd(before),
                "not known" if after is None or answer.unpriced else usd(after),
                "" if saves is None else _signed(saves, usd(abs(saves))),
                f"{abs(saves) / before:.0%}" if saves and before else "",
            ]
        )
    return Table(heads, rows, "total", notes=tuple(_notes(answer)))


def _signed(amount: float, shown: str) -> str:
    return f"-{shown}" if amount < 0 else shown


def _notes(answer: WhatIf) -> Iterator[str]:
    timed = {change.target.removeprefix("model:") for change in answer.changes if isinstance(change, Faster | Lasting)}
    for change in answer.changes:
        if isinstance(change, Instead):
            taken = "to use the same tokens" if change.model in timed else "to take as long and to use the same tokens"
            yield f"{plain(change.by)} is taken {taken} as {plain(change.model)}."
    for reason, several in _reasons(answer).items():
        yield f"{count(several, 'call')} without a new price: {plain(reason)}"


def _reasons(answer: WhatIf) -> dict[str, int]:
    found: dict[str, int] = {}
    for one in answer.unpriced:
        found[one.reason] = found.get(one.reason, 0) + 1
    return found


def ideal_phrase(causal: CausalGraph, answer: WhatIf) -> str:
    """How short the recorded run could have been at best, with the same tasks."""
    least = ideal(causal).total_ns
    saved = answer.recorded_ns - least
    if saved <= 0:
        return "No task that decides the end waited for LangGraph's steps or for a free place."
    return (
        "If each task had waited for its causes alone, not for LangGraph's steps and for a free place, the recorded "
        f"run would have taken {duration(least)}, {duration(saved)} less."
    )


def slack(answer: WhatIf, causal: CausalGraph) -> Table:
    """Tasks with the time that they would take, how much longer each may last, and what it costs the run.

    The least slack first, and of those without any the largest drag.
    """
    labels, schedule = TaskLabels(causal), answer.schedule
    found, drag = schedule.slack_ns, schedule.drag_ns
    tasks = [span for span in labels.tasks or causal.spans if span.span_id not in schedule.removed]
    endless = max((one for one in found.values() if one is not None), default=0) + 1
    tasks.sort(key=lambda span: (endless if (one := found[span.span_id]) is None else one, -drag[span.span_id]))
    rows = []
    for span in tasks[:_MOST_TASKS]:
        start, end = schedule.times(span.span_id)
        left = found[span.span_id]
        slack = "nothing waits for it" if left is None else duration(left)
        rows.append([labels.label(span), duration(end - start), slack, duration(drag[span.span_id])])
    heads = (
        Head("task", text=True), Head("takes", numeric=True), Head("slack", numeric=True), Head("drag", numeric=True)
    )  # fmt: skip
    return Table(heads, rows, "task", notes=_left(len(tasks) - len(rows), "more task"))


def assumptions(answer: WhatIf, causal: CausalGraph) -> Table:
    """The edges that it rests on, and what is known of each.

    Of those that decide the end recorded causes are only counted, and so is the order of what took less than a
    hundredth of the run.
    """
    labels, least = TaskLabels(causal), answer.recorded_ns / 100
    found = list(answer.schedule.parallel_edges)
    found += [
        one
        for one in answer.schedule.deciding_edges
        if one.provenance != RECORDED and min(one.cause.duration_ns, one.effect.duration_ns) >= least
    ]
    others = len(answer.schedule.assumptions) - len(found)
    heads = (Head("rests on"), Head("", text=True), Head("known by"))
    rows = [_assumption(one, labels) for one in found[:_MOST_ASSUMPTIONS]]
    return Table(
        heads,
        rows,
        "edge",
        notes=_left(
            others + len(found) - len(rows),
            "edge that was recorded or says little",
            "edges that were recorded or say little",
        ),
    )


def _left(number: int, noun: str, plural: str | None = None) -> tuple[str, ...]:
    return (f"and {count(number, noun, plural)}; JSON has all of them",) if number > 0 else ()


def _assumption(one: Assumption, labels: TaskLabels) -> Sequence[str]:
    way = _WAYS.get(one.kind, _OTHER_WAY)
    words = way.format(cause=labels.path_label(one.cause), effect=labels.path_label(one.effect), kind=one.kind)
    return "held" if one.held else "removed", words, _RESTS_ON.get(one.provenance, one.provenance)


__all__ = ["assumptions", "headline", "ideal_phrase", "slack", "totals"]
