"""Traces in a list: the newest first, a row each."""

from __future__ import annotations

from collections.abc import Sequence

from otel_mas.model import TraceSummary
from otel_mas.report.cost_words import price, tokens
from otel_mas.report.html.block import STATUSES, Head, left_out, table
from otel_mas.report.markup import Child, Markup, element, text
from otel_mas.report.text import count, duration, local_time, plain, short_ids
from otel_mas.report.text import listing as listed

_MOST = 100
_HEADS = (
    Head("trace"),
    Head("started"),
    Head("took", numeric=True),
    Head("status"),
    Head("spans", numeric=True),
    Head("errors", numeric=True),
    Head("tokens", numeric=True),
    Head("cost", numeric=True),
    Head("what"),
    Head("thread"),
    Head("agents", text=True),
    Head("incomplete", text=True),
)


def traces(summaries: Sequence[TraceSummary]) -> Markup:
    """Each trace with the shortest id that tells it from the others, when, how long, and what it used."""
    if not summaries:
        return element("p", "No trace matches.")
    ids = short_ids([summary.trace_id for summary in summaries])
    rows = [_row(summary, ids[summary.trace_id]) for summary in summaries[:_MOST]]
    hidden = len(summaries) - len(rows)
    return text(table(_HEADS, rows), left_out([count(hidden, "older trace")] if hidden else []))


def _row(summary: TraceSummary, short: str) -> list[Child]:
    took = summary.duration_ns
    return [
        element("code", short, title=summary.trace_id),
        local_time(summary.start_ns),
        "" if took is None else duration(took),
        element("span", summary.status, class_=STATUSES.get(summary.status)),
        f"{summary.span_count:,}",
        element("span", f"{summary.error_count:,}", class_="om-bad") if summary.error_count else "",
        tokens(summary),
        price(summary),
        plain(summary.name).removeprefix("invoke_workflow ").removeprefix("invoke_agent "),
        plain(summary.conversation_id or ""),
        listed([plain(agent) for agent in summary.agents]),
        element("span", plain(summary.incomplete), class_="om-wait") if summary.incomplete else "",
    ]
