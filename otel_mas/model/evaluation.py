"""Judgements of a run or of one of its spans, as spans tell of them; and traces without those made from outside."""

from __future__ import annotations

from dataclasses import dataclass, replace

from otel_mas.model.span import Span
from otel_mas.model.trace import Trace
from otel_mas.semconv import EvaluationSource, RecordKind
from otel_mas.semconv import attributes as names


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """One judgement.

    Args:
        name: the quality that is judged; of a finding its code.
        label: the judgement as a word.
        score: the judgement as a number.
        reason: why; content.
        author: the one who judged.
        source: a value of `EvaluationSource`; None where the app judged while it ran.
        time_ns: when, since the Unix epoch.
    """

    name: str
    label: str | None = None
    score: float | None = None
    reason: str | None = None
    author: str | None = None
    source: str | None = None
    time_ns: int


def evaluation_of(span: Span, reason: str | None = None) -> Evaluation | None:
    """The judgement that a span is; None where it is none. `reason` is content, which the span may not have."""
    if span.record_kind != RecordKind.EVALUATION:
        return None
    attributes = span.attributes
    label, score = (
        attributes.get(name) for name in (names.GEN_AI_EVALUATION_SCORE_LABEL, names.GEN_AI_EVALUATION_SCORE_VALUE)
    )
    author, source = attributes.get(names.MAS_EVALUATION_AUTHOR), attributes.get(names.MAS_EVALUATION_SOURCE)
    time_ns = attributes.get(names.MAS_EVALUATION_TIME_UNIX_NANO)
    return Evaluation(
        name=str(attributes.get(names.GEN_AI_EVALUATION_NAME) or span.name),
        label=None if label is None else str(label),
        score=float(score) if isinstance(score, int | float) else None,
        reason=reason,
        author=None if author is None else str(author),
        source=None if source is None else str(source),
        time_ns=time_ns if isinstance(time_ns, int) else span.last_ns,
    )


def is_from_outside(span: Span) -> bool:
    """Whether a span is a judgement that is no part of the run: feedback, or a finding about it."""
    return span.record_kind == RecordKind.EVALUATION and span.get(names.MAS_EVALUATION_SOURCE) in set(EvaluationSource)


def without_outside_evaluations(trace: Trace) -> Trace:
    """The trace as those see it who look for what is wrong: without feedback and findings. The same, if it has none."""
    if not any(map(is_from_outside, trace.spans)):
        return trace
    return replace(trace, spans=tuple(span for span in trace.spans if not is_from_outside(span)))


__all__ = ["Evaluation", "evaluation_of", "is_from_outside", "without_outside_evaluations"]
