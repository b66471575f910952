"""The critical path for people: what the duration is made of, and why each next step waited."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from rich.text import Text

from otel_mas.causal import CausalGraph, CriticalPath, Step
from otel_mas.model import Span
from otel_mas.report.outline import Outline
from otel_mas.report.terminal.lines import bar, cells, fit, joined, kind_style, wrap
from otel_mas.report.text import count, duration, listing, offset, plain, share
from otel_mas.semconv.enums import RecordKind

_BAR = 16
_WIDEST_LABEL = 34
_HEADINGS = f"{'start':>9}{'took':>9}{'share':>7}{'':{_BAR + 2}}"
_SPAN = "span"
_WAITING = "waiting for input"
# What takes less than this share of the time at work says nothing; such lines are summed up in one.
_SMALL = 0.005
_GROUPS: Mapping[str | None, str] = {
    RecordKind.LLM_CALL: "models",
    RecordKind.TOOL_CALL: "tools",
    RecordKind.RETRIEVAL: "retrieval",
}


@dataclass(frozen=True, slots=True)
class _Stretch:
    """Steps in a row that are one line: all of one task, or a single one."""

    steps: tuple[Step, ...]
    task: Span | None
    worked_ns: int
    """Time at work on the path before it."""

    @property
    def took_ns(self) -> int:
        return sum(step.duration_ns for step in self.steps)

    @property
    def waits(self) -> bool:
        return self.steps[0].kind == _WAITING


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
    outline = Outline(causal)
    stretches = list(_stretches(path, outline, every))
    active = sum(one.took_ns for one in stretches if not one.waits)
    shown = stretches if every else _notable(stretches, int(active * _SMALL), most)
    labels = [_label(one, outline, every) for one in shown]
    named = min(_WIDEST_LABEL, max((label.cell_len for label in labels), default=0))
    yield cells(Text(_HEADINGS + fit(Text("task"), named).plain + "  why the next one waited", style="dim"))
    for stretch, label in zip(shown, labels, strict=True):
        first = _times(stretch, path.start_ns, active).append_text(fit(label, named)).append("  ")
        for piece in wrap(_said(stretch, outline), width - first.cell_len):
            yield cells(first, piece)
            first = Text(" " * first.cell_len)
    hidden = len(stretches) - len(shown)
    if hidden:
        took = sum(one.took_ns for one in stretches) - sum(one.took_ns for one in shown)
        yield Text(f"{duration(took):>18}         {count(hidden, 'shorter step')} in between", style="dim")
    yield Text("")
    yield from wrap(_made_of(path, active), width)


def _stretches(path: CriticalPath, outline: Outline, every: bool) -> Iterator[_Stretch]:
    run: list[Step] = []
    worked = 0
    for step in path:
        if run and (every or not _together(run[-1], step, outline)):
            yield (stretch := _Stretch(tuple(run), _belongs(run[0], outline), worked))
            worked += 0 if stretch.waits else stretch.took_ns
            run = []
        run.append(step)
    yield _Stretch(tuple(run), _belongs(run[0], outline), worked)


def _together(one: Step, following: Step, outline: Outline) -> bool:
    task = _belongs(one, outline)
    return task is not None and task is _belongs(following, outline)


def _belongs(step: Step, outline: Outline) -> Span | None:
    """The task that a step is the work of."""
    return outline.task(step.span) if step.kind == _SPAN and step.span is not None else None


def _notable(stretches: Sequence[_Stretch], small_ns: int, most: int | None) -> list[_Stretch]:
    long = [one for one in stretches if one.waits or one.took_ns > small_ns]
    if most is None or len(long) <= most:
        return long
    longest = sorted(range(len(long)), key=lambda i: (not long[i].waits, -long[i].took_ns))[:most]
    return [long[i] for i in sorted(longest)]


def _times(stretch: _Stretch, begin: int, active: int) -> Text:
    took = stretch.took_ns
    drawn = "·" * _BAR if stretch.waits else bar([(stretch.worked_ns, stretch.worked_ns + took)], 0, active, _BAR)
    return Text.assemble(
        fit(Text(offset(stretch.steps[0].start_ns - begin), style="dim"), 9, "right"),
        fit(Text(duration(took)), 9, "right"),
        fit(Text("" if stretch.waits else share(took, active), style="dim"), 5, "right"),
        "  ",
        (drawn, _style(stretch)),
        "  ",
    )


def _style(stretch: _Stretch) -> str:
    longest = max(stretch.steps, key=lambda step: step.duration_ns)
    if stretch.waits:
        return "yellow"
    return kind_style(longest.span) if longest.kind == _SPAN and longest.span is not None else "dim"


def _label(stretch: _Stretch, outline: Outline, every: bool) -> Text:
    step = stretch.steps[0]
    if step.kind != _SPAN or step.span is None:
        return Text(step.kind, style=_style(stretch))
    if stretch.task is None or every:
        return Text(outline.path_label(step.span), style=_style(stretch))
    return Text(outline.label(stretch.task), style="cyan")


def _said(stretch: _Stretch, outline: Outline) -> Text:
    """Why the next step waited, and what the task spent its time on."""
    parts = [Text(plain(stretch.steps[-1].why))] if stretch.steps[-1].why else []
    spent: Counter[str] = Counter()
    for step in stretch.steps:
        if step.span is not None and step.span is not stretch.task and stretch.task is not None:
            spent[outline.label(step.span)] += step.duration_ns
    did = [f"{name} {duration(took)}" for name, took in spent.most_common(3) if took * 10 > stretch.took_ns]
    if did and len(stretch.steps) > 1:
        parts.append(Text(f"· {listing(did)}", style="dim"))
    return joined(parts)


def _made_of(path: CriticalPath, active: int) -> Text:
    took: Counter[str] = Counter()
    for step in path:
        took[_group(step)] += step.duration_ns
    waiting = took.pop(_WAITING, 0)
    parts = [Text(f"{duration(active)} at work: ", style="bold")]
    made = [f"{name} {duration(ns)} ({share(ns, active)})" for name, ns in took.most_common() if ns]
    parts.append(Text(", ".join(made)))
    if waiting:
        parts.append(Text(f"; {duration(waiting)} waiting for input", style="yellow"))
    return joined(parts, "")


def _group(step: Step) -> str:
    if step.kind != _SPAN or step.span is None:
        return step.kind
    kind = step.span.record_kind
    return _GROUPS.get(kind, "other spans" if kind is None else "own code")
