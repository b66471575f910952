"""The diff of two runs as tables in words: both runs, and the steps that differ."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from otel_mas.analyse.diff import Change, RunDiff, RunSteps, SetDiff, StepOfRun, StepOfSets, StepPair
from otel_mas.report.tables import Head, Table
from otel_mas.report.text import count, duration, local_time, plain, usd

MOST = 40
"""Steps that are shown unless all are asked for."""
_OTHERWISE = " differently"
_LONGEST = 240
_CONTEXT = 40
"""Characters before the first one that differs, where two long answers begin alike."""


def mark(step: StepPair) -> str:
    """+ and - as of lines of a file, ~ of what changed, a blank of what is the same."""
    if step.a is None:
        return "+"
    return "-" if step.b is None else "~" if step.changes else ""


def totals(found: RunDiff, outputs: Sequence[str | None]) -> Table:
    """Both runs beside each other."""
    heads = (Head(""), Head("first", text=True), Head("second", text=True))
    return Table(heads, [list(row) for row in zip(*_columns(found, outputs), strict=True)], "total")


def _columns(found: RunDiff, outputs: Sequence[str | None]) -> Iterator[Sequence[str]]:
    yield ("trace", "started", "took", "steps", "model calls", "tokens", "cost", "answer")
    shown = _from_first_difference(outputs[0], outputs[1])
    for run, outcome, output in zip((found.a, found.b), found.outcomes, shown, strict=True):
        yield _totals(run, outcome, output)


def _totals(run: RunSteps, outcome: str | None, output: str) -> Sequence[str]:
    table = run.tree.graph.table
    ids = list(dict.fromkeys(table.trace_ids))
    return (
        ids[0][:16] if len(ids) == 1 else count(len(ids), "trace"),
        local_time(min(table.starts, default=0)),
        duration(run.duration_ns),
        f"{len(run.tree):,}",
        f"{run.calls:,}",
        f"{run.tokens:,}",
        "not known" if run.usd is None else usd(run.usd),
        output or (f"({outcome})" if outcome not in (None, "ok") else ""),
    )


def steps(found: RunDiff, *, most: int | None = MOST, every: bool = False) -> Table:
    """The steps that differ, or all: which, how, and what each took and answered.

    Steps that are only slower or dearer are left to `every` where something else differs.
    """
    chosen = found.steps if every else found.differing or tuple(one for one in found.steps if one.changes)
    shown = chosen if most is None else chosen[:most]
    heads = (
        *(Head(""), Head("step", text=True), Head("", text=True)),
        *(Head("took", numeric=True), Head("cost", numeric=True), Head("first", text=True), Head("second", text=True)),
    )
    rows = [_row(found, one) for one in shown]
    return Table(heads, rows, "step", len(chosen) - len(shown), tuple(_notes(found, chosen, every)))


def _row(found: RunDiff, step: StepPair) -> list[str]:
    before, after = _from_first_difference(step.before, step.after)
    return [
        mark(step),
        plain(_name(step)),
        _changed(step) + (" ← first" if step is found.first_divergence else ""),
        _both(step, _took, Change.SLOWER, Change.FASTER),
        _both(step, _cost, Change.DEARER, Change.CHEAPER),
        before,
        after,
    ]


def _changed(step: StepPair) -> str:
    """Its changes in words, those that the mark says left out: asked, answered differently, slower."""
    changes = [change.value for change in step.changes if change not in (Change.ADDED, Change.REMOVED)]
    otherwise = [change for change in changes if change.endswith(_OTHERWISE)]
    for change in otherwise[:-1]:
        changes[changes.index(change)] = change.removesuffix(_OTHERWISE)
    return ", ".join(changes)


def _name(step: StepPair) -> str:
    """Its label; the one before it where it has another one now, and the model where another one answered."""
    a, b = step.a, step.b
    if a is None or b is None:
        return step.label
    if Change.RENAMED in step.changes and a.kind == "model":
        return f"{b.label} ({a.name} → {b.name})"
    own, its = (one.label.rpartition("/")[2] for one in (a, b))
    return b.label if own == its else f"{b.label} (was {own})"


def _took(step: StepOfRun) -> str | None:
    return None if step.duration_ns is None else duration(step.duration_ns)


def _cost(step: StepOfRun) -> str | None:
    return None if step.usd is None else usd(step.usd)


def _both(step: StepPair, words: Callable[[StepOfRun], str | None], *changes: Change) -> str:
    """An amount in both runs, or in the second alone where it changed too little to be told."""
    a, b = (None if one is None else words(one) for one in (step.a, step.b))
    if a is None or b is None or not any(change in step.changes for change in changes):
        return b or a or ""
    return f"{a} → {b}"


def _from_first_difference(before: str | None, after: str | None) -> tuple[str, str]:
    """Two texts, each from shortly before the first character that differs on."""
    one, other = plain(before or ""), plain(after or "")
    same = next((place for place, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), 0)
    start = max(0, same - _CONTEXT)
    return _cut(one, start), _cut(other, start)


def _cut(text: str, start: int) -> str:
    shown = f"…{text[start:]}" if start else text
    return shown if len(shown) <= _LONGEST else f"{shown[: _LONGEST - 1]}…"


def _notes(found: RunDiff, chosen: Sequence[StepPair], every: bool) -> Iterator[str]:
    first = found.first_divergence
    if first is not None:
        following, others = len(found.consequences(first)), found.divergences[1:]
        words = (
            [f"{count(following, 'of these follows', 'of these follow')} from {plain(first.label)}"]
            if following
            else []
        )
        if others:
            names = ", ".join(plain(one.label) for one in others[:3])
            more = f" and {len(others) - 3:,} more" if len(others) > 3 else ""
            words.append(f"not from it: {names}{more}")
        if words:
            yield "; ".join(words)
    if not every and len(chosen) < len(found.steps):
        amounts = sum(bool(one.changes) and not one.differs for one in found.steps) if found.differing else 0
        rest = len(found.steps) - len(chosen)
        also = f", {amounts:,} of them with other times or costs" if amounts else ""
        yield f"{count(rest, 'other step')} did the same{also}"
    limits = found.limits
    if any(change in found.counts for change in (Change.SLOWER, Change.FASTER, Change.DEARER, Change.CHEAPER)):
        yield (
            f"slower and dearer: {limits.ratio:g} times as much or more, and {duration(limits.least_ns)} or "
            f"{usd(limits.least_usd)} more"
        )


def set_steps(found: SetDiff, *, most: int | None = MOST, every: bool = False) -> Table:
    """Steps of two sets of runs that changed, or all: share of the runs, medians of times and costs."""
    chosen = found.steps if every else found.differing
    shown = chosen if most is None else chosen[:most]
    heads = (
        *(Head(""), Head("step", text=True), Head(""), Head("in runs", numeric=True)),
        *(Head("took", numeric=True), Head("cost", numeric=True), Head("new answers", numeric=True)),
    )
    rows = list(map(_set_row, shown))
    rest = len(found.steps) - len(chosen)
    notes = [f"no difference was found in {count(rest, 'other step')}"] if rest and not every else []
    return Table(heads, rows, "step", len(chosen) - len(shown), notes)


def _set_row(step: StepOfSets) -> list[str]:
    times = (None if ns is None else duration(round(ns)) for ns in (step.duration_before_ns, step.duration_after_ns))
    costs = (None if cost is None else usd(cost) for cost in (step.usd_before, step.usd_after))
    return [
        "+" if not step.n_before else "-" if not step.n_after else "~" if step.changes else "",
        plain(step.label),
        ", ".join(change for change in step.changes if change not in (Change.ADDED, Change.REMOVED)),
        _arrow(f"{step.share_before:.0%}", f"{step.share_after:.0%}"),
        _arrow(*times),
        _arrow(*costs),
        "" if step.new_answers is None else f"{step.new_answers:.0%}",
    ]


def _arrow(before: str | None, after: str | None) -> str:
    return after or before or "" if before is None or after is None or before == after else f"{before} → {after}"


def causes(found: RunDiff, most: int = 12) -> Iterator[tuple[str, str]]:
    """Causes of tasks that only one run has, in words."""
    for title, edges in (("causes that are gone", found.causes_gone), ("new causes", found.causes_new)):
        if edges:
            shown = ", ".join(f"{plain(cause)} → {plain(effect)}" for cause, effect in edges[:most])
            yield title, shown + (f" and {len(edges) - most:,} more" if len(edges) > most else "")


__all__ = ["MOST", "causes", "mark", "set_steps", "steps", "totals"]
