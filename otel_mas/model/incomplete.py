"""The reasons why a trace is incomplete, in words: parents that are missing, spans of processes that stopped."""

from __future__ import annotations

from collections.abc import Sequence, Set
from datetime import UTC

from otel_mas.model.instants import instant
from otel_mas.model.span import Span

_MOST = 3


def missing_parents(span_ids: Set[str], parent_ids: Set[str], rooted: bool) -> str | None:
    """Tell how many parents that spans name are missing, since a backend kept only a part; None where each is there.

    Args:
        rooted: whether a span without a parent is there.
    """
    absent = len(parent_ids - span_ids)
    if not absent:
        return None
    number = "1 parent" if absent == 1 else f"{absent} parents"
    root = "" if rooted else " (the root among them)" if absent > 1 else " (the root)"
    return f"incomplete: {number} missing{root}: spans were dropped on the way, or have not arrived yet"


def abandoned_spans(spans: Sequence[Span]) -> str | None:
    """Tell in which spans a process stopped, and when; None where every span ended or still can."""
    abandoned = [span for span in spans if span.stopped]
    if not abandoned:
        return None
    seen = instant(max(span.last_ns for span in abandoned), UTC)
    return f"the process stopped (no sign of life since {seen:%Y-%m-%d %H:%M:%S} UTC) while in {places(abandoned)}"


def places(spans: Sequence[Span]) -> str:
    """The innermost of these open spans, each with its task, in words."""
    by_id = {span.span_id: span for span in spans}
    named = list(dict.fromkeys(_place(span, by_id) for span in innermost(spans)))
    more = f" and {len(named) - _MOST} more" if len(named) > _MOST else ""
    return ", ".join(named[:_MOST]) + more


def innermost(spans: Sequence[Span]) -> Sequence[Span]:
    """The open spans that are no other one's parent."""
    parents = {span.parent_span_id for span in spans}
    return [span for span in spans if span.span_id not in parents] or spans


def _place(span: Span, by_id: dict[str, Span]) -> str:
    named = span.name or span.span_id
    if span.task_name:
        return span.task_name
    ancestor, passed = by_id.get(span.parent_span_id or ""), {span.span_id}
    while ancestor is not None and ancestor.span_id not in passed:
        if ancestor.task_name:
            return f"{ancestor.task_name} ({named})"
        passed.add(ancestor.span_id)
        ancestor = by_id.get(ancestor.parent_span_id or "")
    return named
