"""Jaeger's query API as its versions differ, and short ways to a source that reads from it."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from opentelemetry.proto.trace.v1.trace_pb2 import Span, TracesData

from otel_mas.sources.endpoint import Access, parse_endpoint
from otel_mas.sources.jaeger.grpc_client import JaegerGrpcClient
from otel_mas.sources.jaeger.http_client import JaegerHttpClient
from otel_mas.sources.jaeger.source import JaegerSource
from tests.conformance import lunch
from tests.conformance.messages import trace_id
from tests.unit.sources.answering import (
    Answer,
    Answering,
    Asked,
)

TRACE = trace_id(lunch.ASKING)
NOT_FOUND = Answer(404, b'{"error":{"httpCode":404,"message":"No traces found"}}\n', "text/plain; charset=utf-8")

NO_SERVICE = "this storage backend requires a service name to search; searching all services is not supported"


def as_json(*exports: TracesData) -> dict[str, Any]:
    """As Jaeger writes it: ids in hex, enums as numbers, 64-bit integers as text."""
    from google.protobuf.json_format import MessageToDict

    document: dict[str, Any] = {"resourceSpans": []}
    for one in exports:
        document["resourceSpans"] += MessageToDict(one, use_integers_for_enums=True)["resourceSpans"]

    def fix(value: Any, key: str = "") -> Any:
        if isinstance(value, dict):
            return {name: fix(held, name) for name, held in value.items()}
        if isinstance(value, list):
            return [fix(held) for held in value]
        if key in ("traceId", "spanId", "parentSpanId"):
            import base64

            return base64.b64decode(value).hex()
        return value

    fixed: dict[str, Any] = fix(document)
    return fixed


class FakeJaeger:
    """The query API of a version: up to 2.18 with attributes ignored and snake_case only, from 2.19 on otherwise.

    Args:
        by_service: its storage takes no search without a service, as badger and Cassandra do not.
    """

    def __init__(
        self,
        *,
        version: tuple[int, int],
        traces: dict[str, list[TracesData]],
        most: int = 1000,
        by_service: bool = False,
    ) -> None:
        self.version = version
        self.by_service = by_service
        self.traces = traces
        self.most = most

    def __call__(self, asked: Asked) -> Answer:
        if asked.path == "/api/v3/services":
            return self.json({"services": sorted({name for found in self.traces.values() for name in services(found)})})
        if asked.path.startswith("/api/v3/traces/"):
            found = self.traces.get(asked.path.rpartition("/")[2])
            return self.json({"result": as_json(*found)}) if found else NOT_FOUND
        if asked.path == "/api/v3/traces":
            return self.find(asked.query)
        return Answer(404, b"404 page not found\n", "text/plain")

    def find(self, query: dict[str, str]) -> Answer:
        if self.version < (2, 19):
            query = {name: value for name, value in query.items() if name != "query.attributes"}
            most = int(query.get("query.num_traces", "0"))
        else:
            most = int(query.get("query.searchDepth") or query.get("query.search_depth") or "100")
        if not 0 < most <= self.most:
            message = "search depth must be greater than 0 and less than max traces"
            return self.json({"error": {"httpCode": 500, "message": message}}, 500)
        if self.by_service and not query.get("query.service_name"):
            return self.json({"error": {"httpCode": 400, "message": NO_SERVICE}}, 400)
        wanted = json.loads(query.get("query.attributes", "{}"))
        window = [_unix_ns(query[f"query.start_time_{end}"]) for end in ("min", "max")]
        found = [
            one
            for one in self.traces.values()
            if query.get("query.service_name", "") in ("", *services(one))
            and wanted.items() <= attributes(one)
            and any(window[0] <= span.start_time_unix_nano <= window[1] for span in spans(one))
        ]
        if not found:
            return NOT_FOUND
        return self.json({"result": as_json(*(part for one in found[:most] for part in one))})

    def json(self, document: object, status: int = 200) -> Answer:
        kind = "text/plain; charset=utf-8" if self.version < (2, 19) else "application/json"
        return Answer(status, json.dumps(document).encode(), kind)


def _unix_ns(rfc3339: str) -> int:
    seconds, _, fraction = rfc3339.removesuffix("Z").partition(".")
    return int(datetime.fromisoformat(f"{seconds}+00:00").timestamp()) * 10**9 + int(fraction)


def spans(parts: list[TracesData]) -> list[Span]:
    return [one for part in parts for at in part.resource_spans for scope in at.scope_spans for one in scope.spans]


def services(parts: list[TracesData]) -> set[str]:
    return {
        pair.value.string_value
        for part in parts
        for at in part.resource_spans
        for pair in at.resource.attributes
        if pair.key == "service.name"
    }


def attributes(parts: list[TracesData]) -> set[tuple[str, str]]:
    return {
        (pair.key, pair.value.string_value)
        for part in parts
        for at in part.resource_spans
        for pair in [
            *at.resource.attributes,
            *(pair for scope in at.scope_spans for one in scope.spans for pair in one.attributes),
        ]
    }


LUNCH = {
    trace_id(lunch.ASKING): [lunch.EXPORTS[0]],
    trace_id(lunch.RESUMED): [lunch.EXPORTS[1]],
    trace_id(lunch.FOREIGN): [lunch.EXPORTS[2], lunch.EXPORTS[3]],
}


def http_client(server: Answering | int, path: str = "", **access: Any) -> JaegerHttpClient:
    port = server if isinstance(server, int) else server.port
    endpoint = parse_endpoint("jaeger+http", f"127.0.0.1:{port}{path}", 16686)
    return JaegerHttpClient(endpoint, Access(**{"timeout_s": 5.0, **access}))


def over_http(server: Answering | int, path: str = "", **access: Any) -> JaegerSource:
    return JaegerSource(http_client(server, path, **access))


def over_grpc(port: int, **access: Any) -> JaegerSource:
    endpoint = parse_endpoint("jaeger+grpc", f"127.0.0.1:{port}", 16685, paths=False)
    return JaegerSource(JaegerGrpcClient(endpoint, Access(**{"timeout_s": 5.0, **access})))
