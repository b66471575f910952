"""The line above an answer: what it is about."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from otel_mas.analyse.cost import CostTable
from otel_mas.causal import CriticalPath
from otel_mas.model import Span
from otel_mas.report.html.block import line, run_ended
from otel_mas.report.markup import Child, Markup, element
from otel_mas.report.path_rows import made_of
from otel_mas.report.text import count, duration, local_time, plain, usd


def title(spans: Sequence[Span]) -> str:
    """The name of what ran."""
    first = next((span for span in spans if span.parent_span_id is None), spans[0] if spans else None)
    if first is None:
        return "nothing recorded"
    name = first.agent or first.workflow or first.name.removeprefix("invoke_workflow ")
    return plain(name) or "a run without a name"


def heading(spans: Sequence[Span]) -> Markup:
    """Name, service, thread, when, how long, how many spans and traces, and how it ended."""
    return line([element("b", title(spans)), *_facts(spans)])


def _facts(spans: Sequence[Span]) -> Iterator[Child]:
    if not spans:
        return
    roots = [span for span in spans if span.parent_span_id is None] or [spans[0]]
    ids = list(dict.fromkeys(span.trace_id for span in spans))
    thread = next((span.conversation_id for span in spans if span.conversation_id), None)
    begin = min(span.start_ns for span in spans)
    end = max(span.last_ns for span in spans)
    if roots[0].service:
        yield plain(roots[0].service)
    if thread:
        yield f"thread {plain(thread)}"
    yield element("code", ids[0][:16]) if len(ids) == 1 else count(len(ids), "trace")
    yield local_time(begin)
    yield duration(end - begin)
    yield count(len(spans), "span")
    yield run_ended(spans)


def at_work(path: CriticalPath) -> str:
    """How long it worked, and how long it waited for somebody."""
    took, waiting = made_of(path)
    phrase = f"{duration(took.total())} at work"
    return f"{phrase}, {duration(waiting)} waiting for input" if waiting else phrase


def price(table: CostTable) -> Markup | None:
    """The cost in a few words."""
    total = table.total
    if not total.calls:
        return None
    phrase = f"{count(total.calls, 'model call')}, {total.input_tokens:,} tokens in, {total.output_tokens:,} out"
    if total.usd is not None:
        phrase += f", {usd(total.usd)}{' or more' if total.unpriced else ''}"
    elif total.unpriced:
        phrase += ", no price known"
    simulated = element("span", " simulated", class_="om-wait") if total.simulated and total.usd is not None else None
    return element("span", phrase, simulated)
