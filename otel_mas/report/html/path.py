"""The critical path: what the duration is made of, and why each next step waited."""

from __future__ import annotations

from collections.abc import Iterator

from otel_mas.causal import CausalGraph, CriticalPath, StepKind
from otel_mas.report.html.block import KINDS, Head, left_out, named, row, table
from otel_mas.report.markup import Child, Markup, element, text
from otel_mas.report.path_rows import PathRow, made_of, notable, path_rows
from otel_mas.report.task_labels import TaskLabels
from otel_mas.report.text import count, duration, listing, offset, plain, share
from otel_mas.semconv.enums import RecordKind

_HEADS = (
    Head("task"),
    Head("start", numeric=True),
    Head("took", numeric=True),
    Head("share", numeric=True),
    Head("of the time at work"),
    Head("why the next one waited", text=True),
)


def critical_path(causal: CausalGraph, path: CriticalPath, most: int = 40) -> Markup:
    """A row for each task on the path, and what the total is made of; at most so many rows, the longest."""
    labels = TaskLabels(causal)
    lines = list(path_rows(path, labels))
    if not lines:
        return element("p", "No span was recorded.")
    active = sum(one.took_ns for one in lines if not one.waits)
    shown = notable(lines, active, most)
    rows = table(_HEADS, (list(_row(one, labels, path.start_ns, active)) for one in shown))
    took = sum(one.took_ns for one in lines) - sum(one.took_ns for one in shown)
    hidden = len(lines) - len(shown)
    more = [f"{count(hidden, 'shorter step')} of {duration(took)} together"] if hidden else []
    return text(rows, left_out(more), _made_of(path, active))


def _row(one: PathRow, labels: TaskLabels, begin: int, active: int) -> Iterator[Child]:
    step = one.steps[0]
    yield _name(one, labels)
    yield offset(step.start_ns - begin)
    yield duration(one.took_ns)
    yield None if one.waits else share(one.took_ns, active)
    whole = max(active, 1)
    longest = max(one.steps, key=lambda step: step.duration_ns)
    kind = longest.span.record_kind if longest.span is not None and longest.kind == StepKind.SPAN else None
    colour = KINDS[RecordKind(kind)] if kind in KINDS else "om-mark"
    if one.waits:
        yield row(0.0, 1.0, "om-waits")
    else:
        yield row(one.worked_ns / whole, (one.worked_ns + one.took_ns) / whole, colour)
    spent = [f"{plain(name)} {duration(took)}" for name, took in one.spent(labels)]
    why = plain(one.steps[-1].why)
    did = element("span", f" · {listing(spent)}" if why else listing(spent), class_="om-dim") if spent else None
    yield text(why, did)


def _name(one: PathRow, labels: TaskLabels) -> Markup:
    step = one.steps[0]
    if step.kind != StepKind.SPAN or step.span is None:
        phrase = step.kind if step.held_by is None else f"held by {labels.label(step.held_by)}"
        return element("span", phrase, class_="om-wait" if one.waits else "om-dim")
    if one.task is not None:
        return text(labels.label(one.task))
    return named(labels.path_label(step.span), step.span)


def _made_of(path: CriticalPath, active: int) -> Markup:
    took, waiting = made_of(path)
    made = [f"{name} {duration(ns)} ({share(ns, active)})" for name, ns in took.most_common() if ns]
    waited = element("span", f"; {duration(waiting)} waiting for input", class_="om-wait") if waiting else None
    return element("p", element("b", f"{duration(active)} at work: "), ", ".join(made), waited)
