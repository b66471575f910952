"""Metrics of what a source has: the measurements of its spans, of a time or of all of them, and their totals."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from otel_mas.config import Settings
from otel_mas.metrics import Measure, Rules, ended
from otel_mas.metrics.totals import Totals
from otel_mas.model import ENDED, Query, Span
from otel_mas.model.dropped import DropReason
from otel_mas.semconv import RunOutcome, metrics
from otel_mas.semconv import attributes as names
from otel_mas.sources import Followed
from otel_mas.sources import Source as Port
from otel_mas.sources.server import download_once

if TYPE_CHECKING:
    from otel_mas.api.trace import Trace

_ALL: Final = 2**31
_GAVE_UP: Final = "gave-up"
_NEVER_NS: Final = 2**63


@dataclass(frozen=True, slots=True)
class Measurement:
    """One value of a metric, at the end of the span that it was measured on."""

    metric: str
    """Name in the table of metrics."""
    labels: Mapping[str, str]
    """By the names of attributes; those that do not apply are left out. `user.id`, too, where the span has it."""
    value: float
    time_ns: int
    """Nanoseconds since the Unix epoch."""
    trace_id: str
    span_id: str


def measured(spans: Iterable[Span], rules: Rules) -> Iterator[list[Measure]]:
    """The measurements of spans that come in the order in which they ended."""
    for span in spans:
        yield rules.measures(ended(span))


def measurements(port: Port, since_ns: int | None, until_ns: int | None) -> Iterator[Measurement]:
    """The measurements of the spans that ended in a time; of findings those of the runs that ended in it."""
    first, last = since_ns or 0, until_ns or _NEVER_NS
    found = ended_spans(port) if since_ns is None else _ended_in_traces(port, since_ns)
    for measures in measured(found, Rules()):
        for measure in measures:
            if first <= measure.span.last_ns <= last:
                yield _measurement(measure)


def ended_spans(port: Port) -> Iterator[Span]:
    """All ended spans of a source: of a store in the order of its log, else trace by trace."""
    if not isinstance(port, Followed):
        yield from _ended_in_traces(port, None)
        return
    tail = port.tail(from_start=True)
    try:
        while (changes := tail.changes()) is not None:
            yield from changes.ended
            if not changes.more:
                return
    finally:
        tail.close()


def _ended_in_traces(port: Port, ended_since_ns: int | None) -> Iterator[Span]:
    from otel_mas.api.queries import list_traces

    if "ended_since_ns" not in port.capabilities.filters:
        ended_since_ns = None  # the caller leaves out what ended before
    found = list_traces(port, Query(ended_since_ns=ended_since_ns, limit=_ALL))
    for summary in reversed(found):
        yield from in_order(port.trace(summary.trace_id).spans)


def in_order(spans: Sequence[Span]) -> list[Span]:
    """The spans that have ended, in that order; of those that ended together the one that started last is first."""
    # Stable, and a trace has parents before their children.
    found = [one for one in reversed(spans) if one.end_ns is not None]
    return sorted(found, key=lambda one: (one.last_ns, -one.start_ns))


def judgements(trace: Trace) -> list[Measure]:
    """The measurements of a run that take all of it: its findings."""
    found = trace.findings()
    judged = [Measure(metrics.MAS_FINDINGS, (one.code, one.severity.value), 1) for one in found]
    if any(one.code == _GAVE_UP for one in found):
        judged.append(Measure(metrics.MAS_RUN_GAVE_UP, (_name(trace),), 1))
    return judged


def _name(trace: Trace) -> str | None:
    named = (span.columns.get(names.GEN_AI_AGENT_NAME) for span in trace.spans if names.MAS_RUN_OUTCOME in span.columns)
    return next(named, None)


def overdue(traces: Iterable[Trace]) -> list[tuple[tuple[str | None, ...], float]]:
    """The number of overdue questions that wait for an answer, by node. `traces`: those that paused."""
    counts: dict[str | None, int] = {}
    for trace in traces:
        for asked in trace.questions():
            if asked.overdue and asked.ended_ns is None and asked.paused[0].trace_id == trace.trace_id:
                task = asked.paused[0].task_name
                counts[task] = counts.get(task, 0) + 1
    return [((task,), count) for task, count in counts.items()]


def has_ended(status: str) -> bool:
    """Whether a trace with this status has findings that stay."""
    return status in ENDED and status != RunOutcome.INTERRUPTED


def dropped(port: Port) -> list[tuple[tuple[str | None, ...], float]]:
    """Spans that recording processes told a store that they had dropped, by reason; nothing of other sources."""
    if not isinstance(port, Followed):
        return []
    from otel_mas.store.health import drops_of

    found = dict.fromkeys(DropReason, 0) | {one.reason: one.spans for one in drops_of(port.location)}
    return [((str(reason),), count) for reason, count in found.items()]


def totals_of(port: Port, *, findings: bool) -> Totals:
    """The metrics of all that a source has; `findings` and overdue questions, too, for which runs are read whole."""
    totals = Totals(Settings.from_env().metrics_max_labels)
    for measures in measured(ended_spans(port), Rules()):
        totals.add(measures)
    totals.replace(metrics.MAS_SPANS_DROPPED, dropped(port))
    if findings:
        _add_judgements(port, totals)
    return totals


def _add_judgements(port: Port, totals: Totals) -> None:
    from otel_mas.api.queries import list_traces
    from otel_mas.api.trace import Trace

    with download_once(listed=True):
        summaries = list_traces(port, Query(limit=_ALL))
        for one in summaries:
            if has_ended(one.status):
                totals.add(judgements(Trace(port.trace(one.trace_id), port)))
        paused = [one.trace_id for one in summaries if one.status == RunOutcome.INTERRUPTED]
        totals.replace(metrics.MAS_INTERRUPT_OVERDUE, overdue(Trace(port.trace(one), port) for one in paused))


def _measurement(measure: Measure) -> Measurement:
    metric, span = measure.metric, measure.span
    labels = {name: str(value) for name, value in zip(metric.labels, measure.labels, strict=True) if value is not None}
    user = span.get(names.USER_ID)
    if user is not None:
        labels[names.USER_ID] = str(user)
    return Measurement(metric.name, labels, measure.value, span.last_ns, span.trace_id, span.span_id)


__all__ = [
    "Measurement",
    "dropped",
    "ended_spans",
    "has_ended",
    "in_order",
    "judgements",
    "measured",
    "measurements",
    "overdue",
    "totals_of",
]
