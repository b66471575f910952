"""The diff of two runs, or of two sets of runs, as HTML."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from otel_mas.analyse.diff import RunDiff, SetDiff
from otel_mas.report import diff_tables as tables
from otel_mas.report.html.block import left_out, table
from otel_mas.report.html.page import document
from otel_mas.report.html.words import words
from otel_mas.report.markup import Child, Markup, element, text
from otel_mas.report.text import count, plain

_TONES = {"+": "om-good", "-": "om-bad", "~": "om-wait"}
_MOST_ON_A_PAGE = 2_000


def diff(found: RunDiff, outputs: Sequence[str | None], most: int = tables.MOST) -> Markup:
    """The line that sums it up, both runs, and the steps that differ."""
    return text(element("p", element("strong", plain(found.summary))), list(_parts(found, outputs, most)))


def page(found: RunDiff, outputs: Sequence[str | None], made_by: str) -> str:
    """The whole document."""
    heading = "Two runs, step by step"
    return document(heading, [element("h1", heading), diff(found, outputs, _MOST_ON_A_PAGE)], made_by)


def set_diff(found: SetDiff, most: int = tables.MOST) -> Markup:
    """The line that sums up two sets of runs, and the steps that changed."""
    shown = tables.set_steps(found, most=most)
    return text(element("p", element("strong", plain(found.summary))), words(shown) if shown.rows else None)


def set_page(found: SetDiff, made_by: str) -> str:
    """The whole document about two sets of runs."""
    heading = "Two sets of runs, step by step"
    return document(heading, [element("h1", heading), set_diff(found, _MOST_ON_A_PAGE)], made_by)


def _parts(found: RunDiff, outputs: Sequence[str | None], most: int) -> Iterator[Child]:
    yield words(tables.totals(found, outputs))
    shown = tables.steps(found, most=most)
    if shown.rows:
        marked = [[element("span", row[0], class_=_TONES.get(row[0])), *row[1:]] for row in shown.rows]
        yield table(shown.heads, marked)
    yield left_out([count(shown.left_out, "more step")] if shown.left_out else [])
    yield from (element("p", note, class_="om-dim") for note in shown.notes)
    yield from (element("p", f"{title}: {edges}") for title, edges in tables.causes(found))


__all__ = ["diff", "page", "set_diff", "set_page"]
