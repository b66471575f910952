"""Log records of the app as JSON."""

from __future__ import annotations

from typing import Annotated, Any, TypedDict

from otel_mas.analyse.log import LogRecord


class LogRecordForm(TypedDict):
    time_ns: Annotated[int, "when it was logged: nanoseconds since the Unix epoch"]
    severity: Annotated[str, "the level's name, as the logging library has it"]
    severity_number: Annotated[int, "the level by OpenTelemetry's log data model, 1 to 24; 0 where it is not known"]
    logger: Annotated[str, "the logger's name"]
    message: Annotated[str, "with its arguments, redacted"]
    trace_id: Annotated[str, "32 hex digits"]
    span_id: Annotated[str, "the span it was logged in"]
    task: Annotated[str, "the task it was logged in, as `researcher#1/model#2`; outside of any the name of the run"]
    agent: Annotated[str | None, "the agent that the task works for"]
    source: Annotated[str | None, "file and line"]
    exception_type: Annotated[str | None, "of the exception that was logged with it"]
    exception_message: Annotated[str | None, "of that exception"]
    stacktrace: Annotated[str | None, "of that exception"]
    attributes: Annotated[dict[str, Any], "further fields that the app gave it"]


def log_record(one: LogRecord) -> LogRecordForm:
    """A record."""
    return {
        "time_ns": one.time_ns,
        "severity": one.severity,
        "severity_number": one.severity_number,
        "logger": one.logger,
        "message": one.message,
        "trace_id": one.trace_id,
        "span_id": one.span_id,
        "task": one.task,
        "agent": one.agent,
        "source": one.source,
        "exception_type": one.exception_type,
        "exception_message": one.exception_message,
        "stacktrace": one.stacktrace,
        "attributes": dict(one.attributes),
    }


__all__ = ["LogRecordForm", "log_record"]
