"""Spans of Datadog's LLM Observability: answers of its Export API, and what its libraries and its HTTP API send."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar, Final

from otel_mas.dialects.control_flow import is_control_flow, outcome_of
from otel_mas.model import StatusCode
from otel_mas.semconv import LinkKind, RecordKind, TaskOutcome
from otel_mas.semconv import attributes as names
from otel_mas.sources.exports.datadog_calls import call
from otel_mas.sources.exports.gen_ai import is_plain, json_text
from otel_mas.sources.exports.source import ExportSource, beginning, documents
from otel_mas.sources.exports.spans import ExportedEvent, ExportedSpan
from otel_mas.sources.first_object import names_of_first_object

_ROOT: Final = ("None", "", "0", "undefined")
"""Ids that stand for no parent."""
_EARLIEST_NS: Final = 10**14
"""Starts before it are in ms: the Export API's reference says ns, its example has ms. In ns it is 2 January 1970."""
_META: Final = "_ml_obs.meta"
_IO: Final = ("value", "messages", "documents", "parameters", "prompt")


class DatadogFile(ExportSource):
    """Files of LLM Observability's spans. They have the attributes that Datadog's libraries keep on their own spans,
    and those of the GenAI conventions; the service is the one of their tags, else the application."""

    reads: ClassVar[str] = (
        "spans of Datadog's LLM Observability, as its Export API answers; a file, a folder or a pattern"
    )
    form: ClassVar[str] = "file of Datadog's LLM Observability"
    suffixes: ClassVar[tuple[str, ...]] = (".json", ".jsonl", ".ndjson", ".gz", ".zst")

    @staticmethod
    def is_one(path: Path) -> bool:
        head = beginning(path)
        found = names_of_first_object(head.lstrip(b"[ \t\r\n"))
        if b"data" in found or {b"type", b"attributes"} <= found:
            return b'"start_ns"' in head and b'"trace_id"' in head
        return {b"event_type", b"spans"} <= found or {b"span_id", b"trace_id", b"start_ns"} <= found

    @classmethod
    def spans(cls, path: Path, problems: list[str]) -> Iterator[ExportedSpan]:
        # Links name the trace of Datadog's APM, where the same span has another trace id.
        traces = {
            str(span["span_id"]): str(span["trace_id"])
            for document in documents(path)
            for span, _ in _spans(document, {})
            if isinstance(span, Mapping) and "span_id" in span and "trace_id" in span
        }
        for document in documents(path):
            for span, around in _spans(document, {}):
                try:
                    yield _span(_flat(span, around), traces)
                except (KeyError, TypeError, ValueError, AttributeError) as error:
                    problems.append(f"leaves out a span that cannot be read: {error!r}")


def _spans(document: Any, around: Mapping[str, Any]) -> Iterator[tuple[Any, Mapping[str, Any]]]:
    """The spans of a document, each with what the document says of all of them.

    Args:
        around: the application, the session and tags, which a request to the HTTP API names once.
    """
    if isinstance(document, list):
        for one in document:
            yield from _spans(one, around)
    elif not isinstance(document, Mapping) or "span_id" in document:
        yield document, around
    elif "spans" in document:
        common = {key: document[key] for key in ("ml_app", "session_id", "tags") if key in document}
        yield from _spans(document["spans"], common)
    else:
        yield from _spans(document.get("attributes") or document.get("data"), around)


def _flat(span: Mapping[str, Any], around: Mapping[str, Any]) -> dict[str, Any]:
    """A span with its `meta` beside its other fields, as the Export API has it."""
    meta = span.get("meta") or {}
    kind = (meta.get("span") or {}).get("kind") or meta.get("span.kind") or meta.get("kind")
    tags = [*(around.get("tags") or ()), *(span.get("tags") or ())]
    return {**around, "span_kind": kind, **meta, **span, "tags": tags}


