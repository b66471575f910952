"""Langfuse's JSON: traces as its UI downloads them, what its API answers, and its exports of observations."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar, Final

from otel_mas.dialects.control_flow import error_type_of, is_control_flow
from otel_mas.model import StatusCode
from otel_mas.semconv import attributes as names
from otel_mas.sources.exports import langfuse_names as langfuse
from otel_mas.sources.exports.gen_ai import json_text
from otel_mas.sources.exports.langfuse_calls import call
from otel_mas.sources.exports.langfuse_metadata import original_of
from otel_mas.sources.exports.source import ExportSource, beginning, documents
from otel_mas.sources.exports.spans import ExportedEvent, ExportedSpan, iso_ns
from otel_mas.sources.first_object import names_of_first_object

_UNDERSCORE: Final = re.compile(r"_([a-z])")
_BEGINNINGS: Final = (
    {b"trace", b"id", b"timestamp"},
    {b"id", b"traceId", b"startTime", b"type"},
    {b"id", b"trace_id", b"start_time", b"type"},
    {b"id", b"timestamp", b"bookmarked"},
)
"""Names in the first object, and in its `trace`: a download of the UI, an observation, one of an export to a bucket, a
trace of the API."""
_NODE: Final = "langgraph_node"
_OF_OBSERVATION: Final = {
    "input": langfuse.INPUT,
    "output": langfuse.OUTPUT,
    "level": langfuse.LEVEL,
    "statusMessage": langfuse.STATUS_MESSAGE,
    "model": langfuse.MODEL,
    "modelParameters": langfuse.MODEL_PARAMETERS,
    "usageDetails": langfuse.USAGE_DETAILS,
    "costDetails": langfuse.COST_DETAILS,
    "completionStartTime": langfuse.COMPLETION_START_TIME,
    "promptName": langfuse.PROMPT_NAME,
    "promptVersion": langfuse.PROMPT_VERSION,
    "toolCalls": langfuse.TOOL_CALLS,
    "toolCallNames": langfuse.TOOL_CALL_NAMES,
    "toolDefinitions": langfuse.TOOL_DEFINITIONS,
}
_OF_TRACE: Final = {"name": langfuse.TRACE_NAME, "tags": langfuse.TRACE_TAGS, "release": langfuse.RELEASE}
_OF_ROOT: Final = {"input": langfuse.TRACE_INPUT, "output": langfuse.TRACE_OUTPUT}


class LangfuseFile(ExportSource):
    """Files of Langfuse's JSON. Spans have the attributes, resource and scope that they came to Langfuse with, and
    what Langfuse made of them by the names of its own SDK; the session is the conversation."""

    reads: ClassVar[str] = "JSON of Langfuse's UI, API and exports; a file, a folder or a pattern"
    form: ClassVar[str] = "file of Langfuse's JSON"
    suffixes: ClassVar[tuple[str, ...]] = (".json", ".jsonl", ".ndjson", ".gz", ".zst")

    @staticmethod
    def is_one(path: Path) -> bool:
        head = beginning(path)
        found = names_of_first_object(head.lstrip(b"[ \t\r\n"), inside=(b"trace",))
        page = b"data" in found and b'"parentObservationId"' in head
        return page or any(wanted <= found for wanted in _BEGINNINGS)

    @classmethod
    def spans(cls, path: Path, problems: list[str]) -> Iterator[ExportedSpan]:
        for document in documents(path):
            for observation, trace in _observations(document, {}):
                try:
                    yield _span(_camel(observation), _camel(trace))
                except (KeyError, TypeError, ValueError, AttributeError) as error:
                    problems.append(f"leaves out an observation that cannot be read: {error!r}")


def _observations(document: Any, trace: Mapping[str, Any]) -> Iterator[tuple[Any, Mapping[str, Any]]]:
    """Each observation of a document, with its trace where that is there too."""
    if isinstance(document, list):
        for one in document:
            yield from _observations(one, trace)
    elif not isinstance(document, Mapping):
        yield document, trace
    elif "observations" in document:
        yield from _observations(document["observations"], document.get("trace") or document)
    elif isinstance(document.get("data"), list):
        yield from _observations(document["data"], trace)
    else:
        yield document, trace


def _camel(row: Mapping[str, Any]) -> Mapping[str, Any]:
    """The row with the API's names: exports to a bucket have those of the columns, `trace_id` for `traceId`."""
    if "start_time" not in row and "session_id" not in row:
        return row
    return {_UNDERSCORE.sub(lambda found: found[1].upper(), key): value for key, value in row.items()}


