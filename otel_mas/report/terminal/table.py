"""A table in words on the terminal: columns that say something, the text in them cut to what fits."""

from __future__ import annotations

from collections.abc import Iterator

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
    shown = [place for place, _ in enumerate(found.heads) if any(row[place] for row in found.rows)]
    widths = _widths(found, shown, width)
    yield _line([Text(found.heads[place].title, style="dim") for place in shown], found, shown, widths)
    for row in found.rows:
        yield _line([Text(row[place], style=_STYLES.get(row[place], "")) for place in shown], found, shown, widths)
    if found.left_out:
        yield Text(f"and {count(found.left_out, f'more {found.noun}')}; --all lists them", style="dim")
    for note in found.notes:
        yield from wrap(Text(note, style="dim"), width)


def _line(parts: list[Text], found: Table, shown: list[int], widths: list[int]) -> Text:
    fitted = [
        fit(part, wide, "right" if found.heads[place].numeric else "left")
        for part, place, wide in zip(parts, shown, widths, strict=True)
    ]
    return cells(Text(" " * _GAP).join(fitted))


def _widths(found: Table, shown: list[int], width: int) -> list[int]:
    """Widths of the columns; those of text give way where not all fit, the widest first."""
    columns = [[found.heads[place].title, *(row[place] for row in found.rows)] for place in shown]
    widths = [max(Text(cell).cell_len for cell in column) for column in columns]
    room = width - _GAP * (len(shown) - 1)
    while sum(widths) > room:
        able = [i for i, place in enumerate(shown) if _gives_way(found.heads[place]) and widths[i] > _NARROWEST]
        if not able:
            break
        widest = max(able, key=lambda i: widths[i])
        widths[widest] -= 1
    return widths


def _gives_way(head: Head) -> bool:
    return head.text


__all__ = ["table"]
