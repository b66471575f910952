"""Parts of every answer in HTML: a block with its styles, lines, tables, and what was left out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from otel_mas.model import Span
from otel_mas.report.html.style import style
from otel_mas.report.markup import Child, Markup, element, number, text
from otel_mas.report.status_words import STATUS_TONES, StatusWords, Tone, outcome, run_status
from otel_mas.report.tables import Head as Head
from otel_mas.report.text import plain
from otel_mas.semconv.enums import RecordKind

KINDS = {
    RecordKind.LLM_CALL: "om-model",
    RecordKind.TOOL_CALL: "om-tool",
    RecordKind.RETRIEVAL: "om-retrieval",
}
_TONES = {
    Tone.GOOD: "om-good",
    Tone.BAD: "om-bad",
    Tone.WAITING: "om-wait",
    Tone.RUNNING: "om-wait",
    Tone.MINOR: "om-dim",
}
STATUSES = {status: _TONES[tone] for status, tone in STATUS_TONES.items()}


def block(*children: Child) -> str:
    """A block that can stand in any page: its styles are its own, and stay inside it."""
    return str(element("div", style(), *children, class_="otel-mas"))


def line(parts: Iterable[Child]) -> Markup:
    """Parts with dots between them."""
    separator = element("span", "·", class_="om-sep", aria_hidden="true")
    drawn: list[Child] = []
    for part in parts:
        drawn.extend((separator, part) if drawn else (part,))
    return element("p", drawn, class_="om-head-line")


def left_out(phrase: Sequence[str]) -> Markup | None:
    """Names what is not shown."""
    return element("p", f"Left out: {'; '.join(phrase)}.", class_="om-dim") if phrase else None


def ended(span: Span) -> Markup | None:
    """How a span ended, where that is worth a word."""
    found = outcome(span)
    return None if found is None else _toned(found)


def run_ended(spans: Sequence[Span]) -> Markup:
    """The status of these traces' last one."""
    return _toned(run_status(spans))


def _toned(found: StatusWords) -> Markup:
    return element("span", found.words, class_=_TONES[found.tone] if found.tone else None)


def named(name: str, span: Span | None) -> Markup:
    """A name with a square in the colour of what the span records."""
    kind = span.record_kind if span is not None else None
    colour = KINDS.get(RecordKind(kind)) if kind in KINDS else "om-mark"
    return text(element("span", class_=f"om-square {colour}", aria_hidden="true"), plain(name))


def _shape(head: Head) -> str | None:
    return "om-num" if head.numeric else "om-text" if head.text else None


def table(heads: Sequence[Head], rows: Iterable[Sequence[Child]], total: Sequence[Child] | None = None) -> Markup:
    """A table; the first cell of each row names it. Columns that say nothing are left out."""
    body = [list(row) for row in rows]
    everything = body if total is None else [*body, list(total)]
    kept = [i for i, _ in enumerate(heads) if any(row[i] for row in everything)]
    shown = [heads[i] for i in kept]
    head = element("tr", [element("th", one.title, scope="col", class_=_shape(one)) for one in shown])
    drawn = [_row([row[i] for i in kept], shown) for row in body]
    if total is not None:
        drawn.append(_row([total[i] for i in kept], shown, "om-total"))
    whole = element("table", element("thead", head), element("tbody", drawn), class_="om-table")
    return element("div", whole, class_="om-scroll")


def _row(cells: Sequence[Child], heads: Sequence[Head], shape: str | None = None) -> Markup:
    drawn = [
        element("td" if position else "th", cell, class_=_shape(head), scope=None if position else "row")
        for position, (cell, head) in enumerate(zip(cells, heads, strict=True))
    ]
    return element("tr", drawn, class_=shape)


def row(start: float, end: float, shape: str) -> Markup:
    """A stretch, given by fractions of the whole, on a line."""
    begin, wide = min(1.0, max(0.0, start)), max(0.0, min(1.0, end) - max(0.0, start))
    placed = f"left:{number(begin * 100)}%;width:{number(wide * 100)}%"
    return element("span", element("span", style=placed, class_=shape), class_="om-track", aria_hidden="true")


def folded(summary: Child, *children: Child) -> Markup:
    """A part that can be unfolded."""
    return element("details", element("summary", summary), *children)
