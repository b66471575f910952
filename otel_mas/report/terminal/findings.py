"""Findings of a run, for people: what is wrong, how sure, what shows it, what it cost, what to do."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from rich.text import Text

from otel_mas.analyse.failures import error_outcomes
from otel_mas.causal import CausalGraph
from otel_mas.model import Finding, Severity, Undecided
from otel_mas.report.task_labels import TaskLabels
from otel_mas.report.terminal.lines import fit, wrap
from otel_mas.report.text import count, duration, offset, plain, usd

_MARKS = {Severity.ERROR: ("✗", "bold red"), Severity.WARNING: ("!", "yellow"), Severity.INFO: ("i", "cyan")}
_INDENT = "  "
_MOST_SPANS = 4


def findings(
    found: Sequence[Finding], undecided: Iterable[Undecided], causal: CausalGraph, width: int
) -> Iterator[Text]:
    """Each finding with its evidence, the worst first; then what could not be told."""
    if not found and error_outcomes(causal.spans):
        yield from wrap(
            Text("Nothing was found beside the errors: otel-mas explain and otel-mas error tell of those."), width
        )
    elif not found:
        yield Text("Nothing was found.", style="green")
    labels = TaskLabels(causal)
    for number, one in enumerate(found):
        if number:
            yield Text("")
        yield from _finding(one, labels, width)
    lacking = list(undecided)
    if lacking:
        yield Text("")
        yield Text("This recording cannot tell:", style="dim")
        for each in lacking:
            yield from _indented(Text(f"{each.code}: {plain(each.reason)}.", style="dim"), len(_INDENT), width)


def _finding(one: Finding, labels: TaskLabels, width: int) -> Iterator[Text]:
    mark, style = _MARKS[one.severity]
    yield from wrap(Text.assemble((f"{mark} {plain(one.summary)}.", style)), width)
    sure = f"{one.code} · {one.confidence:.0%} sure · {', '.join(one.rests_on)}"
    yield from _indented(Text(" · ".join([sure, *_costs(one)]), style="dim"), len(_INDENT), width)
    yield from _evidence(one, labels, width)
    if one.advice:
        yield from _indented(Text(f"→ {plain(one.advice)}."), len(_INDENT), width)


def _indented(text: Text, indent: int, width: int) -> Iterator[Text]:
    yield from (Text.assemble(" " * indent, piece) for piece in wrap(text, width - indent))


def _costs(one: Finding) -> Iterator[str]:
    if one.saves_ns:
        yield f"took {duration(one.saves_ns)}"
    if one.saves_usd:
        yield f"cost {usd(one.saves_usd)}"


def _evidence(one: Finding, labels: TaskLabels, width: int) -> Iterator[Text]:
    causal = labels.causal
    start = min((span.start_ns for span in causal.roots), default=0)
    for span_id in one.spans[:_MOST_SPANS]:
        span = causal.span(span_id)
        when = f"{offset(span.start_ns - start):>9}"
        line = Text.assemble((f"{_INDENT}{when}  ", "dim"), labels.path_label(span), (f"  span {span_id}", "dim"))
        yield fit(line, width)
    left = len(one.spans) - _MOST_SPANS
    if left > 0:
        yield Text(f"{_INDENT}and {count(left, 'more span')}; --json lists all of them", style="dim")


__all__ = ["findings"]
