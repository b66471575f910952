"""Tables on the terminal: columns that say something, as wide as their cells, cut to what fits."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence

from rich.text import Text

from otel_mas.report.tables import Head, Table
from otel_mas.report.terminal.lines import STATUS_STYLES, cells, fit, wrap
from otel_mas.report.text import count

_NARROWEST = 12
_GAP = 2
_STYLES = {**STATUS_STYLES, "failed": "red", "higher": "bold red", "lower": "bold green", "cannot tell": "dim"}


def table(found: Table, width: int) -> Iterator[Text]:
    """The headings, a line for each row, what was left out, and the notes."""
    if not found.rows:
        yield Text(f"No {found.noun} matches.")
        return
    rows = [[Text(cell, style=_STYLES.get(cell, "")) for cell in row] for row in found.rows]
    yield from grid(found.heads, rows, width)
    if found.left_out:
        yield Text(f"and {count(found.left_out, f'more {found.noun}')}; --all lists them", style="dim")
    for note in found.notes:
        yield from wrap(Text(note, style="dim"), width)


def grid(
    heads: Sequence[Head],
    rows: Sequence[Sequence[str | Text]],
    width: int,
    *,
    titled: bool = False,
    keep_empty: bool = False,
) -> Iterator[Text]:
    """The headings and a line for each row; `titled`: the first heading is the title of the table.

    Columns that are empty in all rows are left out, unless `keep_empty`. If not all fit, `optional` ones are left out,
    the last first, then `text` ones give way, the widest first.
    """
    headings = [Text(head.title, "bold" if titled and not place else "dim") for place, head in enumerate(heads)]
    lines = [headings, *([Text(cell) if isinstance(cell, str) else cell for cell in row] for row in rows)]
    widths = {
        place: min(max(line[place].cell_len for line in lines), head.widest or sys.maxsize)
        for place, head in enumerate(heads)
        if keep_empty or any(line[place] for line in lines[1:])
    }
    _narrow(widths, heads, width)
    for line in lines:
        fitted = [fit(line[at], wide, "right" if heads[at].numeric else "left") for at, wide in widths.items()]
        yield cells(Text(" " * _GAP).join(fitted))


def _narrow(widths: dict[int, int], heads: Sequence[Head], width: int) -> None:
    """Make the columns fit, as far as they give way."""

    def excess() -> int:
        return sum(widths.values()) + _GAP * (len(widths) - 1) - width

    for place in [place for place in reversed(widths) if heads[place].optional]:
        if excess() <= 0:
            return
        del widths[place]
    able = [place for place in widths if heads[place].text]
    while excess() > 0 and able:
        widest = max(able, key=widths.__getitem__)
        if widths[widest] <= _NARROWEST:
            return
        widths[widest] -= 1


__all__ = ["grid", "table"]
