"""What is said of spans whose process stopped before they ended."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC

from otel_mas.model.instants import instant
from otel_mas.model.span import Span

_MOST = 3


def unended(spans: Sequence[Span]) -> str | None:
    """Why a trace is incomplete, by those of its spans that never ended; None where every one ended or still can."""
    gone = [span for span in spans if span.stopped]
    if not gone:
        return None
    seen = instant(max(span.last_ns for span in gone), UTC)
    return f"the process stopped (no sign of life since {seen:%Y-%m-%d %H:%M:%S} UTC) while in {places(gone)}"


def places(spans: Sequence[Span]) -> str:
    """Where it was: the innermost of these open spans, each with the task that it worked for."""
    by_id = {span.span_id: span for span in spans}
    named = list(dict.fromkeys(_place(span, by_id) for span in innermost(spans)))
    more = f" and {len(named) - _MOST} more" if len(named) > _MOST else ""
    return ", ".join(named[:_MOST]) + more


def innermost(spans: Sequence[Span]) -> Sequence[Span]:
    """Those of these open spans that no other one is inside of."""
    around = {span.parent_span_id for span in spans}
    return [span for span in spans if span.span_id not in around] or spans


def _place(span: Span, by_id: dict[str, Span]) -> str:
    if span.task_name:
        return span.task_name
    above, passed = by_id.get(span.parent_span_id or ""), {span.span_id}
    while above is not None and above.span_id not in passed:
        if above.task_name:
            return f"{above.task_name} ({_name(span)})"
        passed.add(above.span_id)
        above = by_id.get(above.parent_span_id or "")
    return _name(span)


def _name(span: Span) -> str:
    return span.task_name or span.name or span.span_id
