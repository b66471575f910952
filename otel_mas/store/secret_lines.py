"""Secrets on other lines than their names, or in other columns: blocks of YAML, tables of Markdown and CSV."""

from __future__ import annotations

import re
from functools import lru_cache

Span = tuple[int, int]

_BLOCK = re.compile(r"[\w.\-]{0,40}[\"']?[ \t]*:[ \t]*(?P<style>[|>][-+\d]*)?[ \t]*(?:\#[^\n]*)?\r?\n")
_BLOCK_BEFORE = re.compile(r"(?P<indent>[ \t]*(?:-[ \t]+)*)[\"']?[\w.\-]*\Z")
_RULER = re.compile(r"[\s|:+=-]*-[\s|:+=-]*")
_CELL = re.compile(r"[\s*_`\"']*[\w .\-]{1,40}[\s*_`\"']*")
_ROW_BEFORE = re.compile(r"\s*(?:\|[^\n]*)?\|?[\s*_`]*[\w.\-]*\Z")
_ROW = re.compile(r"[\w .\-]{0,40}[*_`]{0,3}[ \t]*\|[ \t]*[*_`]{0,3}(?P<bare>[^|\n]*[^|\s])")
_MAX_ROWS = 10_000


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


def table_cells(text: str, place: int, end: int) -> list[Span]:
    """The value beside a name in a row of a table, or the values in the column below one: Markdown or CSV."""
    after = text.find("\n", end)
    first, after = text.rfind("\n", 0, place) + 1, len(text) if after < 0 else after
    if after - first > 2000:
        return []
    line = text[first:after]
    if "|" not in line:
        return _column(text, first, line, place, ",") if "," in line and after < len(text) else []
    spans = _column(text, first, line, place, "|")
    if not spans and _ROW_BEFORE.fullmatch(text, first, place):
        match = _ROW.match(text, end)
        return [] if match is None or _RULER.fullmatch(match["bare"]) else [match.span("bare")]
    return spans


def _column(text: str, first: int, line: str, place: int, by: str) -> list[Span]:
    """The cells below the header that is at that place; none where the line is no header."""
    column = line.count(by, 0, place - first)
    cells = line.split(by)
    if _CELL.fullmatch(cells[column]) is None or (by == "," and not all(map(_CELL.fullmatch, cells))):
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
    return spans


__all__ = ["Span", "block_below", "table_cells"]
