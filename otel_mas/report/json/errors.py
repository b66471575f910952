"""`otel-mas error --json`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, TypedDict

from otel_mas.analyse.error_report import ErrorReport
from otel_mas.analyse.failures import ErrorOutcome
from otel_mas.analyse.traceback_text import ExceptionInStack, StackFrame
from otel_mas.report.forms import form_of
from otel_mas.report.json.fields import OMITTED, PROBLEMS, TIME
from otel_mas.report.json.state import ChannelForm, channel

_OUTCOMES = {
    ErrorOutcome.ENDED_THE_RUN: "ended the run",
    ErrorOutcome.HANDLED: "handled",
    ErrorOutcome.UNKNOWN: "unknown",
}


class SourceLineForm(TypedDict):
    number: Annotated[int, "number of the line"]
    text: Annotated[str, "the line; redacted"]


class FrameForm(TypedDict):
    file: Annotated[str, "path of the file"]
    line: Annotated[int, "number of the line"]
    function: Annotated[str, "name of the function"]
    source: Annotated[str | None, "the line as it was when the error was recorded; null where it was not to be had"]
    around: Annotated[list[SourceLineForm], "that line and those around it; none where they were not recorded"]


class ExceptionForm(TypedDict):
    type: Annotated[str, "class of the exception"]
    message: Annotated[str, "its message and notes"]
    relation: Annotated[str, "raised, cause or context (of the next one), or member (of an exception group)"]
    frames: Annotated[list[FrameForm], "its frames, the innermost last"]


class RaisedForm(TypedDict):
    span_id: Annotated[str, "16 hex digits"]
    task: Annotated[str, "label of the task"]
    type: Annotated[str, "class of the exception"]
    message: Annotated[str | None, "its message; null where it is not kept"]


class NamedTextForm(TypedDict):
    name: Annotated[str, "name of it"]
    text: Annotated[str, "the text"]


class LedForm(TypedDict):
    span_id: Annotated[str, "16 hex digits"]
    task: Annotated[str, "label of the task, or the name of the run"]
    kind: Annotated[str, "how it caused the next one: a `mas.link.kind`, or child"]
    provenance: Annotated[str, "recorded, metadata or inferred"]
    decision: Annotated[str | None, "its decision for the next one, with the reason; null where there was none"]


class SiblingForm(TypedDict):
    span_id: Annotated[str, "16 hex digits"]
    task: Annotated[str, "label of the task"]
    outcome: Annotated[str | None, "`mas.task.outcome`; null where it has not ended"]
    error_type: Annotated[str | None, "class of its own error"]
    duration_ns: Annotated[int, "nanoseconds"]


class ErrorForm(TypedDict):
    trace_id: Annotated[str, "32 hex digits"]
    span_id: Annotated[str, "the span in which the error happened"]
    task: Annotated[str, "label of the task, with the span where it is one inside"]
    time_ns: Annotated[int, f"when that span ended{TIME}"]
    type: Annotated[str, "class of the exception"]
    message: Annotated[str | None, "its message; null where it is not kept"]
    missing: Annotated[str | None, "why there is no message and no stack; null where there is"]
    outcome: Annotated[str, ", ".join(_OUTCOMES.values())]
    handled_by: Annotated[list[str], "labels of the tasks that dealt with it"]
    stack: Annotated[str | None, "as Python wrote it when it happened; redacted"]
    exceptions: Annotated[list[ExceptionForm], "the exceptions in the stack, causes first", OMITTED]
    raised: Annotated[list[RaisedForm], "errors of the spans around that were raised from it", OMITTED]
    attempts: Annotated[list[str], "span ids of earlier attempts that failed alike"]
    ids: Annotated[dict[str, str], "trace, span, conversation, task, checkpoint, tool call, user, run", OMITTED]
    inputs: Annotated[list[NamedTextForm], "arguments, query, newest messages that it was given", OMITTED]
    state: Annotated[list[ChannelForm], "the channels that its task read", OMITTED]
    notes: Annotated[list[str], "what is not known of that state, in words"]
    causes: Annotated[list[LedForm], "from the start of the run to the task", OMITTED]
    siblings: Annotated[list[SiblingForm], "tasks of the same step", OMITTED]
    environment: Annotated[dict[str, str], "service, Python, system, versions of packages", OMITTED]


class ErrorsDocument(TypedDict):
    errors: Annotated[list[ErrorForm], "those that ended a run first"]
    problems: Annotated[list[str], PROBLEMS]


def errors(reports: Sequence[ErrorReport], problems: Sequence[str]) -> ErrorsDocument:
    """A form for each error."""
    return {"errors": [error(one) for one in reports], "problems": list(problems)}


def error(one: ErrorReport) -> ErrorForm:
    """All that is known of an error."""
    return {
        "trace_id": one.span.trace_id,
        "span_id": one.span.span_id,
        "task": one.task,
        "time_ns": one.span.last_ns,
        "type": one.type,
        "message": one.message,
        "missing": one.missing,
        "outcome": _OUTCOMES[one.outcome],
        "handled_by": list(one.handled_by),
        "stack": one.stack,
        "exceptions": [_exception(part) for part in one.exceptions],
        "raised": [
            {"span_id": part.span.span_id, "task": part.task, "type": part.type, "message": part.message}
            for part in one.raised
        ],
        "attempts": [span.span_id for span in one.attempts],
        "ids": dict(one.ids),
        "inputs": [{"name": name, "text": text} for name, text in one.inputs],
        "state": [channel(part) for part in (one.state.channels if one.state is not None else ())],
        "notes": list(one.state.notes) if one.state is not None else [],
        "causes": [form_of(LedForm, part, span_id=part.span.span_id) for part in one.causes],
        "siblings": [
            form_of(
                SiblingForm,
                part,
                span_id=part.span.span_id,
                error_type=part.error,
                duration_ns=part.span.duration_ns,
            )
            for part in one.siblings
        ],
        "environment": dict(one.environment),
    }


def _exception(one: ExceptionInStack) -> ExceptionForm:
    return {
        "type": one.type,
        "message": one.message,
        "relation": one.relation.value,
        "frames": [_frame(frame) for frame in one.frames],
    }


def _frame(one: StackFrame) -> FrameForm:
    around: list[SourceLineForm] = [{"number": number, "text": text} for number, text in one.around]
    return form_of(FrameForm, one, around=around)


__all__ = ["ErrorForm", "ErrorsDocument", "error", "errors"]
