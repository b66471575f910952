"""The critical path for people: what the duration is made of, and why each next step waited."""

from __future__ import annotations

from collections.abc import Iterator

from rich.text import Text

from otel_mas.causal import CausalGraph, CriticalPath, StepKind
from otel_mas.report.path_rows import PathRow, made_of, notable, path_rows
from otel_mas.report.task_labels import TaskLabels
from otel_mas.report.terminal.lines import bar, cells, fit, joined, kind_style, wrap
from otel_mas.report.text import count, duration, listing, offset, plain, share

_BAR = 16
_WIDEST_LABEL = 34
_HEADINGS = f"{'start':>9}{'took':>9}{'share':>7}{'':{_BAR + 2}}"


def critical_path(
    causal: CausalGraph, path: CriticalPath, width: int, *, every: bool = False, most: int | None = None
) -> Iterator[Text]:
    """A line for each task on the path, and below them what the total is made of.

    Args:
        causal: The graph that the path is of.
        path: Its critical path.
        width: Cells of a line.
        every: A line for each step instead, however short.
        most: At most so many lines, for the longest.
    """
    if not path.sections:
        return
    labels = TaskLabels(causal)
    lines = list(path_rows(path, labels, every))
    active = sum(one.took_ns for one in lines if not one.waits)
    shown = lines if every else notable(lines, active, most)
    texts = [_label(one, labels, every) for one in shown]
    named = min(_WIDEST_LABEL, max((text.cell_len for text in texts), default=0))
    yield cells(Text(_HEADINGS + fit(Text("task"), named).plain + "  why the next one waited", style="dim"))
    for row, label in zip(shown, texts, strict=True):
        first = _times(row, path.start_ns, active).append_text(fit(label, named)).append("  ")
        for piece in wrap(_reason(row, labels), width - first.cell_len):
            yield cells(first, piece)
            first = Text(" " * first.cell_len)
    hidden = len(lines) - len(shown)
    if hidden:
        took = sum(one.took_ns for one in lines) - sum(one.took_ns for one in shown)
        yield Text(f"{duration(took):>18}         {count(hidden, 'shorter step')} in between", style="dim")
    yield Text("")
    yield from wrap(_made_of(path, active), width)


def _times(row: PathRow, begin: int, active: int) -> Text:
    took = row.took_ns
    drawn = "·" * _BAR if row.waits else bar([(row.worked_ns, row.worked_ns + took)], 0, active, _BAR)
    return Text.assemble(
        fit(Text(offset(row.steps[0].start_ns - begin), style="dim"), 9, "right"),
        fit(Text(duration(took)), 9, "right"),
        fit(Text("" if row.waits else share(took, active), style="dim"), 5, "right"),
        "  ",
        (drawn, _style(row)),
        "  ",
    )


def _style(row: PathRow) -> str:
    longest = max(row.steps, key=lambda step: step.duration_ns)
    if row.waits:
        return "yellow"
    return kind_style(longest.span) if longest.kind == StepKind.SPAN and longest.span is not None else "dim"


def _label(row: PathRow, labels: TaskLabels, every: bool) -> Text:
    step = row.steps[0]
    if step.kind != StepKind.SPAN or step.span is None:
        phrase = step.kind if step.held_by is None else f"held by {labels.label(step.held_by)}"
        return Text(phrase, style=_style(row))
    if row.task is None or every:
        return Text(labels.path_label(step.span), style=_style(row))
    return Text(labels.label(row.task), style="cyan")


def _reason(row: PathRow, labels: TaskLabels) -> Text:
    """Why the next step waited, and what the task spent its time on."""
    parts = [Text(plain(row.steps[-1].why))] if row.steps[-1].why else []
    did = [f"{name} {duration(took)}" for name, took in row.spent(labels)]
    if did:
        parts.append(Text(f"· {listing(did)}", style="dim"))
    return joined(parts)


def _made_of(path: CriticalPath, active: int) -> Text:
    took, waiting = made_of(path)
    parts = [Text(f"{duration(active)} at work: ", style="bold")]
    made = [f"{name} {duration(ns)} ({share(ns, active)})" for name, ns in took.most_common() if ns]
    parts.append(Text(", ".join(made)))
    if waiting:
        parts.append(Text(f"; {duration(waiting)} waiting for input", style="yellow"))
    return joined(parts, "")