def _span(span: Mapping[str, Any], traces: Mapping[str, str]) -> ExportedSpan:
    tags = dict(tag.partition(":")[::2] for tag in span["tags"])
    given = span.get("error")
    error = given if isinstance(given, Mapping) else {}
    kind = error.get("type") or tags.get("error_type") or ""
    failed = span.get("status") == "error" and not is_control_flow(kind)
    start = int(span["start_ns"])
    start = start * 10**6 if start < _EARLIEST_NS else start
    end = start + int(span["duration"])
    message = error.get("message") or span.get("status_message") or ""
    exception = {
        names.EXCEPTION_TYPE: kind or None,
        names.EXCEPTION_MESSAGE: message or None,
        names.EXCEPTION_STACKTRACE: error.get("stack") or None,
    }
    service = tags.get("service") or span.get("ml_app") or tags.get("ml_app") or ""
    return ExportedSpan(
        trace_id=str(span["trace_id"]),
        span_id=_hex(span["span_id"]),
        parent_id=None if str(span.get("parent_id")) in _ROOT else _hex(span["parent_id"]),
        name=span["name"],
        start_ns=start,
        end_ns=end,
        status=StatusCode.ERROR if failed else StatusCode.UNSET,
        message=message if failed else "",
        attributes={**_attributes(span, tags), **call(span), **_task(span, tags, kind)},
        events=[ExportedEvent("exception", end, exception)] if any(exception.values()) else (),
        links=[_link(one, traces) for one in span.get("span_links") or ()],
        service=service,
        resource={
            "deployment.environment.name": tags.get("env") or None,
            names.SERVICE_VERSION: tags.get("version") or None,
            names.TELEMETRY_SDK_LANGUAGE: tags.get("language") or None,
        },
    )


def _attributes(span: Mapping[str, Any], tags: Mapping[str, str]) -> dict[str, Any]:
    """Attributes with the names that Datadog's libraries keep them under."""
    found: dict[str, Any] = {f"{_META}.span.kind": span.get("span_kind"), "_ml_obs.tags": span["tags"] or None}
    found |= {f"{_META}.{key}": span.get(key) for key in ("model_name", "model_provider")}
    found[f"{_META}.ml_app"] = span.get("ml_app") or tags.get("ml_app")
    for side in ("input", "output"):
        given = span.get(side)
        inside = given if isinstance(given, Mapping) else {"value": given}
        found |= {f"{_META}.{side}.{key}": json_text(inside.get(key)) for key in _IO}
    for key in ("metadata", "metrics"):
        for name, value in (span.get(key) or {}).items():
            prefix = "_ml_obs.metrics" if key == "metrics" else f"{_META}.metadata"
            found[f"{prefix}.{name}"] = value if is_plain(value) else json_text(value)
    found[f"{_META}.tool_definitions"] = json_text(span.get("tool_definitions") or None)
    session = span.get("session_id") or tags.get("session_id")
    found |= {names.SESSION_ID: session, names.GEN_AI_CONVERSATION_ID: session, "_ml_obs.session_id": session}
    found[names.USER_ID] = tags.get("user_id") or tags.get("usr.id")
    return {name: value for name, value in found.items() if value is not None}


def _task(span: Mapping[str, Any], tags: Mapping[str, str], error: str) -> dict[str, Any]:
    """Attributes of a node's task, where the library watched LangGraph; other spans of kind `task` are functions."""
    if span.get("span_kind") != "task" or tags.get("integration") != "langgraph":
        return {}
    outcome = TaskOutcome.OK
    if span.get("status") == "error":
        outcome = outcome_of(error)
    return {
        names.MAS_RECORD_KIND: RecordKind.AGENT_TASK.value,
        names.MAS_TASK_ID: _hex(span["span_id"]),
        names.MAS_TASK_NAME: span["name"],
        names.MAS_TASK_OUTCOME: outcome.value,
    }


def _link(link: Mapping[str, Any], traces: Mapping[str, str]) -> tuple[str, str, Mapping[str, Any]]:
    """A link. From an output to an input, the linked span is what this one waited for; others repeat parents."""
    attributes = dict(link.get("attributes") or {})
    if (attributes.get("from"), attributes.get("to")) == ("output", "input"):
        attributes[names.MAS_LINK_KIND] = LinkKind.TRIGGER.value
    span_id = str(link["span_id"])
    return traces.get(span_id, str(link["trace_id"])), _hex(span_id), attributes


def _hex(span_id: Any) -> str:
    """The id, which Datadog writes as a decimal number, in hexadecimal digits."""
    text = str(span_id)
    return f"{int(text):016x}" if text.isdecimal() and int(text) < 2**64 else text


__all__ = ["DatadogFile"]
