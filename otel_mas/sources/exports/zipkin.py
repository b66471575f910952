"""Zipkin's JSON, version 2: a list of spans, or a list of traces that are lists of spans."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar, Final

import orjson

from otel_mas.model import SpanKind, StatusCode
from otel_mas.sources.exports.source import ExportSource, beginning, documents
from otel_mas.sources.exports.spans import ExportedEvent, ExportedSpan
from otel_mas.sources.first_object import names_of_first_object
from otel_mas.sources.restore import typed_value

_KINDS: Final = {kind.name: kind for kind in SpanKind}
_MICROSECOND_NS: Final = 1_000
_STATUS_CODE, _STATUS_MESSAGE = "otel.status_code", "otel.status_description"
_SCOPE_NAME, _SCOPE_VERSION = "otel.scope.name", "otel.scope.version"
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
        shared = _Shared(span for document in documents(path) for span in _flat(document))
        for document in documents(path):
            for span in _flat(document):
                try:
                    yield _span(span, *shared.ids(span))
                except (KeyError, TypeError, ValueError, AttributeError) as error:
                    problems.append(f"leaves out a span that cannot be read: {error!r}")


def _flat(spans: Iterable[Any]) -> Iterator[Mapping[str, Any]]:
    for one in spans:
        if isinstance(one, list):
            yield from one
        else:
            yield one


class _Shared:
    """Ids that a client's span shares with those of its servers, as B3 has them (`shared`).

    A server's span becomes one below the client's, with an id of its own. A span below such an id is the server's or
    the client's, whichever has its service, as in Zipkin; the server's where it is neither's, as in Jaeger.
    """

    def __init__(self, spans: Iterable[Any]) -> None:
        self._servers: dict[tuple[str, str], list[str]] = defaultdict(list)
        self._clients: dict[tuple[str, str], str] = {}
        for span in spans:
            if isinstance(span, Mapping) and "traceId" in span and "id" in span:
                key = str(span["traceId"]), str(span["id"])
                if _is_server(span):
                    self._servers[key].append(_service(span))
                else:
                    self._clients[key] = _service(span)

    def ids(self, span: Mapping[str, Any]) -> tuple[str, str | None]:
        """The id of a span, and the one of its parent."""
        trace, own, parent, service = span["traceId"], span["id"], span.get("parentId"), _service(span)
        if _is_server(span) and (trace, own) in self._clients:
            return _half(own, service), own
        client = self._clients.get((trace, parent)) if parent else None
        servers = self._servers.get((trace, parent)) if parent and client is not None else None
        if parent is None or not servers or (service == client and service not in servers):
            return own, parent
        return own, _half(parent, service if service in servers else servers[0])


def _is_server(span: Mapping[str, Any]) -> bool:
    return bool(span.get("shared")) or span.get("kind") == "SERVER"


def _service(span: Mapping[str, Any]) -> str:
    local = span.get("localEndpoint")
    return str(local.get("serviceName") or "") if isinstance(local, Mapping) else ""


def _half(shared: str, service: str) -> str:
    return f"{shared}/server/{service}"


def _span(span: Mapping[str, Any], own: str, parent: str | None) -> ExportedSpan:
    tags: dict[str, Any] = dict(span.get("tags") or {})
    error, status = tags.pop("error", None), tags.pop(_STATUS_CODE, "").upper()
    failed = status == "ERROR" or error not in (None, "false")
    start = int(span["timestamp"]) * _MICROSECOND_NS
    scope_name, scope_version = tags.pop(_SCOPE_NAME, ""), tags.pop(_SCOPE_VERSION, "")
    return ExportedSpan(
        trace_id=span["traceId"],
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
        service=_service(span),
        scope=(scope_name, scope_version, {}),
    )


def _event(annotation: Mapping[str, Any]) -> ExportedEvent:
    name, attributes = _named(str(annotation["value"]))
    return ExportedEvent(name, int(annotation["timestamp"]) * _MICROSECOND_NS, attributes)


def _named(value: str) -> tuple[str, Mapping[str, Any]]:
    """Name and attributes of an event, which OpenTelemetry writes as `"name":{...}`; with or without braces around."""
    if value.startswith(('"', "{")):
        try:
            found = orjson.loads(value if value.startswith("{") else f"{{{value}}}")
        except ValueError:
            return value, {}
        name, attributes = next(iter(found.items()), ("", None))
        if len(found) == 1 and isinstance(attributes, dict):
            return name, attributes
    return value, {}


def _peer(span: Mapping[str, Any]) -> dict[str, Any]:
    endpoint = span.get("remoteEndpoint") or {}
    return {name: endpoint[key] for key, name in _PEER.items() if key in endpoint}


__all__ = ["ZipkinFile"]
