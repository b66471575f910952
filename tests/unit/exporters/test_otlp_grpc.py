"""OTLP over gRPC against a server that takes, refuses, delays and asks to wait."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.duration_pb2 import Duration
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTracePartialSuccess,
    ExportTraceServiceResponse,
)

from otel_mas.config import Settings
from otel_mas.shipping import Accepted, Refused, Unavailable
from otel_mas_exporters.otlp import OtlpDestination

P = "OTEL_EXPORTER_OTLP_"
CODE = grpc.StatusCode


def destination(url: str, **environ: str) -> OtlpDestination:
    given = {P + name: value for name, value in {"PROTOCOL": "grpc", **environ}.items()}
    return OtlpDestination.open(url, Settings(), given)


def aborting(code: grpc.StatusCode, delay_s: float | None = None) -> Any:
    def answer(request: Any, context: Any) -> bytes:
        if delay_s is not None:
            packed = AnyMessage()
            packed.Pack(RetryInfo(retry_delay=Duration(nanos=int(delay_s * 1e9))))
            status = Status(code=code.value[0], details=[packed])
            context.set_trailing_metadata((("grpc-status-details-bin", status.SerializeToString()),))
        context.abort(code, "why not")
        return b""

    return answer


def test_a_request_has_its_spans_and_its_headers(grpc_server: Any, rows: Any) -> None:
    there = destination(grpc_server.url, HEADERS="authorization=Bearer%20x")

    assert there.send(rows("a", "b")) == Accepted()
    assert there.send(()) == Accepted()
    assert grpc_server.requests[0].names == ["a", "b"]
    assert grpc_server.requests[0].headers["authorization"] == "Bearer x"
    assert "otel-mas" in grpc_server.requests[0].headers["user-agent"]
    there.close()


def test_gzip(grpc_server: Any, rows: Any) -> None:
    assert destination(grpc_server.url, COMPRESSION="gzip").send(rows(*["a" * 50] * 100)) == Accepted()
    assert len(grpc_server.requests[0].names) == 100


def test_partial_success(grpc_server: Any, rows: Any) -> None:
    partial = ExportTracePartialSuccess(rejected_spans=1, error_message="too old")
    grpc_server.answer = lambda *_: ExportTraceServiceResponse(partial_success=partial).SerializeToString()

    assert destination(grpc_server.url).send(rows("a", "b")) == Accepted(1, "too old")


@pytest.mark.parametrize(
    "code",
    [CODE.CANCELLED, CODE.DEADLINE_EXCEEDED, CODE.ABORTED, CODE.OUT_OF_RANGE, CODE.UNAVAILABLE, CODE.DATA_LOSS],
    ids=str,
)
def test_retryable_statuses(grpc_server: Any, rows: Any, code: grpc.StatusCode) -> None:
    grpc_server.answer = aborting(code)

    outcome = destination(grpc_server.url).send(rows("a"))
    assert isinstance(outcome, Unavailable)
    assert code.name in outcome.reason
    assert "why not" in outcome.reason


@pytest.mark.parametrize(
    ("code", "about_the_data"),
    [
        (CODE.INVALID_ARGUMENT, True),
        (CODE.UNAUTHENTICATED, False),
        (CODE.PERMISSION_DENIED, False),
        (CODE.UNIMPLEMENTED, False),
        (CODE.INTERNAL, False),
        (CODE.UNKNOWN, False),
    ],
    ids=str,
)
def test_other_statuses(grpc_server: Any, rows: Any, code: grpc.StatusCode, about_the_data: bool) -> None:
    grpc_server.answer = aborting(code)

    outcome = destination(grpc_server.url).send(rows("a"))
    assert isinstance(outcome, Refused)
    assert outcome.about_the_data is about_the_data


def test_a_message_past_the_servers_limit_is_about_the_data(rows: Any) -> None:
    from tests.unit.exporters.conftest import GrpcServer

    server = GrpcServer().start(options=[("grpc.max_receive_message_length", 10_000)])
    try:
        there = destination(server.url)
        outcome = there.send(rows("a" * 20_000))
        assert isinstance(outcome, Refused)
        assert outcome.about_the_data
        assert there.send(rows("a")) == Accepted()
    finally:
        server.stop()


@pytest.mark.parametrize("delay_s", [None, 2.0])
def test_a_server_that_has_too_much_to_do_is_overloaded(grpc_server: Any, rows: Any, delay_s: float | None) -> None:
    grpc_server.answer = aborting(CODE.RESOURCE_EXHAUSTED, delay_s)

    outcome = destination(grpc_server.url).send(rows("a"))
    assert isinstance(outcome, Unavailable)
    assert outcome.overloaded
    assert outcome.after_s == delay_s


@pytest.mark.parametrize("code", [CODE.RESOURCE_EXHAUSTED, CODE.UNAVAILABLE], ids=str)
def test_a_retry_info_is_the_time_to_wait(grpc_server: Any, rows: Any, code: grpc.StatusCode) -> None:
    grpc_server.answer = aborting(code, 0.5)

    outcome = destination(grpc_server.url).send(rows("a"))
    assert isinstance(outcome, Unavailable)
    assert outcome.after_s == 0.5


def test_a_server_that_starts_later(grpc_server: Any, rows: Any) -> None:
    there = destination(grpc_server.url)
    grpc_server.stop()
    assert isinstance(there.send(rows("a")), Unavailable)
    grpc_server.start()
    deadline = time.monotonic() + 20
    while (outcome := there.send(rows("a"))) != Accepted() and time.monotonic() < deadline:
        time.sleep(0.1)

    assert outcome == Accepted()


def test_a_server_that_does_not_answer(grpc_server: Any, rows: Any) -> None:
    grpc_server.answer = lambda *_: time.sleep(1.0) or b""

    outcome = destination(grpc_server.url, TIMEOUT="200").send(rows("a"))
    assert isinstance(outcome, Unavailable)
    assert "DEADLINE_EXCEEDED" in outcome.reason


def test_something_else_is_no_success(grpc_server: Any, rows: Any) -> None:
    grpc_server.answer = lambda *_: b"pong"

    assert isinstance(destination(grpc_server.url).send(rows("a")), Unavailable)


def test_tls_by_the_scheme(certificate: Any, rows: Any) -> None:
    from tests.unit.exporters.conftest import GrpcServer

    pem, key = (Path(path).read_bytes() for path in certificate)
    server = GrpcServer().start(grpc.ssl_server_credentials([(key, pem)]))
    try:
        url = server.url.replace("http:", "https:")
        assert destination(url, CERTIFICATE=str(certificate[0])).send(rows("a")) == Accepted()
        assert isinstance(destination(url, TIMEOUT="2000").send(rows("a")), Unavailable)
        assert isinstance(destination(server.url, TIMEOUT="2000").send(rows("a")), Unavailable)
    finally:
        server.stop()
