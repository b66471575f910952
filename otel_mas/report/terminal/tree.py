"""One trace as a tree: what ran inside what, when, for how long."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from rich.text import Text

from otel_mas.analyse.failures import ErrorOutcome, error_outcomes
from otel_mas.analyse.questions import Question
from otel_mas.causal import CausalGraph
from otel_mas.errors.printable import shortened
from otel_mas.model import Span
from otel_mas.report.decisions import Reasons, decision, reason
from otel_mas.report.forks import forked
from otel_mas.report.message_readers import MessageReaders
from otel_mas.report.task_labels import TaskLabels
from otel_mas.report.terminal.lines import bar, cells, fit, joined, kind_style, outcome
from otel_mas.report.terminal.overdue import marks
from otel_mas.report.text import duration, plain, usd
from otel_mas.semconv import attributes as names
from otel_mas.semconv.enums import RecordKind

_BAR = 24
_TOOK = 8
_LEAST_MESSAGE = 24
_ERROR_OUTCOMES = {
    ErrorOutcome.ENDED_THE_RUN: ("ended the run", "bold red"),
    ErrorOutcome.HANDLED: ("handled", "yellow"),
}


def tree(
    causal: CausalGraph,
    width: int,
    asked: Sequence[Question] = (),
    reasons: Reasons | None = None,
    error_messages: Mapping[str, str] | None = None,
) -> Iterator[Text]:
    """The spans of a trace, a line each: the tree, how long each took, and when on a common axis.

    Of the questions that were `asked` the overdue ones are marked; `reasons` say why decisions were made, and
    `error_messages` what went wrong, by span id.
    """
    spans = causal.spans
    if not spans:
        return
    words = _Words(causal, asked, reasons or {}, error_messages or {})
    labels = words.labels
    begin = min(span.start_ns for span in spans)
    end = max(max(span.last_ns, span.start_ns) for span in spans)
    total = end - begin
    room = max(20, width - _TOOK - _BAR - 3)
    axis = fit(Text(duration(total)), _BAR - 1, "right")
    yield cells(fit(Text(""), room + _TOOK + 1), "  ", ("0", "dim"), axis)
    for root in causal.roots:
        for span, last in labels.walk(root):
            guides = Text(_guides(last), style="dim")
            label = guides + words.label(span, room - guides.cell_len)
            took = Text("" if span.end_ns is None else duration(span.duration_ns), style="dim")
            row = bar([(span.start_ns, end if span.end_ns is None else span.end_ns)], begin, total, _BAR)
            yield cells(fit(label, room), " ", fit(took, _TOOK, "right"), "  ", (row, kind_style(span)))


def _guides(last: tuple[bool, ...]) -> str:
    if not last:
        return ""
    above = "".join("   " if ended else "│  " for ended in last[:-1])
    return above + ("└─ " if last[-1] else "├─ ")


class _Words:
    """Text of a span's line."""

    def __init__(
        self, causal: CausalGraph, asked: Sequence[Question], reasons: Reasons, error_messages: Mapping[str, str]
    ) -> None:
        self.labels = TaskLabels(causal)
        self._became: Mapping[tuple[str, str], ErrorOutcome] = error_outcomes(causal.spans)
        self._overdue = marks(asked)
        self._readings = MessageReaders(causal, self.labels)
        self._reasons = reasons
        self._error_messages = error_messages

    def label(self, span: Span, room: int) -> Text:
        """The words for a line of so many cells: an error's message is cut rather than what follows it."""
        whole = self._label(span, message := self._error_messages.get(span.span_id, ""))
        excess = whole.cell_len - room
        if not message or excess <= 0:
            return whole
        return self._label(span, shortened(plain(message), max(_LEAST_MESSAGE, len(plain(message)) - excess)))

    def _label(self, span: Span, error_message: str) -> Text:
        error_outcome = self._became.get((span.trace_id, span.span_id))
        parts = [
            Text(self.labels.title(span), style=kind_style(span)),
            outcome(span, error_message),
            self._overdue.get(span.span_id),
            Text(*_ERROR_OUTCOMES[error_outcome]) if error_outcome in _ERROR_OUTCOMES else None,
            _noted(forked(span), "yellow"),
            *(_usage(span) if span.record_kind == RecordKind.LLM_CALL else ()),
            _noted(decision(span)),
            _noted(reason(span, self._reasons), "dim"),
            _noted(self._readings.of(span), "dim"),
        ]
        return joined([part for part in parts if part is not None])


def _noted(phrase: str | None, style: str = "") -> Text | None:
    return None if phrase is None else Text(phrase, style=style)


def _usage(span: Span) -> Iterator[Text]:
    read = span.columns.get(names.GEN_AI_USAGE_INPUT_TOKENS)
    written = span.columns.get(names.GEN_AI_USAGE_OUTPUT_TOKENS)
    if read is not None or written is not None:
        yield Text(f"{read or 0:,}→{written or 0:,} tokens", style="dim")
    price = span.columns.get(names.MAS_COST_USD)
    if price is not None:
        simulated = " simulated" if span.columns.get(names.MAS_COST_SIMULATED) else ""
        yield Text(usd(price) + simulated, style="dim")
    elif span.columns.get(names.MAS_COST_MISSING):
        yield Text("no price", style="yellow")
