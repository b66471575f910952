"""Secrets on other lines than their names, or in other columns: blocks of YAML, tables of Markdown and CSV."""

from __future__ import annotations

import re
from functools import lru_cache

Span = tuple[int, int]

_BLOCK = re.compile(r"[\w.\-]{0,40}[\"']?[ \t]*+:[ \t]*+(?P<style>[|>][-+\d]*)?[ \t]*+(?:\#[^\n]*)?\r?\n")
_BLOCK_BEFORE = re.compile(r"(?P<indent>[ \t]*(?:-[ \t]+)*)[\"']?[\w.\-]*\Z")
_RULER = re.compile(r"(?=[^-]*-)[\s|:+=-]*+")
_CELL = re.compile(r"[\s*_`\"']*[\w .\-]{1,40}[\s*_`\"']*")
_ROW_BEFORE = re.compile(r"\s*+(?:\|[^\n]*)?\|?[\s*_`]*+[\w.\-]*\Z")
_ROW = re.compile(r"[\w .\-]{0,40}[*_`]{0,3}[ \t]*\|[ \t]*[*_`]{0,3}(?P<bare>[^|\n]*[^|\s])")
_MAX_ROWS = 10_000
_MAX_LINE = 2000

Columns = dict[tuple[str, int, int], int]
"""Ends of the columns of tables looked at so far, by separator, number of the column and number of columns."""


@lru_cache(maxsize=64)
def _deeper(indent: int) -> re.Pattern[str]:
    line = rf"(?:[ \t]{{{indent + 1},}}|[ \t]{{{indent}}}-[ \t])[^\n]*"
    return re.compile(rf"\s*?(?P<lines>{line}(?:\n+{line})*)")


def block_below(text: str, place: int, end: int) -> list[Span]:
    """The lines below a name that are indented deeper: a block or a mapping of YAML."""
    match = _BLOCK.match(text, end)
    if match is None:
        return []
    before = _BLOCK_BEFORE.fullmatch(text, text.rfind("\n", 0, place) + 1, place)
    if before is None:
        return []
    block = _deeper(len(before["indent"])).match(text, match.end())
    if block is None:
        return []
    start, last = block.span("lines")
    return [(start + len(block["lines"]) - len(block["lines"].lstrip()), last)]


def table_cells(text: str, place: int, end: int, columns: Columns) -> list[Span]:
    """The value beside a name in a row of a table, or the values in the column below one: Markdown or CSV.

    Args:
        text, place, end: where the name is.
        columns: the columns that have been looked at.
    """
    first = text.rfind("\n", max(0, place - _MAX_LINE), place) + 1
    after = text.find("\n", end, end + _MAX_LINE)
    after = len(text) if after < 0 else after
    if after - first > _MAX_LINE:
        return []
    line = text[first:after]
    if "|" not in line:
        return _column(text, first, line, place, ",", columns) if "," in line and after < len(text) else []
    spans = _column(text, first, line, place, "|", columns)
    if not spans and _ROW_BEFORE.fullmatch(text, first, place):
        match = _ROW.match(text, end)
        return [] if match is None or _RULER.fullmatch(match["bare"]) else [match.span("bare")]
    return spans


def _column(text: str, first: int, line: str, place: int, by: str, columns: Columns) -> list[Span]:
    """The cells below the header that is at that place; none where the line is no header."""
    column = line.count(by, 0, place - first)
    cells = line.split(by)
    if _CELL.fullmatch(cells[column]) is None or (by == "," and not all(map(_CELL.fullmatch, cells))):
        return []
    key = by, column, len(cells)
    if first < columns.get(key, 0):  # below another header: a text of headers alone would take quadratic time
        return []
    spans: list[Span] = []
    start = first + len(line) + 1
    ruled = by == ","
    for _ in range(_MAX_ROWS):
        end = text.find("\n", start)
        row = text[start : len(text) if end < 0 else end]
        found = row.split(by)
        if len(found) != len(cells):
            break
        if by == "|" and _RULER.fullmatch(row):
            ruled = True
        elif not ruled:
            return []
        else:
            left = start + sum(map(len, found[:column])) + column
            cell = found[column]
            if cell.strip():
                spans.append((left + len(cell) - len(cell.lstrip()), left + len(cell.rstrip())))
        if end < 0:
            break
        start = end + 1
    columns[key] = start
    return spans


__all__ = ["Columns", "Span", "block_below", "table_cells"]
