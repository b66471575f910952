"""Events of a run: one at the start of each span that records something, and one for each error."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from otel_mas.analyse.content import NO_CONTENT, RunContent
from otel_mas.analyse.failures import failures
from otel_mas.analyse.profile.timing import Timing
from otel_mas.causal import CausalGraph
from otel_mas.causal.failed import failed
from otel_mas.model import Query, Span
from otel_mas.model.query import is_about
from otel_mas.semconv import RecordKind
from otel_mas.semconv import attributes as names

ERROR = "ERROR"
TYPES = tuple(dict.fromkeys([*(kind.value for kind in RecordKind), ERROR]))


@dataclass(frozen=True, slots=True)
class RunEvent:
    """One event. Times in ns since the epoch."""

    type: str
    """One of `TYPES`: a record kind, or ERROR."""
    time_ns: int
    """The span's start; of an error the end of the span in which it happened."""
    name: str
    """Name of the span."""
    agent: str | None
    node: str | None
    detail: str | None
    """The model, tool, choice, verdict, grade, peer or stage that it is about; of an error its type and message."""
    duration_ns: int | None
    """Nanoseconds that the span took; None while it has not ended, and for errors."""
    failed: bool
    trace_id: str
    span_id: str


def events(
    graph: CausalGraph, query: Query | None = None, type_: str | None = None, content: RunContent = NO_CONTENT
) -> tuple[RunEvent, ...]:
    """The events of a run that match, in the order of their times.

    Args:
        graph: Of one trace, or of the traces of a conversation.
        query: Its agent, operation, tool, model, error type and times are held against each event; its other
            conditions are about whole traces.
        type_: One of `TYPES`.
        content: For the messages of errors.
    """
    query = query or Query()
    timing = Timing(graph)
    found = [one for span, one in _events(timing, type_, content) if _matches(one, span, query)]
    return tuple(sorted(found, key=lambda one: (one.time_ns, one.type == ERROR, one.span_id)))


def _matches(one: RunEvent, span: Span, query: Query) -> bool:
    return (
        (query.agent is None or query.agent == one.agent)
        and (query.since_ns is None or one.time_ns >= query.since_ns)
        and (query.until_ns is None or one.time_ns <= query.until_ns)
        and is_about(span, query)
    )


def _events(timing: Timing, type_: str | None, content: RunContent) -> Iterator[tuple[Span, RunEvent]]:
    origins = {(span.trace_id, span.span_id) for span in failures(timing.spans)} if type_ in (None, ERROR) else set()
    for i, span in enumerate(timing.spans):
        if i in timing.ignored:
            continue
        kind = RecordKind.LLM_CALL.value if i in timing.calls else span.record_kind
        if kind in TYPES and type_ in (None, kind):
            yield span, _event(timing, i, kind, span.start_ns, _detail(span, kind))
        if (span.trace_id, span.span_id) in origins:
            words = (span.columns.get(names.ERROR_TYPE), content.error_message(span))
            yield span, _event(timing, i, ERROR, timing.graph.ends[i], ": ".join(str(one) for one in words if one))


def _event(timing: Timing, i: int, type_: str, time_ns: int, detail: str | None) -> RunEvent:
    span = timing.spans[i]
    return RunEvent(
        type=type_,
        time_ns=time_ns,
        name=span.name,
        agent=timing.agent(i) or span.agent,
        node=timing.node(i),
        detail=detail or None,
        duration_ns=None if span.end_ns is None or type_ == ERROR else span.duration_ns,
        failed=failed(span),
        trace_id=span.trace_id,
        span_id=span.span_id,
    )


def _joined(span: Span, name: str) -> str:
    value = span.get(name)
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else "" if value is None else str(value)


_DETAILS: Mapping[str, Callable[[Span], str]] = {
    RecordKind.LLM_CALL: lambda span: (
        _joined(span, names.GEN_AI_RESPONSE_MODEL) or _joined(span, names.GEN_AI_REQUEST_MODEL)
    ),
    RecordKind.TOOL_CALL: lambda span: _joined(span, names.GEN_AI_TOOL_NAME),
    RecordKind.ROUTING_DECISION: lambda span: f"→ {_joined(span, names.MAS_ROUTING_CHOICE)}",
    RecordKind.GUARDRAIL: lambda span: _joined(span, names.MAS_GUARDRAIL_VERDICT),
    RecordKind.EVALUATION: lambda span: (
        _joined(span, names.GEN_AI_EVALUATION_SCORE_LABEL) or _joined(span, names.GEN_AI_EVALUATION_SCORE_VALUE)
    ),
    RecordKind.SEND: lambda span: _joined(span, names.MAS_MESSAGE_PEER),
    RecordKind.RECEIVE: lambda span: _joined(span, names.MAS_MESSAGE_PEER),
    RecordKind.AGENT_TASK: lambda span: _joined(span, names.MAS_TASK_OUTCOME),
    RecordKind.WORKFLOW: lambda span: _joined(span, names.MAS_RUN_OUTCOME),
}


def _detail(span: Span, kind: str) -> str | None:
    words = _DETAILS.get(kind)
    return None if words is None else words(span)


__all__ = ["ERROR", "TYPES", "RunEvent", "events"]
