"""Jaeger's query service over HTTP: version 3 of its API, with the parameter names that every 2.x takes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import orjson

from otel_mas.errors import SourceError
from otel_mas.sources.endpoint import Access, Endpoint
from otel_mas.sources.http_client import HttpClient, Reply, TooLarge
from otel_mas.sources.jaeger.query import GRPC_PORT, HTTP_PORT, SEARCH_DEPTH, JaegerSearch, ServiceRequired
from otel_mas.sources.newest import FewerTraces

if TYPE_CHECKING:
    from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans

_JSON = "application/json"
_SPANS = re.compile(rb'"resourceSpans"\s*:\s*\[\s*\{')


class JaegerHttpClient:
    """`/api/v3` below the endpoint's path."""

    def __init__(self, endpoint: Endpoint, access: Access) -> None:
        self.location = endpoint.location
        self._http = HttpClient(
            endpoint,
            access,
            product="Jaeger",
            hint=f"Jaeger's query service listens on {HTTP_PORT} unless told otherwise (gRPC: {GRPC_PORT});"
            " is there a base path in front of it?",
        )

    def trace(self, trace_id: str) -> Iterator[ResourceSpans]:
        # raw: as it was stored, without clocks adjusted and spans renamed for the user interface
        path = f"/api/v3/traces/{trace_id}"
        try:
            return self._spans(self._http.get(path, [("raw_traces", "true")], accept=_JSON, statuses=(200, 404)))
        except TooLarge as error:
            raise SourceError(f"{error}: read it over gRPC, jaeger+grpc://<host>:{GRPC_PORT}") from error

    def search(self, search: JaegerSearch) -> Iterator[ResourceSpans]:
        try:
            reply = self._http.get("/api/v3/traces", _parameters(search), accept=_JSON, statuses=(200, 400, 404, 500))
        except TooLarge as error:
            raise FewerTraces(str(error)) from error
        if reply.status in (400, 500):
            status_error = self._http.status_error(reply)
            if ServiceRequired.is_meant(reply.message):
                raise ServiceRequired(str(status_error))
            raise FewerTraces(str(status_error)) if SEARCH_DEPTH in reply.message else status_error
        return self._spans(reply)

    def takes_attributes(self, search: JaegerSearch) -> bool:
        # Versions before 2.19 ignore attributes, and give a trace: its first bytes will do.
        reply = self._http.get("/api/v3/traces", _parameters(search), accept=_JSON, statuses=(200, 404), beginning=True)
        return _SPANS.search(reply.body) is None

    def services(self) -> Sequence[str]:
        document = self._http.document(self._http.get("/api/v3/services", accept=_JSON))
        services = document.get("services") or []
        if not isinstance(services, list):
            raise self._http.not_this_server("no list of services")
        return sorted(str(service) for service in services)

    def close(self) -> None:
        """Nothing is kept open between requests."""

    def _spans(self, reply: Reply) -> Iterator[ResourceSpans]:
        from otel_mas.otlp.json import resource_spans

        document = self._http.document(reply)
        if reply.status == 404:
            # Without such a trace Jaeger answers with an error object; any other 404 is not of this API.
            if "error" not in document:
                raise self._http.status_error(reply)
            return
        if "result" not in document:
            raise self._http.status_error(reply) if "error" in document else self._http.not_this_server("no result")
        try:
            yield from resource_spans(document["result"])
        except ValueError as error:
            raise self._http.truncated(str(error)) from error


def _parameters(search: JaegerSearch) -> list[tuple[str, str]]:
    query = [
        ("query.start_time_min", _rfc3339(search.lo_ns)),
        ("query.start_time_max", _rfc3339(search.hi_ns)),
        ("query.num_traces", str(search.limit)),  # up to 2.18
        ("query.search_depth", str(search.limit)),
        ("query.raw_traces", "true"),
    ]
    if search.service:
        query.append(("query.service_name", search.service))
    if search.attributes:
        query.append(("query.attributes", orjson.dumps(dict(search.attributes)).decode()))
    return query


def _rfc3339(time_ns: int) -> str:
    seconds, nanos = divmod(time_ns, 10**9)
    try:
        moment = datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError, OSError) as error:
        raise SourceError(f"{time_ns} ns after 1970 is no time that Jaeger could be asked about") from error
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{nanos:09d}Z"
