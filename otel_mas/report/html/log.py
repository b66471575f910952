"""The interaction log as a table; long texts are folded."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from otel_mas.analyse.log import Entry, EntryKind
from otel_mas.report.entry_words import facts, headline
from otel_mas.report.html.block import Head, folded, left_out, table
from otel_mas.report.markup import Child, Markup, element, text
from otel_mas.report.text import beginning, count, offset, plain

_LONG, _MOST_LINES, _LONGEST = 240, 4, 20_000
_HEADS = (
    Head("when", numeric=True),
    Head("task"),
    Head("what"),
    Head("content", text=True),
    Head(""),
)
_TONES = {
    EntryKind.ERROR: "om-bad",
    EntryKind.QUESTION: "om-wait",
    EntryKind.HUMAN_INPUT: "om-wait",
    EntryKind.RETRY: "om-wait",
}


def log(found: Sequence[Entry], begin: int, most: int = 500) -> Markup:
    """A row for each entry, in causal order; at most so many."""
    rows = table(_HEADS, (list(_row(one, begin)) for one in found[:most]))
    hidden = len(found) - most
    return text(rows, left_out([count(hidden, "later entry", "later entries")] if hidden > 0 else []))


def _row(one: Entry, begin: int) -> Iterator[Child]:
    yield offset(one.time_ns - begin)
    yield plain(one.task)
    yield element("span", headline(one), class_=_TONES.get(one.kind))
    yield _content(one)
    yield element("span", " · ".join(facts(one)), class_="om-dim") if any(facts(one)) else None


def _content(one: Entry) -> Child:
    phrase = (one.text or "").strip()
    if not phrase:
        return None
    if len(phrase) <= _LONG and phrase.count("\n") < _MOST_LINES:
        return element("div", phrase, class_="om-message")
    first = " ".join(phrase[: 2 * _LONG].split())
    size = f"{len(phrase):,} characters"
    summary = text(f"{first[: _LONG // 2].rstrip()}… ", element("span", size, class_="om-dim"))
    return folded(summary, element("div", beginning(phrase, _LONGEST), class_="om-message"))


__all__ = ["log"]
