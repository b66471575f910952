"""Jaeger's query service over HTTP: version 3 of its API, with the parameter names that every 2.x takes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import orjson

from otel_mas.errors import SourceError
from otel_mas.sources.endpoint import Access, Endpoint
from otel_mas.sources.http_client import HttpClient, Reply, TooLarge
from otel_mas.sources.jaeger.source import GRPC_PORT, HTTP_PORT, Search, ServiceRequired
from otel_mas.sources.newest import FewerTraces

if TYPE_CHECKING:
    from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans

_JSON = "application/json"
_DEPTH = "search depth"


class JaegerOverHttp:
    """`/api/v3` below the endpoint's path."""

    def __init__(self, endpoint: Endpoint, access: Access) -> None:
        self.location = endpoint.location
        self._http = HttpClient(
            endpoint,
            access,
            what="Jaeger",
            hint=f"Jaeger's query service listens on {HTTP_PORT} unless told otherwise (gRPC: {GRPC_PORT});"
            " is there a base path in front of it?",
        )

    def trace(self, trace_id: str) -> Iterator[ResourceSpans]:
        # raw: as it was stored, without clocks adjusted and spans renamed for the user interface
        path = f"/api/v3/traces/{trace_id}"
        try:
            return self._spans(self._http.get(path, [("raw_traces", "true")], accept=_JSON, answers=(200, 404)))
        except TooLarge as error:
            raise SourceError(f"{error}: read it over gRPC, jaeger+grpc://<host>:{GRPC_PORT}") from error

    def search(self, search: Search) -> Iterator[ResourceSpans]:
        query = [
            ("query.start_time_min", _rfc3339(search.lo_ns)),
            ("query.start_time_max", _rfc3339(search.hi_ns)),
            ("query.num_traces", str(search.most)),  # up to 2.18
            ("query.search_depth", str(search.most)),
            ("query.raw_traces", "true"),
        ]
        if search.service:
            query.append(("query.service_name", search.service))
        if search.attributes:
            query.append(("query.attributes", orjson.dumps(dict(search.attributes)).decode()))
        try:
            reply = self._http.get("/api/v3/traces", query, accept=_JSON, answers=(200, 400, 404, 500))
        except TooLarge as error:
            raise FewerTraces(str(error)) from error
        if reply.status in (400, 500):
            refusal = self._http.refusal(reply)
            if ServiceRequired.is_meant(reply.says):
                raise ServiceRequired(str(refusal))
            raise FewerTraces(str(refusal)) if _DEPTH in reply.says else refusal
        return self._spans(reply)

    def services(self) -> Sequence[str]:
        document = self._parsed(self._http.get("/api/v3/services", accept=_JSON))
        services = document.get("services") or []
        if not isinstance(services, list):
            raise self._http.stranger("no list of services")
        return sorted(str(service) for service in services)

    def close(self) -> None:
        """Nothing is kept open between requests."""

    def _spans(self, reply: Reply) -> Iterator[ResourceSpans]:
        from otel_mas.otlp.json import resource_spans

        document = self._parsed(reply)
        if reply.status == 404:
            # Jaeger says so in an object of its own; whoever else says 404 knows nothing of the API.
            if "error" not in document:
                raise self._http.refusal(reply)
            return
        if "result" not in document:
            raise self._http.refusal(reply) if "error" in document else self._http.stranger("no result")
        try:
            yield from resource_spans(document["result"])
        except ValueError as error:
            raise self._http.broken(str(error)) from error

    def _parsed(self, reply: Reply) -> dict[str, Any]:
        if reply.is_page:
            raise self._http.stranger(f"{reply.status}, a web page")
        try:
            document = orjson.loads(reply.body)
        except orjson.JSONDecodeError as error:
            if reply.status != 200:
                raise self._http.refusal(reply) from error
            if reply.body.lstrip().startswith(b"{"):
                raise self._http.broken("it ends in the middle" if _cut(error, reply.body) else str(error)) from error
            raise self._http.stranger(f"{reply.status}, no JSON") from error
        if not isinstance(document, dict):
            raise self._http.stranger("JSON, but no object")
        return document


def _cut(error: orjson.JSONDecodeError, body: bytes) -> bool:
    return "end of data" in error.msg or "EOF" in error.msg or error.pos >= len(body) - 1


def _rfc3339(time_ns: int) -> str:
    seconds, nanos = divmod(time_ns, 10**9)
    try:
        moment = datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError, OSError) as error:
        raise SourceError(f"{time_ns} ns after 1970 is no time that Jaeger could be asked about") from error
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{nanos:09d}Z"
