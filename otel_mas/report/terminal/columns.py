"""A table of names and numbers, with the columns that say something and fit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from rich.text import Text

from otel_mas.report.terminal.lines import cells, fit

_WIDEST_NAME = 40


class Column(NamedTuple):
    """A column of numbers, written out; empty where there is nothing to say."""

    heading: str
    cells: Sequence[str]
    style: str = ""

    @property
    def width(self) -> int:
        return 2 + max(map(len, (self.heading, *self.cells)))


def table(title: str, names: Sequence[str], columns: Sequence[Column], width: int) -> Iterator[Text]:
    """The title with the headings, and a line for each name. The first columns stay where not all fit."""
    name_width = min(_WIDEST_NAME, max(Text(name).cell_len for name in (title, *names)))
    shown, room = [], width - name_width
    for column in columns:
        if not any(column.cells):
            continue
        room -= column.width
        if room < 0:
            break
        shown.append(column)
    headings = (Text(f"{column.heading:>{column.width}}", style="dim") for column in shown)
    yield cells(fit(Text(title, style="bold"), name_width), *headings)
    for place, name in enumerate(names):
        numbers = (Text(f"{column.cells[place]:>{column.width}}", style=column.style) for column in shown)
        yield cells(fit(Text(name), name_width), *numbers)


__all__ = ["Column", "table"]
