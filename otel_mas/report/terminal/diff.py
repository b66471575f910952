"""The diff of two runs, or of two sets of runs, on a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.text import Text

from otel_mas.analyse.diff import RunDiff, SetDiff
from otel_mas.report import diff_tables as tables
from otel_mas.report.tables import Table
from otel_mas.report.terminal.lines import fit, wrap
from otel_mas.report.terminal.table import grid
from otel_mas.report.terminal.table import table as table_lines
from otel_mas.report.text import count, plain

_ANSWERS = 5
"""The column from which on answers are."""
_STYLES = {"+": "green", "-": "red", "~": "yellow"}


def diff(found: RunDiff, outputs: Sequence[str | None], width: int, *, every: bool = False) -> Iterator[Text]:
    """The line that sums it up, both runs, and the steps that differ; if asked for all steps."""
    yield from wrap(Text(plain(found.summary), style="bold"), width)
    yield Text("")
    yield from table_lines(tables.totals(found, outputs), width)
    shown = tables.steps(found, most=None if every else tables.MOST, every=every)
    if shown.rows:
        yield Text("")
        yield from _steps(shown, width)
    if shown.left_out:
        yield Text(f"and {count(shown.left_out, 'more step')}; --all lists them", style="dim")
    for note in shown.notes:
        yield from wrap(Text(note, style="dim"), width)
    for title, edges in tables.causes(found):
        yield from wrap(Text(f"{title}: {edges}"), width)


def set_diff(found: SetDiff, width: int, *, every: bool = False) -> Iterator[Text]:
    """The line that sums it up, and the steps that changed; if asked for all steps."""
    yield from wrap(Text(plain(found.summary), style="bold"), width)
    shown = tables.set_steps(found, most=None if every else tables.MOST, every=every)
    if shown.rows:
        yield Text("")
        yield from grid(shown.heads, list(map(_marked, shown.rows)), width)
    if shown.left_out:
        yield Text(f"and {count(shown.left_out, 'more step')}; --all lists them", style="dim")
    for note in shown.notes:
        yield from wrap(Text(note, style="dim"), width)


def _steps(shown: Table, width: int) -> Iterator[Text]:
    """A line for each step, and below it what it answered in each run."""
    head, *lines = grid(shown.heads[:_ANSWERS], [_marked(row[:_ANSWERS]) for row in shown.rows], width)
    yield head
    for line, row in zip(lines, shown.rows, strict=True):
        yield line
        for sign, answer in zip("-+", row[_ANSWERS:], strict=True):
            if answer:
                yield fit(Text(f"   {sign} {answer}", style=_STYLES[sign]), min(width, len(answer) + 5))


def _marked(row: Sequence[str]) -> list[Text]:
    """Mark and name in the colour of the mark."""
    style = _STYLES.get(row[0], "")
    return [Text(cell, style=style if column < 2 else "") for column, cell in enumerate(row)]


__all__ = ["diff", "set_diff"]
