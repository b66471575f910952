"""Error reports as HTML: the sections that the terminal has, the long ones folded."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from otel_mas.analyse.error_report import ErrorReport
from otel_mas.report.error_sections import Section, sections, title
from otel_mas.report.html.block import folded
from otel_mas.report.html.page import document
from otel_mas.report.markup import Child, Markup, element
from otel_mas.report.text import count, local_time

_OPENED = ("", "Stack", "Source", "Message")
_MOST = 20


def errors(reports: Sequence[ErrorReport], most: int = _MOST) -> Markup:
    """A part for each error, at most so many."""
    if not reports:
        return element("p", "No error was recorded.")
    parts = [element("section", _parts(report)) for report in reports[:most]]
    hidden = len(reports) - most
    more = element("p", f"Left out: {count(hidden, 'more error')}.", class_="om-dim") if hidden > 0 else None
    return element("div", parts, more)


def page(reports: Sequence[ErrorReport], made_by: str) -> str:
    """The whole document, with all of them."""
    named = title(reports[0]) if len(reports) == 1 else count(len(reports), "error")
    return document(named, [element("h1", named), errors(reports, len(reports))], made_by)


def _parts(report: ErrorReport) -> Iterator[Child]:
    yield element("h3", title(report), class_="om-bad")
    yield element("p", local_time(report.span.last_ns), class_="om-dim")
    for section in sections(report):
        content = _content(section)
        if section.heading in _OPENED:
            yield from [element("h4", section.heading), content] if section.heading else [content]
        else:
            yield folded(section.heading, content)


def _content(section: Section) -> Markup:
    if section.block is not None:
        return element("pre", section.block)
    return element("dl", [element("div", element("dt", name), element("dd", words)) for name, words in section.rows])


__all__ = ["errors", "page"]
