"""Judgements of spans that are recorded already: each becomes a span in the same trace and store.

Its span stands at the end of the judged one and takes no time, so that a judgement made a day later makes no trace a
day long, here or on a server. When it was made is an attribute.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Any, Final

from otel_mas.config import Settings
from otel_mas.model import Evaluation, Span
from otel_mas.receiver.redacted import RecordPrivacy
from otel_mas.receiver.targets import StoreTarget
from otel_mas.semconv import EvaluationSource
from otel_mas.semconv import attributes as names
from otel_mas.trace_records.record import MAX_PAYLOAD_BYTES, EventType, RecordEvent, TraceRecord

_SCOPE: Final = "otel_mas"
_RESULT_EVENT: Final = "gen_ai.evaluation.result"
"""OpenTelemetry's event; of evaluators beside their attributes on the span, for readers that look for the event."""
_OF_EVENT: Final = frozenset(
    {names.GEN_AI_EVALUATION_NAME, names.GEN_AI_EVALUATION_SCORE_LABEL, names.GEN_AI_EVALUATION_SCORE_VALUE}
)


def write_evaluations(settings: Settings, judged: Sequence[tuple[Span, str, Evaluation]], *, may_ship: bool) -> None:
    """Write judgements into the store that the settings name, without secrets.

    Args:
        settings: of the store, and for what is kept of reasons.
        judged: the judged spans, each with the id of the new span and the judgement.
        may_ship: whether the spans may leave the machine.

    Raises:
        StoreError: The store cannot be written.
    """
    privacy = RecordPrivacy(settings, MAX_PAYLOAD_BYTES)
    target = StoreTarget(settings, 0.0, len(judged), may_ship, privacy.drain_counts)
    try:
        privacy.set_key(settings.digest_key or target.digest_key)
        target.write([privacy.kept(_record(*one)) for one in judged], all_of_them=True)
    finally:
        target.close()


def new_span_id() -> str:
    """An id for a span."""
    return secrets.token_hex(8)


def _record(span: Span, span_id: str, one: Evaluation) -> TraceRecord:
    attributes: dict[str, Any] = {
        names.GEN_AI_EVALUATION_NAME: one.name,
        names.GEN_AI_EVALUATION_SCORE_LABEL: one.label,
        names.GEN_AI_EVALUATION_SCORE_VALUE: one.score,
        names.MAS_EVALUATION_SOURCE: one.source,
        names.MAS_EVALUATION_AUTHOR: one.author,
        names.MAS_EVALUATION_TIME_UNIX_NANO: one.time_ns,
    }
    known = {name: value for name, value in attributes.items() if value is not None}
    result = {name: value for name, value in known.items() if name in _OF_EVENT}
    is_result = one.source == EvaluationSource.EVALUATION
    return TraceRecord(
        trace_id=span.trace_id,
        span_id=span_id,
        parent_span_id=span.span_id,
        event_type=EventType.EVALUATION,
        timestamp=span.last_ns,
        name=f"evaluate {one.name}",
        payload=None if one.reason is None else {"explanation": one.reason},
        conversation_id=span.conversation_id,
        service=span.service,
        attributes=known,
        events=(RecordEvent(name=_RESULT_EVENT, timestamp=span.last_ns, attributes=result),) if is_result else (),
        scope=_SCOPE,
    )


__all__ = ["new_span_id", "write_evaluations"]
