"""Zipkin's JSON, version 2: a list of spans, or a list of traces that are lists of spans."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar, Final

from otel_mas.model import SpanKind, StatusCode
from otel_mas.sources.exports.source import ExportSource, beginning, documents
from otel_mas.sources.exports.spans import ExportedEvent, ExportedSpan
from otel_mas.sources.first_object import names_of_first_object
from otel_mas.sources.restore import typed_value

_KINDS: Final = {kind.name: kind for kind in SpanKind}
_MICROSECOND_NS: Final = 1_000
_SERVER_HALF: Final = "/server"
_STATUS_CODE, _STATUS_MESSAGE = "otel.status_code", "otel.status_description"
_PEER: Final = {"serviceName": "peer.service", "ipv4": "network.peer.address", "port": "network.peer.port"}


class ZipkinFile(ExportSource):
    """Files of Zipkin's JSON. A server's span that shares its id with the client's becomes a span below that one."""

    reads: ClassVar[str] = "Zipkin's JSON, version 2; a file, a folder or a pattern"
    form: ClassVar[str] = "file of Zipkin's JSON, version 2"
    suffixes: ClassVar[tuple[str, ...]] = (".json", ".jsonl", ".gz", ".zst")

    @staticmethod
    def is_one(path: Path) -> bool:
        head = beginning(path)
        return head[:1] == b"[" and {b"traceId", b"id"} <= names_of_first_object(head.lstrip(b"[ \t\r\n"))

    @classmethod
    def spans(cls, path: Path, problems: list[str]) -> Iterator[ExportedSpan]:
        for document in documents(path):
            flat = list(_flat(document))
            halves = Counter((one["traceId"], one["id"]) for one in flat)
            for span in flat:
                try:
                    yield _span(span, halves)
                except (KeyError, TypeError, ValueError, AttributeError) as error:
                    problems.append(f"leaves out a span that cannot be read: {error!r}")


def _flat(spans: Iterable[Any]) -> Iterator[Mapping[str, Any]]:
    for one in spans:
        if isinstance(one, list):
            yield from one
        else:
            yield one


def _span(span: Mapping[str, Any], halves: Mapping[tuple[str, str], int]) -> ExportedSpan:
    """A span of the document.

    Args:
        halves: how many spans have a trace and an id: two where client and server share one. A span below such an id
            is the server's, as in Jaeger's adjuster of Zipkin's ids.
    """
    trace, own, parent = span["traceId"], span["id"], span.get("parentId")
    is_server = span.get("kind") == "SERVER"
    if halves[trace, own] > 1 and is_server:
        own, parent = own + _SERVER_HALF, own
    elif parent and halves.get((trace, parent), 1) > 1:
        parent += _SERVER_HALF
    tags: dict[str, Any] = dict(span.get("tags") or {})
    error, status = tags.pop("error", None), tags.pop(_STATUS_CODE, "").upper()
    failed = status == "ERROR" or error not in (None, "false")
    start, local = int(span["timestamp"]) * _MICROSECOND_NS, span.get("localEndpoint") or {}
    return ExportedSpan(
        trace_id=trace,
        span_id=own,
        parent_id=parent,
        name=span.get("name", ""),
        start_ns=start,
        end_ns=start + int(span["duration"]) * _MICROSECOND_NS if "duration" in span else None,
        kind=_KINDS.get(span.get("kind", ""), SpanKind.INTERNAL),
        status=StatusCode.ERROR if failed else StatusCode.OK if status == "OK" else StatusCode.UNSET,
        message=tags.pop(_STATUS_MESSAGE, error if failed and error not in (None, "true") else "") or "",
        attributes={**{name: typed_value(name, tag) for name, tag in tags.items()}, **_peer(span)},
        events=[_event(one) for one in span.get("annotations") or ()],
        service=local.get("serviceName", ""),
    )


def _event(annotation: Mapping[str, Any]) -> ExportedEvent:
    return ExportedEvent(annotation["value"], int(annotation["timestamp"]) * _MICROSECOND_NS)


def _peer(span: Mapping[str, Any]) -> dict[str, Any]:
    endpoint = span.get("remoteEndpoint") or {}
    return {name: endpoint[key] for key, name in _PEER.items() if key in endpoint}


__all__ = ["ZipkinFile"]
