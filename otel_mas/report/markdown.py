"""Error reports as Markdown, for an issue or a chat. Recorded text stands in code, where nothing in it is markup."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from otel_mas.analyse.error_report import ErrorReport
from otel_mas.errors.printable import printable
from otel_mas.report.error_sections import sections, title
from otel_mas.report.text import local_time

_TICKS = re.compile("`+")


def errors(reports: Sequence[ErrorReport]) -> str:
    """A document with a part for each error."""
    if not reports:
        return "No error was recorded.\n"
    return "\n".join(line for report in reports for line in _lines(report))


def _lines(report: ErrorReport) -> Iterator[str]:
    yield f"# {_code(title(report))}"
    yield ""
    yield f"{local_time(report.span.last_ns)}"
    for section in sections(report):
        yield ""
        if section.heading:
            yield f"## {section.heading}"
            yield ""
        for name, text in section.rows:
            yield f"- {_code(name) if section.heading else name}: {_code(text)}"
        if section.block is not None:
            fence = "`" * max(3, _longest(section.block) + 1)
            yield f"{fence}text"
            yield "\n".join(printable(line) for line in section.block.splitlines())
            yield fence
    yield ""


def _code(text: str) -> str:
    """Inline code, whatever ticks are in it."""
    ticks = "`" * (_longest(text) + 1)
    blank = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{ticks}{blank}{text}{blank}{ticks}" if text else ""


def _longest(text: str) -> int:
    return max(map(len, _TICKS.findall(text)), default=0)


__all__ = ["errors"]
