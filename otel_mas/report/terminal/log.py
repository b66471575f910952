"""The interaction log for people: time, task, arrow, and the first lines of what was said."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from rich.text import Text

from otel_mas.analyse.log import Entry, EntryKind
from otel_mas.model.instants import instant
from otel_mas.report.entry_words import facts, headline
from otel_mas.report.terminal.lines import cells, fit
from otel_mas.report.text import count, offset, plain

_WIDEST_TASK, _LEAST_TASK = 30, 8
_MOST_LINES = 3
_INDENT = "  "
_STYLES = {
    EntryKind.RUN_START: "bold",
    EntryKind.RUN_END: "bold",
    EntryKind.PROMPT: "magenta",
    EntryKind.ANSWER: "magenta",
    EntryKind.TOOL_CALL: "blue",
    EntryKind.TOOL_RESULT: "blue",
    EntryKind.RETRIEVAL: "blue",
    EntryKind.QUESTION: "yellow",
    EntryKind.HUMAN_INPUT: "yellow",
    EntryKind.RETRY: "yellow",
    EntryKind.ERROR: "bold red",
    EntryKind.STATE: "dim",
    EntryKind.LOG: "dim",
}


def log(entries: Iterable[Entry], width: int, begin_ns: int | None, *, full: bool = False) -> Iterator[Text]:
    """Lines for each entry, as they come.

    Args:
        entries: in causal order.
        width: cells of a line.
        begin_ns: times are shown as distances from here; as local times where it is None.
        full: all lines of their text, instead of the first ones.
    """
    widest = min(_WIDEST_TASK, max(_LEAST_TASK, width // 4))
    for entry in entries:
        when = _clock(entry.time_ns) if begin_ns is None else offset(entry.time_ns - begin_ns)
        start = Text.assemble(fit(Text(when, style="dim"), 12 if begin_ns is None else 9, "right"), "  ")
        start.append_text(fit(Text(_task(entry, widest), style="cyan"), widest)).append("  ")
        line = start.copy().append(headline(entry), style=_STYLES.get(entry.kind, ""))
        lines = [phrase for one in (entry.text or "").split("\n") if (phrase := plain(one))]
        noted = " · ".join(facts(entry))
        if len(lines) == 1 and line.cell_len + len(lines[0]) + len(noted) + 6 <= width:
            line.append(f"  {lines.pop()}")
        if noted:
            line.append(f"  · {noted}", style="dim")
        yield cells(fit(line, width)) if line.cell_len > width else cells(line)
        margin = Text(" " * (start.cell_len) + _INDENT)
        shown = lines if full or len(lines) <= _MOST_LINES + 1 else _first(entry, lines)
        for phrase in shown:
            yield from _text(margin, phrase, width, full)
        if len(lines) > len(shown):
            yield cells(margin, (f"… {count(len(lines) - len(shown), 'more line')}", "dim"))


def _first(entry: Entry, lines: list[str]) -> list[str]:
    """The first lines of a text; of a state those that name the channels, where its values have several lines."""
    if entry.kind is EntryKind.STATE:
        named = tuple(f"{plain(channel)}{after}" for channel in entry.channels for after in (": ", ", "))
        lines = [one for one in lines if one.startswith(named)]
    return lines[:_MOST_LINES]


def _text(margin: Text, phrase: str, width: int, full: bool) -> Iterator[Text]:
    room = max(24, width - margin.cell_len)
    if not full:
        yield cells(margin, fit(Text(phrase), room))
        return
    from otel_mas.report.terminal.lines import wrap

    for piece in wrap(Text(phrase), room):
        yield cells(margin, piece)


def _task(entry: Entry, widest: int) -> str:
    """The end of a long label: its outer tasks are above it."""
    label = plain(entry.task)
    return label if len(label) <= widest else f"…{label[1 - widest :]}"


def _clock(ns: int) -> str:
    return f"{instant(ns):%H:%M:%S}.{ns // 1_000_000 % 1000:03}"


__all__ = ["log"]
