"""The line above a report: what it is about."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text

from otel_mas.model import Span
from otel_mas.report.terminal.lines import joined, run_status, wrap
from otel_mas.report.text import count, duration, local_time, plain


def heading(spans: Sequence[Span], width: int) -> list[Text]:
    """Name, service, thread, when, how long, how many spans and traces, and how it ended."""
    first = next((span for span in spans if span.parent_span_id is None), spans[0])
    ids = list(dict.fromkeys(span.trace_id for span in spans))
    thread = next((span.conversation_id for span in spans if span.conversation_id), None)
    begin = min(span.start_ns for span in spans)
    end = max(span.last_ns for span in spans)
    name = first.agent or first.workflow or first.name.removeprefix("invoke_workflow ")
    parts = [Text(plain(name), style="bold")]
    if first.service:
        parts.append(Text(plain(first.service), style="dim"))
    if thread:
        parts.append(Text(f"thread {plain(thread)}"))
    if len(ids) == 1:
        parts.append(Text(f"trace {ids[0][:16]}"))
    else:
        parts.append(Text(count(len(ids), "trace")))
    parts += [Text(local_time(begin), style="dim"), Text(duration(end - begin)), Text(count(len(spans), "span"))]
    parts.append(run_status(spans))
    return wrap(joined(parts, " · "), width)
