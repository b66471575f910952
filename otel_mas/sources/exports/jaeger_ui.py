"""Jaeger's own JSON: what its UI downloads and loads, and what its older HTTP API answers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Final

from otel_mas.model import SpanKind, StatusCode
from otel_mas.sources.exports.source import ExportSource, beginning, documents
from otel_mas.sources.exports.spans import ExportedEvent, ExportedSpan
from otel_mas.sources.first_object import names_of_first_object

_ERROR, _KIND = "error", "span.kind"
_STATUS_CODE, _STATUS_MESSAGE = "otel.status_code", "otel.status_description"
_SCOPE_NAME, _SCOPE_VERSION = "otel.scope.name", "otel.scope.version"
_KINDS: Final = {kind.name.lower(): kind for kind in SpanKind}
_MICROSECOND_NS: Final = 1_000


class JaegerUiFile(ExportSource):
    """Files of Jaeger's JSON. References that are no parent become links, logs become events."""

    reads: ClassVar[str] = "JSON that Jaeger's UI downloads; a file, a folder or a pattern"
    form: ClassVar[str] = "file of Jaeger's JSON"
    suffixes: ClassVar[tuple[str, ...]] = (".json", ".jsonl", ".gz", ".zst")

    @staticmethod
    def is_one(path: Path) -> bool:
        head = beginning(path)
        found = names_of_first_object(head)
        return b'"traceID"' in head and (b"data" in found or {b"traceID", b"spans"} <= found)

    @classmethod
    def spans(cls, path: Path, problems: list[str]) -> Iterator[ExportedSpan]:
        for document in documents(path):
            for trace in document.get("data", [document]):
                processes = {key: _process(one) for key, one in trace["processes"].items()}
                for span in trace["spans"]:
                    try:
                        yield _span(span, processes)
                    except (KeyError, TypeError, ValueError) as error:
                        problems.append(f"leaves out a span that cannot be read: {error!r}")


def _process(process: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    return process.get("serviceName", ""), _tags(process.get("tags"))


def _span(span: Mapping[str, Any], processes: Mapping[str, tuple[str, dict[str, Any]]]) -> ExportedSpan:
    """A span of the document. Jaeger draws the first reference inside of the trace as its parent, CHILD_OF first."""
    own = [one for one in span.get("references") or () if one["traceID"] == span["traceID"]]
    parent = next((one for one in own if one["refType"] == "CHILD_OF"), own[0] if own else None)
    service, resource = processes.get(span.get("processID", ""), ("", {}))
    tags = _tags(span.get("tags"))
    status = str(tags.pop(_STATUS_CODE, "")).upper()
    failed = tags.pop(_ERROR, False) in (True, "true") or status == "ERROR"
    start = int(span["startTime"]) * _MICROSECOND_NS
    return ExportedSpan(
        trace_id=span["traceID"],
        span_id=span["spanID"],
        parent_id=parent["spanID"] if parent else span.get("parentSpanID") or None,
        name=span["operationName"],
        start_ns=start,
        end_ns=start + int(span["duration"]) * _MICROSECOND_NS,
        kind=_KINDS.get(str(tags.pop(_KIND, "internal")).lower(), SpanKind.INTERNAL),
        status=StatusCode.ERROR if failed else StatusCode.OK if status == "OK" else StatusCode.UNSET,
        message=str(tags.pop(_STATUS_MESSAGE, "")),
        attributes=tags,
        events=[_event(one) for one in span.get("logs") or ()],
        links=[(one["traceID"], one["spanID"], {}) for one in span.get("references") or () if one is not parent],
        service=service,
        resource=resource,
        scope=(str(tags.pop(_SCOPE_NAME, "")), str(tags.pop(_SCOPE_VERSION, "")), {}),
    )


def _event(log: Mapping[str, Any]) -> ExportedEvent:
    fields = _tags(log.get("fields"))
    return ExportedEvent(str(fields.pop("event", "log")), int(log["timestamp"]) * _MICROSECOND_NS, fields)


def _tags(tags: Sequence[Mapping[str, Any]] | None) -> dict[str, Any]:
    return {tag["key"]: tag["value"] for tag in tags or ()}


__all__ = ["JaegerUiFile"]
