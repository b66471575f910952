"""One trace as a tree: what ran inside what, when, for how long."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from otel_mas.causal import CausalGraph
from otel_mas.model import Span, StatusCode
from otel_mas.report.decisions import Reasons, decision, reason
from otel_mas.report.forks import forked
from otel_mas.report.html.block import KINDS, Head, ended, left_out, named, row, table
from otel_mas.report.markup import Child, Markup, element, text
from otel_mas.report.message_readers import MessageReaders
from otel_mas.report.task_labels import TaskLabels
from otel_mas.report.text import count, duration, offset, usd
from otel_mas.semconv import attributes as names
from otel_mas.semconv.enums import RecordKind

_DEEPEST = 24
_HEADS = (
    Head("span"),
    Head(""),
    Head("start", numeric=True),
    Head("took", numeric=True),
    Head("tokens", numeric=True),
    Head("cost", numeric=True),
    Head("when"),
)


def tree(causal: CausalGraph, most: int, reasons: Reasons | None = None) -> Markup:
    """The spans, a row each; at most so many: tasks, whatever failed, and the longest.

    `reasons` say why decisions were made.
    """
    spans = causal.spans
    if not spans:
        return element("p", "No span was recorded.")
    labels = TaskLabels(causal)
    remarks = _Remarks(MessageReaders(causal, labels), reasons or {})
    shown = _chosen(spans, most)
    extents = _extents(spans)
    rows = [
        list(_row(span, len(last), labels, remarks, *extents[span.trace_id]))
        for root in causal.roots
        for span, last in labels.walk(root)
        if span.span_id in shown
    ]
    hidden = len(spans) - len(rows)
    return text(table(_HEADS, rows), left_out([count(hidden, "shorter span")] if hidden else []))


def _extents(spans: Sequence[Span]) -> dict[str, tuple[int, int]]:
    """From when until when each trace lasted: each has an axis of its own."""
    found: dict[str, tuple[int, int]] = {}
    for span in spans:
        begin, end = found.get(span.trace_id, (span.start_ns, span.start_ns))
        found[span.trace_id] = min(begin, span.start_ns), max(end, span.start_ns, span.last_ns)
    return found


def _chosen(spans: Sequence[Span], most: int) -> set[str]:
    if len(spans) <= most:
        return {span.span_id for span in spans}
    ranked = sorted(
        spans,
        key=lambda span: (
            span.parent_span_id is not None,
            span.status != StatusCode.ERROR,
            span.task_id is None,
            -span.duration_ns,
        ),
    )
    return {span.span_id for span in ranked[:most]}


def _row(span: Span, depth: int, labels: TaskLabels, remarks: _Remarks, begin: int, end: int) -> Iterator[Child]:
    inset = f"padding-left:{min(depth, _DEEPEST) * 18}px"
    yield element("span", named(labels.title(span), span), style=inset)
    yield remarks.of(span)
    yield offset(span.start_ns - begin)
    yield "" if span.end_ns is None else duration(span.duration_ns)
    yield _tokens(span)
    yield _price(span)
    whole = max(end - begin, 1)
    until = end if span.end_ns is None else span.end_ns
    kind = span.record_kind
    colour = KINDS[RecordKind(kind)] if kind in KINDS else "om-mark"
    yield row((span.start_ns - begin) / whole, (until - begin) / whole, colour)


class _Remarks:
    """Remarks on a span: how it ended, what it decided and why, its fork, whose messages it read."""

    def __init__(self, message_readers: MessageReaders, reasons: Reasons) -> None:
        self._readings = message_readers
        self._reasons = reasons

    def of(self, span: Span) -> Child:
        fork, why, read = forked(span), reason(span, self._reasons), self._readings.of(span)
        parts: list[Child] = [
            decision(span),
            None if why is None else element("span", why, class_="om-dim"),
            ended(span),
            None if fork is None else element("span", fork, class_="om-wait"),
            None if read is None else element("span", read, class_="om-dim"),
        ]
        phrase = [part for part in parts if part is not None]
        return text([text(" " if position else None, part) for position, part in enumerate(phrase)]) if phrase else None


def _tokens(span: Span) -> str:
    read = span.columns.get(names.GEN_AI_USAGE_INPUT_TOKENS)
    wrote = span.columns.get(names.GEN_AI_USAGE_OUTPUT_TOKENS)
    if not isinstance(read, int) and not isinstance(wrote, int):
        return ""
    return f"{read or 0:,}→{wrote or 0:,}"


def _price(span: Span) -> Child:
    cost = span.columns.get(names.MAS_COST_USD)
    if isinstance(cost, int | float):
        simulated = span.columns.get(names.MAS_COST_SIMULATED)
        return text(usd(cost), element("span", " simulated", class_="om-wait") if simulated else None)
    return element("span", "no price", class_="om-wait") if span.columns.get(names.MAS_COST_MISSING) else ""
