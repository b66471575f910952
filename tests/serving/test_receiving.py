"""OTLP over HTTP and gRPC as the specification asks of a server: every request is answered as it says."""

from __future__ import annotations

import gzip
import sqlite3
import subprocess
import sys
import zlib
from collections.abc import Callable
from contextlib import closing
from typing import Any

import grpc
import orjson
import pytest
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord, LogsData, ResourceLogs, ScopeLogs
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, Span

import otel_mas
from otel_mas.semconv import attributes as names
from tests.conformance.lunch import PROCESSES
from tests.conformance.messages import OTHERS, export, process, span, span_id, trace_id
from tests.serving.server import Server, span_names

TRACES = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
LOGS = "/opentelemetry.proto.collector.logs.v1.LogsService/Export"
Serve = Callable[..., Server]


def request(*spans: Span, **attributes: str) -> bytes:
    return export(process({names.SERVICE_NAME: "shop", **attributes}, spans)).SerializeToString()


def call(server: Server, body: bytes, method: str = TRACES, **options: Any) -> bytes:
    """A call over gRPC."""
    with grpc.insecure_channel(server.grpc) as channel:
        answer: bytes = channel.unary_unary(method)(body, timeout=30, **options)
        return answer


def logs(*records: LogRecord) -> bytes:
    scope = ScopeLogs(scope=OTHERS, log_records=records)
    return LogsData(resource_logs=[ResourceLogs(scope_logs=[scope])]).SerializeToString()


def record(trace: int, number: int, message: str, **fields: Any) -> LogRecord:
    ids = {"trace_id": bytes.fromhex(trace_id(trace)), "span_id": bytes.fromhex(span_id(number))}
    return LogRecord(**{**ids, "body": AnyValue(string_value=message), "severity_number": 9, **fields})


def test_spans_come_over_both_transports_plain_and_compressed(serve: Serve) -> None:
    server = serve()
    bodies = [request(span(number, 1, f"span {number}", 0, 1)) for number in range(6)]

    assert server.post(bodies[0])[::2] == (200, b"")
    assert server.post(gzip.compress(bodies[1]), Content_Encoding="gzip")[::2] == (200, b"")
    assert server.post(zlib.compress(bodies[2]), Content_Encoding="deflate")[::2] == (200, b"")
    assert call(server, bodies[3]) == b""
    assert call(server, bodies[4], compression=grpc.Compression.Gzip) == b""
    assert call(server, bodies[5], compression=grpc.Compression.Deflate) == b""
    assert span_names(server.store) == [f"span {number}" for number in range(6)]


def test_json_is_answered_in_json(serve: Serve) -> None:
    server = serve()
    one = {
        "traceId": trace_id(1),
        "spanId": span_id(1),
        "name": "of JSON",
        "startTimeUnixNano": "1",
        "endTimeUnixNano": "2",
    }
    body = orjson.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [one, {"name": "no ids"}]}]}]})
    status, headers, answer = server.post(body, content_type="application/json; charset=utf-8")

    assert (status, headers["content-type"]) == (200, "application/json")
    assert orjson.loads(answer)["partialSuccess"]["rejectedSpans"] == "1"
    assert span_names(server.store) == ["of JSON"]
    assert server.post(b"{}", content_type="application/json")[::2] == (200, b"{}")


@pytest.mark.parametrize("body", [b"", export().SerializeToString(), export(ResourceSpans()).SerializeToString()])
def test_empty_requests_are_accepted(serve: Serve, body: bytes) -> None:
    server = serve()

    assert server.post(body)[0] == 200
    assert call(server, body) == b""


def test_spans_without_ids_are_a_partial_success(serve: Serve) -> None:
    server = serve()
    body = request(Span(name="no ids"), span(1, 1, "good", 0, 1))
    over_http = ExportTraceServiceResponse.FromString(server.post(body)[2]).partial_success
    over_grpc = ExportTraceServiceResponse.FromString(call(server, body)).partial_success

    assert over_http == over_grpc
    assert over_http.rejected_spans == 1
    assert "trace id" in over_http.error_message
    assert span_names(server.store) == ["good"]


def test_what_is_malformed_is_refused_for_good(serve: Serve) -> None:
    server = serve()
    status, headers, body = server.post(b"\xff\xff\xff")
    with pytest.raises(grpc.RpcError) as refused:
        call(server, b"\xff\xff\xff")

    assert (status, headers["content-type"]) == (400, "application/x-protobuf")
    assert "not OTLP" in Status.FromString(body).message
    assert "retry-after" not in headers
    assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT


@pytest.mark.parametrize(
    ("status", "method", "path", "headers"),
    [
        (404, "POST", "/v1/metrics", {"Content-Type": "application/x-protobuf"}),
        (405, "GET", "/v1/traces", {}),
        (415, "POST", "/v1/traces", {"Content-Type": "text/plain"}),
        (415, "POST", "/v1/traces", {"Content-Type": "application/x-protobuf", "Content-Encoding": "br"}),
        (403, "POST", "/v1/traces", {"Content-Type": "application/x-protobuf", "Host": "evil.example"}),
        (403, "POST", "/v1/traces", {"Content-Type": "application/json", "Origin": "http://evil.example"}),
    ],
)
def test_other_requests_are_refused_with_the_status_of_http(
    serve: Serve, status: int, method: str, path: str, headers: dict[str, str]
) -> None:
    assert serve().request(method, path, b"", headers)[0] == status


