"""One trace as a tree: what ran inside what, when, for how long."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.text import Text

from otel_mas.analyse.questions import Question
from otel_mas.causal import CausalGraph
from otel_mas.model import Span
from otel_mas.report.decisions import decision
from otel_mas.report.findings import Fate, fates
from otel_mas.report.outline import Outline
from otel_mas.report.terminal.lines import bar, cells, fit, joined, kind_style, outcome
from otel_mas.report.terminal.overdue import marks
from otel_mas.report.text import duration, usd
from otel_mas.semconv import attributes as names
from otel_mas.semconv.enums import RecordKind

_BAR = 24
_TOOK = 8
_FATES = {Fate.ENDED_THE_RUN: ("ended the run", "bold red"), Fate.HANDLED: ("handled", "yellow")}


def tree(causal: CausalGraph, width: int, asked: Sequence[Question] = ()) -> Iterator[Text]:
    """The spans of a trace, a line each: the tree, how long each took, and when on a common axis.

    Of the questions that were `asked` the overdue ones are marked.
    """
    spans = causal.spans
    if not spans:
        return
    outline = Outline(causal)
    became, overdue = fates(spans), marks(asked)
    begin = min(span.start_ns for span in spans)
    end = max(max(span.last_ns, span.start_ns) for span in spans)
    total = end - begin
    room = max(20, width - _TOOK - _BAR - 3)
    axis = fit(Text(duration(total)), _BAR - 1, "right")
    yield cells(fit(Text(""), room + _TOOK + 1), "  ", ("0", "dim"), axis)
    for root in causal.roots:
        for span, last in outline.walk(root):
            fate = became.get((span.trace_id, span.span_id))
            label = Text(_guides(last), style="dim").append_text(_label(span, outline, fate, overdue.get(span.span_id)))
            took = Text("" if span.end_ns is None else duration(span.duration_ns), style="dim")
            stretch = bar([(span.start_ns, end if span.end_ns is None else span.end_ns)], begin, total, _BAR)
            yield cells(fit(label, room), " ", fit(took, _TOOK, "right"), "  ", (stretch, kind_style(span)))


def _guides(last: tuple[bool, ...]) -> str:
    if not last:
        return ""
    above = "".join("   " if ended else "│  " for ended in last[:-1])
    return above + ("└─ " if last[-1] else "├─ ")


def _label(span: Span, outline: Outline, fate: Fate | None, overdue: Text | None) -> Text:
    parts = [Text(outline.title(span), style=kind_style(span))]
    ended = outcome(span)
    if ended is not None:
        parts.append(ended)
    if overdue is not None:
        parts.append(overdue)
    if fate in _FATES:
        parts.append(Text(*_FATES[fate]))
    if span.record_kind == RecordKind.LLM_CALL:
        parts.extend(_usage(span))
    decided = decision(span)
    if decided is not None:
        parts.append(Text(decided))
    return joined(parts)


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
