"""Error reports for people at a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.text import Text

from otel_mas.analyse.error_report import ErrorReport
from otel_mas.errors.printable import printable
from otel_mas.report.error_sections import Section, sections, title
from otel_mas.report.terminal.lines import fit, wrap

_WIDEST = 32
_MOST_LINES = 60


def errors(reports: Sequence[ErrorReport], width: int) -> Iterator[Text]:
    """Each error with its sections; of a stack the first and the last lines."""
    if not reports:
        yield Text("No error was recorded. `otel-mas traces --status error` lists the runs that failed.")
    for number, report in enumerate(reports):
        if number:
            yield Text("")
            yield Text("─" * min(width, 40), style="dim")
        yield from wrap(Text(f"✗ {title(report)}", style="bold red"), width)
        for section in sections(report):
            if section.heading:
                yield Text("")
                yield Text(section.heading, style="bold")
            yield from _rows(section, width)
            yield from _block(section, width)


def _rows(section: Section, width: int) -> Iterator[Text]:
    names = min(_WIDEST, max((Text(name).cell_len for name, _ in section.rows), default=0))
    for name, text in section.rows:
        first, *more = wrap(Text(text), max(24, width - names - 4))
        yield Text.assemble("  ", fit(Text(name, style="dim"), names), "  ", first)
        yield from (Text.assemble(" " * (names + 4), piece) for piece in more)


def _block(section: Section, width: int) -> Iterator[Text]:
    lines = [printable(line) for line in section.block.splitlines()] if section.block is not None else []
    left_out = len(lines) - _MOST_LINES
    half = _MOST_LINES // 2
    for number, line in enumerate(lines):
        if left_out > 0 and number == half:
            yield Text(f"  … {left_out} lines; --format markdown and --json have all of them", style="dim")
        if left_out <= 0 or number < half or number >= len(lines) - half:
            yield fit(Text(f"  {line}"), width)


__all__ = ["errors"]