def _span(observation: Mapping[str, Any], trace: Mapping[str, Any]) -> ExportedSpan:
    original = original_of(observation.get("metadata"))
    kind, level = observation["type"], observation.get("level")
    message = observation.get("statusMessage") or ""
    pauses = level == "ERROR" and is_control_flow(message)
    failed = level == "ERROR" and not pauses
    start = iso_ns(observation["startTime"])
    ends = observation.get("endTime")
    end = iso_ns(ends) if ends else start if kind == "EVENT" else None
    # A node of LangGraph, whose type is guessed from its name, is a task: the dialects of its metadata know it.
    is_node = original.metadata.get(_NODE) == observation.get("name")
    calls = {} if is_node else call(observation, original.attributes)
    given = _langfuse(observation, trace, original.metadata)
    return ExportedSpan(
        trace_id=observation["traceId"],
        span_id=observation["id"],
        parent_id=observation.get("parentObservationId") or None,
        name=observation.get("name") or "",
        start_ns=start,
        end_ns=end,
        status=StatusCode.ERROR if failed else StatusCode.UNSET,
        message=message if failed else "",
        attributes={**given, **calls, **original.attributes},
        events=[_exception(message, start if end is None else end)] if pauses else (),
        resource=original.resource,
        scope=original.scope,
    )


def _exception(message: str, at: int) -> ExportedEvent:
    return ExportedEvent(
        "exception", at, {names.EXCEPTION_TYPE: error_type_of(message), names.EXCEPTION_MESSAGE: message}
    )


def _langfuse(observation: Mapping[str, Any], trace: Mapping[str, Any], metadata: Mapping[str, Any]) -> dict[str, Any]:
    """Attributes for what Langfuse says of the observation and its trace, named as on spans of its SDK."""
    # An observation of an export, or of the newer API, says what is of its trace itself.
    of_trace = {key: observation.get(key) or trace.get(key) for key in ("tags", "release", "sessionId", "userId")}
    of_trace["name"] = observation.get("traceName") or trace.get("name")
    found: dict[str, Any] = {langfuse.TYPE: observation["type"].lower()}
    found |= {name: json_text(observation.get(key) or None) for key, name in _OF_OBSERVATION.items()}
    found[langfuse.MODEL] = observation.get("model") or observation.get("providedModelName")
    found |= _below(langfuse.METADATA, metadata)
    found |= {name: of_trace.get(key) or None for key, name in _OF_TRACE.items()}
    found[langfuse.ENVIRONMENT] = observation.get("environment") or trace.get("environment")
    found[langfuse.VERSION] = observation.get("version") or trace.get("version")
    if not observation.get("parentObservationId"):
        found |= {name: json_text(trace.get(key) or None) for key, name in _OF_ROOT.items()}
        found |= _below(langfuse.TRACE_METADATA, original_of(trace.get("metadata")).metadata)
    found |= {names.SESSION_ID: of_trace["sessionId"], names.USER_ID: of_trace["userId"]}
    found[names.GEN_AI_CONVERSATION_ID] = of_trace["sessionId"] or metadata.get("thread_id")
    return {name: value for name, value in found.items() if value is not None}


def _below(name: str, metadata: Mapping[str, Any]) -> dict[str, Any]:
    return {f"{name}.{key}" if key else name: value for key, value in metadata.items()}


__all__ = ["LangfuseFile"]
