"""The complaint against a run that its recorded judgements make: feedback, or an evaluation of its answer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from otel_mas.analyse.content import NO_CONTENT, RunContent
from otel_mas.causal import CausalGraph
from otel_mas.errors import arguments
from otel_mas.model import Evaluation, Span, evaluation_of
from otel_mas.semconv import EvaluationSource, RecordKind

_FAILED = frozenset({"fail", "failed", "incorrect", "wrong", "no", "false"})
_PASSED = frozenset({"pass", "passed", "correct", "right", "yes", "true"})
_OF_THE_ANSWER = frozenset({"expected_output", "judge"})
_OF_THE_TIME = frozenset({"max_latency_ms", "max_critical_path_ms"})
"""Evaluators of a case whose failure is a complaint about the run: docs/evaluate.md. Other ones judge how it worked."""
_WORK = (RecordKind.AGENT_TASK, RecordKind.LLM_CALL, RecordKind.TOOL_CALL, RecordKind.RETRIEVAL)


class ComplaintLabel(StrEnum):
    """Kind of a complaint, as the label of a judgement."""

    WRONG = "wrong"
    """Its answer is wrong."""
    MISSING = "missing"
    """Its answer, or a part of it, is missing."""
    LATE = "late"
    """It took too long."""


@dataclass(frozen=True, slots=True)
class Complaint:
    """A complaint that a person, an evaluation or a test has against a run."""

    label: ComplaintLabel = ComplaintLabel.WRONG
    reason: str | None = None
    """In their words, if they gave one."""
    span: str | None = None
    """Id of the span that they found at fault, or a label of it; None: the run as a whole."""
    author: str | None = None
    """The one whose complaint it is, or the name of the evaluation."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "label", _named(self.label))

    @classmethod
    def of(cls, complaint: Complaint | str) -> Complaint:
        """A complaint as callers give it: as it is, or in a word of `ComplaintLabel`.

        Raises:
            TypeError: It is neither.
            UnsupportedQuery: It is another word.
        """
        return complaint if isinstance(complaint, Complaint) else cls(_named(complaint))


def _named(word: str) -> ComplaintLabel:
    return ComplaintLabel(arguments.choice("complaint", word, [one.value for one in ComplaintLabel]))


def recorded_complaint(graph: CausalGraph, content: RunContent) -> Complaint | None:
    """The complaint that the recorded judgements of a run make, the latest of each kind and span; None without any.

    All feedback counts. An evaluation that the app made counts if it judges the answer: it is of the run itself or of
    its last call of a model, and came after all work. Grades along the way decide about the next step; these are no
    complaints.
    """
    latest: dict[tuple[str, str], tuple[Span, Evaluation]] = {}
    for span, one in sorted(_judgements(graph, content), key=lambda found: found[1].time_ns):
        if _label(one) is not None or _is_good(one):
            name = "" if one.source == EvaluationSource.FEEDBACK else one.name
            latest[span.span_id, name] = span, one
    roots = {root.span_id for root in graph.roots}
    for span, one in sorted(latest.values(), key=lambda found: -found[1].time_ns):
        label = _label(one)
        if label is not None:
            by = one.author or (None if one.source == EvaluationSource.FEEDBACK else one.name)
            return Complaint(label, one.reason, None if span.span_id in roots else span.span_id, by)
    return None


def accepted(graph: CausalGraph) -> bool | None:
    """Whether the latest of the judgements that may be complaints finds the run good; None without any."""
    found = [one for _, one in _judgements(graph, NO_CONTENT) if _label(one) is not None or _is_good(one)]
    return _label(max(found, key=lambda one: one.time_ns)) is None if found else None


def _judgements(graph: CausalGraph, content: RunContent) -> Iterator[tuple[Span, Evaluation]]:
    """Each judged span with a judgement that may be a complaint."""
    spans = [span for span in graph.spans if span.record_kind == RecordKind.EVALUATION]
    answering = _answering(graph) if spans else frozenset()
    last_ns = _work_until(graph) if spans else 0
    for span in spans:
        one = evaluation_of(span, content.reason(span))
        above = _parent(graph, span)
        if one is None or above is None or one.source == EvaluationSource.FINDING:
            continue
        if one.source == EvaluationSource.EVALUATION:
            if one.name in _OF_THE_ANSWER | _OF_THE_TIME:
                yield above, one
        elif one.source == EvaluationSource.FEEDBACK or (above.span_id in answering and span.start_ns >= last_ns):
            yield above, one


def _parent(graph: CausalGraph, span: Span) -> Span | None:
    try:
        return None if span.parent_span_id is None else graph.span(span.parent_span_id)
    except KeyError:
        return None


def _answering(graph: CausalGraph) -> frozenset[str]:
    """Ids of the roots, and of the call of a model that ended last."""
    calls = [span for span in graph.spans if span.record_kind == RecordKind.LLM_CALL]
    last = max(calls, key=lambda span: span.last_ns, default=None)
    return frozenset({root.span_id for root in graph.roots} | ({last.span_id} if last is not None else set()))


def _work_until(graph: CausalGraph) -> int:
    """The end of the last work that is no part of an evaluation."""
    inside: set[str | None] = set()
    last = 0
    for span in graph.spans:
        if span.record_kind == RecordKind.EVALUATION or span.parent_span_id in inside:
            inside.add(span.span_id)
        elif span.record_kind in _WORK:
            last = max(last, span.last_ns)
    return last


def _label(one: Evaluation) -> ComplaintLabel | None:
    label = (one.label or "").strip().lower()
    if one.source == EvaluationSource.FEEDBACK and label in set(ComplaintLabel):
        return ComplaintLabel(label)
    if one.source == EvaluationSource.EVALUATION and one.name in _OF_THE_TIME and label in _FAILED:
        return ComplaintLabel.LATE
    if label in _FAILED or (not label and one.score == 0):
        return ComplaintLabel.WRONG
    return None


def _is_good(one: Evaluation) -> bool:
    label = (one.label or "").strip().lower()
    return label in _PASSED or (not label and one.score is not None and one.score >= 1)


__all__ = ["Complaint", "ComplaintLabel", "accepted", "recorded_complaint"]
