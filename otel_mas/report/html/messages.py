"""Messages with writer and readers, as a table; long messages are folded."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from otel_mas.report.html.block import Head, folded, left_out, table
from otel_mas.report.html.span import cut
from otel_mas.report.markup import Child, Markup, element, text
from otel_mas.report.messages import MessageEntry
from otel_mas.report.text import count, listing, offset, plain

_MOST = 500
_LONG, _MOST_LINES, _LONGEST = 240, 4, 20_000
_HEADS = (
    Head("when", numeric=True),
    Head("from"),
    Head("to", text=True),
    Head("role"),
    Head("message", text=True),
)


def messages(found: Sequence[MessageEntry], begin: int) -> Markup:
    """A row for each message, in the order in which they were first written or read."""
    rows = table(_HEADS, (list(_row(one, begin)) for one in found[:_MOST]))
    hidden = len(found) - _MOST
    return text(rows, left_out([count(hidden, "later message")] if hidden > 0 else []))


def _row(one: MessageEntry, begin: int) -> Iterator[Child]:
    yield offset(one.at_ns - begin)
    yield one.writer or element("span", "the app", class_="om-dim")
    yield listing(one.readers, 4) or element("span", "no model", class_="om-dim")
    yield plain(one.role)
    if one.text is None:
        yield element("span", "content not kept", class_="om-dim")
        return
    phrase = one.text.strip()
    if len(phrase) <= _LONG and phrase.count("\n") < _MOST_LINES:
        yield element("div", phrase, class_="om-message")
        return
    first = " ".join(phrase[: 2 * _LONG].split())
    size = f"{len(phrase):,} characters"
    summary = text(f"{first[: _LONG // 2].rstrip()}… ", element("span", size, class_="om-dim"))
    yield folded(summary, element("div", cut(phrase, _LONGEST), class_="om-message"))
