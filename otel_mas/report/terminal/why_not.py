"""Why an agent did not act, for people."""

from __future__ import annotations

from collections.abc import Iterator

from rich.text import Text

from otel_mas.analyse.why_not import WhyNot, WhyNotKind
from otel_mas.causal import CausalGraph
from otel_mas.report.task_labels import TaskLabels
from otel_mas.report.terminal.lines import fit, wrap
from otel_mas.report.text import listing, offset, plain

_MOST_SPANS = 10
_MOST_OTHERS = 5


def why_not(answer: WhyNot, causal: CausalGraph, width: int) -> Iterator[Text]:
    """The sentence, then the spans that show it, the other ways, and names that resemble an unknown one."""
    yield from wrap(Text(plain(answer.sentence), style="bold"), width)
    yield Text(f"{answer.kind} · {answer.provenance}", style="dim")
    if answer.spans:
        yield Text("")
        yield from _evidence(answer, causal, width)
    if answer.others:
        yield Text("")
        yield Text("Other ways to it:", style="dim")
        for other in answer.others[:_MOST_OTHERS]:
            yield from wrap(Text(f"  it {plain(other)}"), width)
        if len(answer.others) > _MOST_OTHERS:
            yield Text(f"  and {len(answer.others) - _MOST_OTHERS} more; --json lists all of them", style="dim")
    if answer.kind in (WhyNotKind.NOT_DEFINED, WhyNotKind.UNKNOWN) and answer.known:
        yield Text("")
        yield from wrap(Text(f"Names in this run: {listing([plain(name) for name in answer.known], 10)}"), width)


def _evidence(answer: WhyNot, causal: CausalGraph, width: int) -> Iterator[Text]:
    labels = TaskLabels(causal)
    start = min((span.start_ns for span in causal.roots), default=0)
    for span in answer.spans[:_MOST_SPANS]:
        when = f"{offset(span.start_ns - start):>9}"
        line = Text.assemble((f"{when}  ", "dim"), labels.path_label(span), (f"  span {span.span_id}", "dim"))
        yield fit(line, width)
    if len(answer.spans) > _MOST_SPANS:
        yield Text(f"and {len(answer.spans) - _MOST_SPANS} more spans; --json lists all of them", style="dim")


__all__ = ["why_not"]
