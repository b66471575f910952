"""A what-if for people: the new end and cost, the new critical path, what it rests on, and slack."""

from __future__ import annotations

from collections.abc import Iterator

from rich.text import Text

from otel_mas.analyse.what_if import WhatIf
from otel_mas.causal import CausalGraph
from otel_mas.report import what_if_tables as tables
from otel_mas.report.terminal.lines import wrap
from otel_mas.report.terminal.path import critical_path
from otel_mas.report.terminal.table import grid, table

_MOST_STEPS = 20


def what_if(answer: WhatIf, causal: CausalGraph, width: int) -> Iterator[Text]:
    """All of it; without a change slack and the ideal are what there is to say."""
    if answer.changes:
        yield from wrap(Text(tables.headline(answer), style="bold"), width)
        yield Text("")
        found = tables.totals(answer)
        yield from grid(found.heads, found.rows, width)
        yield from (piece for note in found.notes for piece in wrap(Text(note, style="dim"), width))
        yield Text("")
        yield Text("The new critical path", style="bold")
        path = answer.schedule.critical_path()
        yield from critical_path(answer.schedule.graph, path, width, most=_MOST_STEPS)
        edges = tables.assumptions(answer, causal)
        if edges.rows:
            yield Text("")
            yield from table(edges, width)
    else:
        yield from wrap(Text(tables.ideal_phrase(causal, answer)), width)
    slack = tables.slack(answer, causal)
    if slack.rows:
        yield Text("")
        yield from table(slack, width)


__all__ = ["what_if"]
