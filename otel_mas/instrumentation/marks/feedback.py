"""Feedback about the current span: a judgement from outside of the run, as a span below it."""

from __future__ import annotations

import time
from typing import Any

from opentelemetry.trace import get_current_span

from otel_mas.instrumentation.judgements import Judgement
from otel_mas.instrumentation.langchain.structured import record_judgement
from otel_mas.record import recorder
from otel_mas.semconv import EvaluationSource, RecordKind
from otel_mas.semconv import attributes as names


def current_feedback(judged: Judgement, name: str, author: str | None) -> None:
    """Record a judgement of the current span.

    Raises:
        ValueError: No span is current.
    """
    if not get_current_span().get_span_context().is_valid:
        raise ValueError("feedback outside of any span: name the trace or the conversation that it is about")
    attributes: dict[str, Any] = {
        names.MAS_RECORD_KIND: RecordKind.EVALUATION.value,
        names.GEN_AI_EVALUATION_NAME: name,
        names.MAS_EVALUATION_SOURCE: EvaluationSource.FEEDBACK.value,
        names.MAS_EVALUATION_TIME_UNIX_NANO: time.time_ns(),
    }
    if author is not None:
        attributes[names.MAS_EVALUATION_AUTHOR] = author
    span = recorder().start_span(f"evaluate {name}", attributes)
    record_judgement(span, judged)
    span.end()


__all__ = ["current_feedback"]
