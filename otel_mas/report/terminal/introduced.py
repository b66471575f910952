"""Provenance of a text, for people: the first writer, the way it took, and where it was last seen."""

from __future__ import annotations

from collections.abc import Iterator

from rich.text import Text

from otel_mas.analyse.introduced import Introduction, TextUse
from otel_mas.causal import CausalGraph
from otel_mas.report.task_labels import TaskLabels
from otel_mas.report.terminal.lines import fit, wrap
from otel_mas.report.text import offset, plain

_MOST = 12


def introduced(found: Introduction, causal: CausalGraph, width: int) -> Iterator[Text]:
    """A sentence, then a line for each that wrote or read it."""
    labels = TaskLabels(causal)
    yield from wrap(Text(_sentence(found, labels), style="bold"), width)
    start = min((span.start_ns for span in causal.roots), default=0)
    for use in found.uses[:_MOST]:
        line = Text.assemble((f"{offset(use.time_ns - start):>9}  ", "dim"), "wrote  " if use.wrote else "read   ")
        line.append(_label(use, labels))
        line.append(f"  span {use.span}", "dim")
        yield fit(line, width)
    left = len(found.uses) - _MOST
    if left > 0:
        yield Text(f"and {left} more; --json lists all of them", style="dim")


def _sentence(found: Introduction, labels: TaskLabels) -> str:
    text, first, last = f"“{plain(found.text)}”", found.first, found.last
    if not found.known:
        return f"The recording has no content, so it cannot tell who wrote {text} (OTEL_MAS_CONTENT)."
    if first is None and last is None:
        came = (
            "came with what the run was given; no agent wrote or read it" if found.given else "is nowhere in this run"
        )
        return f"{text} {came}."
    origin = "came from outside" if found.given or first is None else f"was first written by {_label(first, labels)}"
    if found.in_answer:
        return f"{text} {origin}, and the answer has it."
    seen = f"last seen in {_label(last, labels)}" if last is not None else ""
    dropped = f", dropped at {labels.path_label(labels.causal.span(found.dropped))}" if found.dropped else ""
    return f"{text} {origin}; the answer does not have it: {seen}{dropped}."


def _label(use: TextUse, labels: TaskLabels) -> str:
    return labels.path_label(labels.causal.span(use.span))


__all__ = ["introduced"]
