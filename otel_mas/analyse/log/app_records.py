"""Log records of the app that were kept with their spans."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from json import JSONDecodeError, loads
from typing import Any

from otel_mas.analyse.content import RunContent
from otel_mas.analyse.log.tasks import GraphTasks
from otel_mas.causal import CausalGraph
from otel_mas.model import Span
from otel_mas.semconv import attributes as names


@dataclass(frozen=True, slots=True)
class LogRecord:
    """One record, redacted, with the span that it was logged in."""

    time_ns: int
    """Nanoseconds since the Unix epoch."""
    severity: str
    """The level's name, as the logging library has it."""
    severity_number: int
    """The level by OpenTelemetry's log data model: 1 (TRACE) to 24 (FATAL4), 0 where it is not known."""
    logger: str
    message: str
    trace_id: str
    span_id: str
    task: str
    """The task it was logged in, as `CausalGraph.labels` has it; outside of any the name of the run."""
    agent: str | None = None
    source: str | None = None
    """File and line."""
    exception_type: str | None = None
    exception_message: str | None = None
    stacktrace: str | None = None
    attributes: Mapping[str, Any] = field(default_factory=dict)
    """Further fields that the app gave it."""


def logs(causal: CausalGraph, content: RunContent) -> tuple[LogRecord, ...]:
    """All records of a run, by time. Empty where the source keeps no content, or where none were kept."""
    tasks = GraphTasks(causal)
    found = [
        record for span in causal.spans for record in records_of(span, content, tasks.task(span), tasks.agent(span))
    ]
    return tuple(sorted(found, key=lambda record: record.time_ns))


def records_of(span: Span, content: RunContent, task: str = "", agent: str | None = None) -> Iterator[LogRecord]:
    """The records of one span, in the order in which they were kept."""
    value = content.get(span, names.MAS_LOG_RECORDS)
    if isinstance(value, str):  # on the span, as it is shipped
        try:
            value = loads(value)
        except JSONDecodeError:  # cut by a backend
            return
    for one in value if isinstance(value, list) else ():
        if isinstance(one, Mapping) and "message" in one:
            yield _record(one, span, task, agent)


def _record(one: Mapping[str, Any], span: Span, task: str, agent: str | None) -> LogRecord:
    error = one.get("exception")
    error = error if isinstance(error, Mapping) else {}
    extra = one.get("attributes")
    time_ns, number = one.get("time_ns"), one.get("severity_number")
    return LogRecord(
        time_ns if isinstance(time_ns, int) else span.start_ns,
        str(one.get("severity") or ""),
        number if isinstance(number, int) else 0,
        str(one.get("logger") or ""),
        str(one["message"]),
        span.trace_id,
        span.span_id,
        task,
        agent,
        _text(one, "source"),
        _text(error, "type"),
        _text(error, "message"),
        _text(error, "stacktrace"),
        dict(extra) if isinstance(extra, Mapping) else {},
    )


def _text(mapping: Mapping[str, Any], name: str) -> str | None:
    value = mapping.get(name)
    return None if value is None else str(value)


__all__ = ["LogRecord", "logs", "records_of"]
