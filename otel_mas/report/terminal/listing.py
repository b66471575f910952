"""Traces in a list: the newest first, a line each."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping, Sequence

from rich.text import Text

from otel_mas.errors.printable import shortened
from otel_mas.model import TraceSummary
from otel_mas.report.cost_words import price, tokens
from otel_mas.report.tables import Head
from otel_mas.report.terminal.lines import STATUS_STYLES
from otel_mas.report.terminal.overdue import STYLE as OVERDUE_STYLE
from otel_mas.report.terminal.table import grid
from otel_mas.report.text import count, duration, listing, local_time, plain, short_ids

_HEADS = (
    *(Head("trace"), Head("started"), Head("took", numeric=True), Head("status"), Head("spans", numeric=True)),
    *(Head("tokens", numeric=True), Head("cost", numeric=True), Head("what", text=True)),
)
_LONGEST_MESSAGE = 40


def traces(
    summaries: Sequence[TraceSummary],
    width: int,
    overdue: Container[str] = (),
    error_messages: Mapping[str, str] | None = None,
) -> Iterator[Text]:
    """Each trace with the shortest id that tells it from the others, when, how long, and what it used.

    `overdue` are the ids of traces with a question that is overdue, or was when it was answered; `error_messages`
    those of the errors that ended traces, by trace id.
    """
    messages = error_messages or {}
    ids = short_ids([summary.trace_id for summary in summaries])
    rows = [_row(one, ids[one.trace_id], one.trace_id in overdue, messages.get(one.trace_id)) for one in summaries]
    yield from grid(_HEADS, rows, width)


def _row(summary: TraceSummary, short: str, overdue: bool, error_message: str | None) -> list[Text]:
    took = summary.duration_ns
    what = Text(plain(summary.name).removeprefix("invoke_workflow ").removeprefix("invoke_agent "))
    if error_message:
        what.append(f"  ✗ {shortened(plain(error_message), _LONGEST_MESSAGE)}", style="red")
    if summary.conversation_id:
        what.append(f"  thread {plain(summary.conversation_id)}", style="dim")
    if summary.agents:
        what.append(f"  {listing([plain(agent) for agent in summary.agents])}", style="cyan")
    if summary.error_count and summary.status != "error":
        what.append(f"  {count(summary.error_count, 'error')}", style="red")
    if overdue:
        what.append("  overdue", style=OVERDUE_STYLE)
    if summary.incomplete:
        what.append("  incomplete", style="yellow")
    return [
        Text(short, style="bold"),
        Text(local_time(summary.start_ns), style="dim"),
        Text("" if took is None else duration(took)),
        Text(summary.status, style=STATUS_STYLES.get(summary.status, "")),
        Text(f"{summary.span_count:,}"),
        Text(tokens(summary)),
        Text(price(summary)),
        what,
    ]
