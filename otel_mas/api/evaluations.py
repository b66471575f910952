"""Judgements of recorded runs: written beside their spans, into the store that they were read from."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from hashlib import blake2b
from typing import TYPE_CHECKING

from otel_mas.config import Settings
from otel_mas.errors import TraceNotFound, UnsupportedQuery, arguments
from otel_mas.evaluate import EvalReport, EvaluationResult, Outcome
from otel_mas.model import Evaluation, Finding, Span
from otel_mas.semconv import EvaluationSource
from otel_mas.sources.store.source import StoreSource

if TYPE_CHECKING:
    from otel_mas.api.part import Part
    from otel_mas.instrumentation.judgements import Judgement


def mark(
    parts: Sequence[Part],
    judged: Span,
    judgement: Judgement,
    *,
    name: str,
    author: str | None,
    settings: Settings | None = None,
) -> str:
    """Record a judgement of a span, and return the id of its own.

    Args:
        parts: the traces of the run.
        judged: the span.
        judgement: a score, a label or both, and the reason.
        name: the quality that is judged.
        author: the one who judges.
        settings: for what is kept of the reason; by default those of the environment.

    Raises:
        UnsupportedQuery: There is neither a label nor a score, or the source is no store.
        StoreError: The store cannot be written.
    """
    from otel_mas.receiver.evaluations import new_span_id

    evaluation = Evaluation(
        name=arguments.name("name", name),
        label=arguments.optional_name("label", judgement.label),
        score=judgement.score,
        reason=arguments.optional_name("reason", judgement.reason),
        author=arguments.optional_name("author", author),
        source=EvaluationSource.FEEDBACK,
        time_ns=time.time_ns(),
    )
    if evaluation.label is None and evaluation.score is None:
        raise UnsupportedQuery("a judgement is missing: give a label, such as 'wrong', or a score, or both")
    span_id = new_span_id()
    _write(parts, [(judged, span_id, evaluation)], settings)
    return span_id


def record_findings(parts: Sequence[Part], findings: Iterable[Finding]) -> int:
    """Record findings that are not there yet, each below the span that shows it; returns how many."""
    by_id = {span.span_id: span for trace in parts for span in trace.spans}
    now_ns = time.time_ns()
    new = {}
    for one in findings:
        span = by_id[one.spans[0]]
        span_id = _finding_id(span.trace_id, one)
        if span_id not in by_id:
            new[span_id] = span, span_id, _of_finding(one, now_ns)
    _write(parts, list(new.values()))
    return len(new)


def record_evaluations(parts: Sequence[Part], report: EvalReport) -> int:
    """Record the results of a report about this run that are not there yet, below its main span; returns how many.

    Results without evidence have no score and are left out, as are those of evaluators that raised an exception.
    """
    here = {trace.trace_id for trace in parts}
    judged = main_span(parts)
    by_id = {span.span_id for trace in parts for span in trace.spans}
    now_ns = time.time_ns()
    new = {}
    for case in report.cases:
        for run in case.runs:
            for one in run.results if here & set(run.trace_ids) else ():
                if one.outcome != Outcome.INSUFFICIENT_EVIDENCE and one.error_type is None:
                    result = _of_result(case.name, one, now_ns)
                    span_id = _id_of(judged.trace_id, case.name, one.evaluator, result.label, result.score)
                    if span_id not in by_id:
                        new[span_id] = judged, span_id, result
    _write(parts, list(new.values()))
    return len(new)


def _of_result(case: str, one: EvaluationResult, now_ns: int) -> Evaluation:
    value = one.value
    return Evaluation(
        name=one.evaluator,
        label=value if isinstance(value, str) and one.outcome == Outcome.PASSED else one.outcome.value,
        score=float(value) if isinstance(value, int | float) else None,
        reason=one.reason or None,
        author=case,
        source=EvaluationSource.EVALUATION,
        time_ns=now_ns,
    )


def main_span(parts: Sequence[Part]) -> Span:
    """The span that stands for the run: the root of its last trace, or the first span of one that lost it."""
    spans = parts[-1].spans if parts else ()
    if not spans:
        raise TraceNotFound("the trace has no spans that could be judged")
    ids = {span.span_id for span in spans}
    return next((span for span in spans if span.parent_span_id not in ids), spans[0])


def _finding_id(trace_id: str, one: Finding) -> str:
    """The same for the same finding, whenever and wherever it is recorded."""
    return _id_of(trace_id, one.code, one.subject, *one.spans)


def _id_of(*parts: object) -> str:
    identity = "\0".join(map(str, parts))
    return blake2b(identity.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


def _of_finding(one: Finding, now_ns: int) -> Evaluation:
    return Evaluation(
        name=one.code,
        label=one.severity.value,
        score=one.confidence,
        reason=". ".join(filter(None, (one.summary, one.advice))),
        source=EvaluationSource.FINDING,
        time_ns=now_ns,
    )


def _write(
    parts: Sequence[Part], judged: Sequence[tuple[Span, str, Evaluation]], settings: Settings | None = None
) -> None:
    from otel_mas.receiver.evaluations import write_evaluations

    ports = {part.trace_id: part._port for part in parts}
    for trace_id, port in ports.items():
        if not isinstance(port, StoreSource):
            raise UnsupportedQuery(
                f"{port.location} can only be read: marks and findings are recorded in a store, "
                "with --store PATH; `otel-mas import` makes one of files"
            )
        own = [one for one in judged if one[0].trace_id == trace_id]
        if own:
            into = settings or Settings.from_env(store=str(port.path))
            write_evaluations(into, own, may_ship=port.may_ship(trace_id))


__all__ = ["main_span", "mark", "record_evaluations", "record_findings"]
