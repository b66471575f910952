"""Spans of a replay: what became of each call, and the recorded span that a call or a run repeats."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from opentelemetry.trace import SpanContext, TraceFlags

from otel_mas.instrumentation.langchain.models import HANDLER
from otel_mas.record import Cause, guarded, recorder
from otel_mas.replay.recording import CallKind, RecordedCall, RecordedRun
from otel_mas.semconv import attributes as names
from otel_mas.semconv.enums import LinkKind, ReplayOutcome

if TYPE_CHECKING:
    from opentelemetry.trace import Span


@guarded("replay: span")
def record_outcome(span: Span | None, outcome: ReplayOutcome, call: RecordedCall | None) -> None:
    """Record on a call's span what became of it, and the recorded span that it repeats."""
    if span is None or not span.is_recording():
        return
    attributes: dict[str, Any] = {names.MAS_REPLAY_OUTCOME: outcome.value}
    if call is not None:
        attributes[names.MAS_REPLAY_SPAN] = f"{call.span.trace_id}-{call.span.span_id}"
        recorder().add_causes(span, [Cause(_context(call.span), LinkKind.REPLAY)])
    recorder().set_attributes(span, attributes)
    if call is not None and call.kind is CallKind.MODEL and outcome is not ReplayOutcome.LIVE:
        HANDLER.simulate(span)


@guarded("replay: run")
def record_repeated(run: Any, recorded: RecordedRun) -> None:
    """Record on the span of a run which recorded one it repeats."""
    if recorded.span is not None and run.span.is_recording():
        reference = f"{recorded.span.trace_id}-{recorded.span.span_id}"
        recorder().add_causes(run.span, [Cause(_context(recorded.span), LinkKind.REPLAY)])
        recorder().set_attributes(run.span, {names.MAS_REPLAY_SPAN: reference})


@guarded("replay: task")
def record_reached(span: Span | None, recorded: Any) -> None:
    """Record on the span of a task which recorded one it repeats."""
    if span is not None and span.is_recording():
        recorder().set_attributes(span, {names.MAS_REPLAY_SPAN: f"{recorded.trace_id}-{recorded.span_id}"})


@guarded("replay: traces")
def record_traces(span: Span, trace_ids: Sequence[str]) -> None:
    """Record on the span of a run that it is a part of a replay, also where nothing is called in it, and of what."""
    if span.is_recording():
        recorder().set_attributes(span, {names.MAS_REPLAY_TRACES: tuple(trace_ids)})


def _context(span: Any) -> SpanContext:
    return SpanContext(int(span.trace_id, 16), int(span.span_id, 16), is_remote=True, trace_flags=TraceFlags(1))


__all__ = ["record_outcome", "record_reached", "record_repeated", "record_traces"]
