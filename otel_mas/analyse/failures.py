"""Errors of a run and their outcome, and the tasks that wait for a person."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from enum import IntEnum

from otel_mas.causal.failed import failed
from otel_mas.model import Span, StatusCode
from otel_mas.semconv import attributes as names
from otel_mas.semconv.enums import RunOutcome, TaskOutcome

_CUT_SHORT = (TaskOutcome.CANCELLED, RunOutcome.CANCELLED, RunOutcome.ABANDONED)


class ErrorOutcome(IntEnum):
    """Outcome of an error; the worst is the least."""

    ENDED_THE_RUN = 0
    UNKNOWN = 1
    """Its run failed as well, but of another error (a sibling's, say), or has not ended."""
    HANDLED = 2
    """Something around it went on and ended well."""


def error_outcomes(spans: Sequence[Span]) -> dict[tuple[str, str], ErrorOutcome]:
    """Outcomes of `failures`, by trace and span id; those that ended a run come first."""
    by_id = {(span.trace_id, span.span_id): span for span in spans}
    found = {(span.trace_id, span.span_id): _error_outcome([span, *_above(span, by_id)]) for span in failures(spans)}
    return dict(sorted(found.items(), key=lambda item: item[1]))


def _error_outcome(chain: Sequence[Span]) -> ErrorOutcome:
    """Return the outcome of the error that happened in the first of these, which are inside one another."""
    runs = [i for i, span in enumerate(chain) if span.columns.get(names.MAS_RUN_OUTCOME)]
    origin, upto = chain[0], (runs[-1] if runs else len(chain) - 1) + 1
    inside = chain[:upto]
    own = f"{origin.trace_id}-{origin.span_id}"
    passed_on = {span.columns.get(names.MAS_ERROR_SPAN) for span in inside[1:]} - {None, ""}
    if inside[-1].columns.get(names.MAS_ERROR_SPAN) == own:
        return ErrorOutcome.ENDED_THE_RUN
    if any(map(_ended_well, inside)):
        return ErrorOutcome.HANDLED
    return ErrorOutcome.ENDED_THE_RUN if all(map(failed, inside)) and passed_on <= {own} else ErrorOutcome.UNKNOWN


def _ended_well(span: Span) -> bool:
    outcomes = (span.columns.get(names.MAS_TASK_OUTCOME), span.columns.get(names.MAS_RUN_OUTCOME))
    return span.end_ns is not None and not failed(span) and not any(outcome in _CUT_SHORT for outcome in outcomes)


def _above(span: Span, by_id: dict[tuple[str, str], Span]) -> Iterator[Span]:
    seen = {span.span_id}
    above = by_id.get((span.trace_id, span.parent_span_id or ""))
    while above is not None and above.span_id not in seen:
        seen.add(above.span_id)
        yield above
        above = by_id.get((above.trace_id, above.parent_span_id or ""))


def failures(spans: Sequence[Span]) -> list[Span]:
    """The spans in which errors happened, without those that errors only passed through."""
    failed = [span for span in spans if span.status == StatusCode.ERROR]
    above = {(span.trace_id, span.parent_span_id) for span in failed}
    return [
        span
        for span in failed
        if not span.columns.get(names.MAS_ERROR_SPAN) and (span.trace_id, span.span_id) not in above
    ]


def error_message(span: Span, contents: Mapping[str, object]) -> str | None:
    """The message of the error that a span ended with, where it is stored: beside it, on its event, in its status.

    Args:
        span: any span.
        contents: content stored beside it, by name.
    """
    if span.status != StatusCode.ERROR:
        return None
    events = [event.attributes for event in span.events if event.name == "exception"]
    found = (contents, *reversed(events))
    message = next(filter(None, (one.get(names.EXCEPTION_MESSAGE) for one in found)), span.status_message)
    return str(message) if message else None


def waiting(spans: Sequence[Span]) -> list[Span]:
    """The paused tasks that nothing has resumed: the last span of their task is the one that paused.

    Of tasks around a paused one, which pause with it, only the innermost is told.
    """
    last = {span.task_id: span for span in spans if span.task_id is not None}
    paused = [span for span in last.values() if span.columns.get(names.MAS_TASK_OUTCOME) == TaskOutcome.INTERRUPTED]
    above = {(span.trace_id, span.parent_span_id) for span in paused}
    by_id = {(span.trace_id, span.span_id): span for span in spans}
    around = set()
    for trace_id, parent in above:
        while parent is not None and (trace_id, parent) not in around:
            around.add((trace_id, parent))
            enclosing = by_id.get((trace_id, parent))
            parent = enclosing.parent_span_id if enclosing is not None else None
    return [span for span in paused if (span.trace_id, span.span_id) not in around]