def test_a_span_that_comes_twice_is_one(serve: Serve) -> None:
    server = serve()
    body = export(*PROCESSES).SerializeToString()
    for _ in range(2):
        assert server.post(body)[0] == 200
        assert call(server, body) == b""

    assert len(span_names(server.store)) == sum(len(s.spans) for p in PROCESSES for s in p.scope_spans)


def test_spans_that_come_late_and_out_of_order_find_their_trace(serve: Serve) -> None:
    server = serve()
    child, root = span(1, 2, "child", 1, 2, parent=1), span(1, 1, "root", 0, 3)
    assert server.post(request(child))[0] == 200
    assert call(server, request(root)) == b""

    with otel_mas.open(server.store) as source:
        (summary,) = source.traces()
        assert (summary.name, summary.span_count) == ("root", 2)


def test_log_records_are_read_with_their_span(serve: Serve) -> None:
    server = serve()
    body = logs(record(1, 1, "tea is ready"), record(1, 1, "and cake", severity_text="WARN"), LogRecord())
    answer = ExportLogsServiceResponse.FromString(server.post(body, "/v1/logs")[2]).partial_success
    call(server, body, LOGS)  # again: they are there once
    server.post(request(span(1, 1, "kitchen", 0, 1)))

    assert answer.rejected_log_records == 1
    with otel_mas.open(server.store) as source:
        found = source.latest().logs()
    assert [(one.message, one.severity, one.severity_number) for one in found] == [
        ("tea is ready", "INFO", 9),
        ("and cake", "WARN", 9),
    ]


def test_a_trace_of_which_only_log_records_have_come_is_not_there_yet(serve: Serve) -> None:
    server = serve()
    server.post(logs(record(1, 1, "early")), "/v1/logs")
    before = server.request("GET", f"/api/v1/traces/{trace_id(1)}", at=server.page)
    listed = server.request("GET", "/api/v1/traces", at=server.page)
    server.post(request(span(1, 1, "late", 0, 1)))
    after = server.request("GET", f"/api/v1/traces/{trace_id(1)}", at=server.page)

    assert before[0] == 404
    assert b"no span" in before[2]
    assert orjson.loads(listed[2])["traces"] == []
    assert after[0] == 200


def test_what_is_acknowledged_outlives_a_kill(serve: Serve) -> None:
    server = serve()
    for number in range(20):
        assert call(server, request(span(number, 1, f"span {number:02}", 0, 1))) == b""
    server.kill()

    assert span_names(server.store) == [f"span {number:02}" for number in range(20)]


def test_probes_and_figures(serve: Serve) -> None:
    server = serve()
    server.post(request(span(1, 1, "one", 0, 1), Span()))
    server.post(b"\xff")
    for at in (server.http, server.page):
        assert server.request("GET", "/healthz", at=at)[0] == 200
        assert server.request("GET", "/readyz", at=at)[::2] == (200, b"ready\n")
    figures = {
        name: server.metric(f"mas_{name}")
        for name in ("receiver_accepted_total", "receiver_rejected_total", "receiver_refused_total")
    }

    assert figures == {"receiver_accepted_total": 1, "receiver_rejected_total": 1, "receiver_refused_total": 1}
    assert server.metric("mas_receiver_queue_size_bytes") == 0
    assert server.metric("mas_store_size_bytes") > 0
    assert server.metric("mas_receiver_commit_duration_seconds_count") == 1


APP = """
import sys
import otel_mas
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

provider = TracerProvider()
exporter = BatchSpanProcessor(OTLPSpanExporter(sys.argv[1], insecure=True))
provider.add_span_processor(exporter)
trace.set_tracer_provider(provider)
otel_mas.instrument(store=sys.argv[2])
with otel_mas.agent("boss"):
    pass
otel_mas.flush(30)
provider.shutdown()
"""


def test_a_span_that_is_recorded_and_exported_is_counted_once(serve: Serve) -> None:
    server = serve()
    subprocess.run([sys.executable, "-c", APP, f"http://{server.grpc}", str(server.store)], check=True, timeout=120)

    assert server.metric("mas_receiver_accepted_total") == 1
    with otel_mas.open(server.store) as source:
        (summary,) = source.traces()
    assert summary.span_count == 1


def test_personal_data_is_removed_where_settings_ask_for_it(serve: Serve) -> None:
    server = serve(OTEL_MAS_PERSONAL_DATA="email")
    text = "write to bob@example.com"
    server.post(request(span(1, 1, "mail", 0, 1, attributes={"input": text})))
    server.post(
        logs(record(1, 1, text, attributes=[KeyValue(key="to", value=AnyValue(string_value=text))])), "/v1/logs"
    )

    with otel_mas.open(server.store) as source:
        trace = source.latest()
        (received,), (logged,) = trace.spans, trace.logs()
    kept = f"{received.attributes} {logged.message} {logged.attributes}"
    assert "bob@example.com" not in kept
    assert kept.count("[email:") == 3


@pytest.mark.parametrize(("setting", "may_ship"), [({}, 0), ({"OTEL_MAS_RECEIVE_MAY_SHIP": "true"}, 1)])
def test_received_spans_leave_only_where_settings_say_so(serve: Serve, setting: dict[str, str], may_ship: int) -> None:
    server = serve(**setting)
    server.post(request(span(1, 1, "one", 0, 1)))

    with closing(sqlite3.connect(server.store)) as connection:
        assert connection.execute("SELECT may_ship FROM spans").fetchall() == [(may_ship,)]
