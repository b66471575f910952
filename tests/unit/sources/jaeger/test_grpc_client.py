"""Every way in which a server can refuse over gRPC, in a line of its own; the server answers as a test says."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
import pytest

from otel_mas.errors import SourceError, TraceNotFound
from otel_mas.model import Query
from otel_mas.otlp.wire import tag, text
from otel_mas.sources.endpoint import Access, parse_endpoint
from otel_mas.sources.jaeger.grpc_client import JaegerGrpcClient
from otel_mas.sources.jaeger.source import JaegerSource
from tests.conformance import lunch
from tests.unit.sources.answering import (
    SelfSigned,
    answering,
    free_port,
    self_signed,
)
from tests.unit.sources.jaeger.fake_jaeger import NO_SERVICE, NOT_FOUND, TRACE, over_grpc

GrpcAnswer = Callable[[str, bytes, grpc.ServicerContext], Iterator[bytes]]


class Speaking(grpc.GenericRpcHandler):
    def __init__(self, answer: GrpcAnswer) -> None:
        self.answer = answer

    def service(self, details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler:
        return grpc.unary_stream_rpc_method_handler(
            lambda request, context: self.answer(details.method.rpartition("/")[2], request, context)
        )


@pytest.fixture
def speaking() -> Iterator[Callable[..., int]]:
    servers: list[grpc.Server] = []

    def start(answer: GrpcAnswer, tls: SelfSigned | None = None) -> int:
        server = grpc.server(ThreadPoolExecutor(4), handlers=[Speaking(answer)])
        servers.append(server)
        if tls is None:
            port = server.add_insecure_port("127.0.0.1:0")
        else:
            keys = [(tls.key.read_bytes(), tls.certificate.read_bytes())]
            port = server.add_secure_port("localhost:0", grpc.ssl_server_credentials(keys))
        server.start()
        return int(port)

    yield start
    for server in servers:
        server.stop(None)


def failing(code: grpc.StatusCode, message: str) -> GrpcAnswer:
    def answer(method: str, request: bytes, context: grpc.ServicerContext) -> Iterator[bytes]:
        context.abort(code, message)
        yield b""

    return answer


@pytest.mark.parametrize(
    ("code", "message", "expected"),
    [
        (grpc.StatusCode.UNAUTHENTICATED, "no token", "refuses access .no token.; set OTEL_MAS_SOURCE_HEADERS"),
        (grpc.StatusCode.PERMISSION_DENIED, "not you", "refuses access .not you."),
        (grpc.StatusCode.UNIMPLEMENTED, "unknown service", "does not answer as Jaeger does .unknown service."),
        (grpc.StatusCode.UNKNOWN, "disk is full", "Jaeger at .* failed .unknown.: disk is full"),
        (grpc.StatusCode.INTERNAL, "two\nlines", "two lines"),
        (grpc.StatusCode.UNAVAILABLE, "upstream reset", "hung up .upstream reset."),
    ],
)
def test_a_grpc_status_is_reported(
    speaking: Callable[..., int], code: grpc.StatusCode, message: str, expected: str
) -> None:
    with pytest.raises(SourceError, match=expected) as caught:
        over_grpc(speaking(failing(code, message))).trace(TRACE)
    assert not isinstance(caught.value, TraceNotFound)


def test_a_storage_that_searches_within_a_service_only_is_asked_service_by_service(
    speaking: Callable[..., int],
) -> None:
    def answer(method: str, request: bytes, context: grpc.ServicerContext) -> Iterator[bytes]:
        if method == "GetServices":
            yield text(tag(1), "gateway") + text(tag(1), lunch.SERVICE)
        elif text(tag(1), lunch.SERVICE) in request:
            yield lunch.EXPORTS[0].SerializeToString()
        elif text(tag(1), "gateway") not in request:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, NO_SERVICE)

    found = over_grpc(speaking(answer)).traces(Query())

    assert [one.trace_id for one in found] == [TRACE]


def test_newer_versions_say_by_a_status_that_there_is_no_trace(speaking: Callable[..., int]) -> None:
    with pytest.raises(TraceNotFound):
        over_grpc(speaking(failing(grpc.StatusCode.NOT_FOUND, "trace not found"))).trace(TRACE)


def test_a_stream_that_breaks_off_is_no_trace_but_an_error(speaking: Callable[..., int]) -> None:
    def answer(method: str, request: bytes, context: grpc.ServicerContext) -> Iterator[bytes]:
        yield lunch.EXPORTS[0].SerializeToString()
        context.abort(grpc.StatusCode.UNAVAILABLE, "going away")

    with pytest.raises(SourceError, match="going away"):
        over_grpc(speaking(answer)).trace(TRACE)


def test_a_message_that_is_cut_is_reported(speaking: Callable[..., int]) -> None:
    def answer(method: str, request: bytes, context: grpc.ServicerContext) -> Iterator[bytes]:
        yield lunch.EXPORTS[0].SerializeToString()[:-5]

    with pytest.raises(SourceError, match="cannot be read"):
        over_grpc(speaking(answer)).trace(TRACE)


def test_a_grpc_server_that_does_not_answer_in_time(speaking: Callable[..., int]) -> None:
    def answer(method: str, request: bytes, context: grpc.ServicerContext) -> Iterator[bytes]:
        time.sleep(1)
        yield b""

    with pytest.raises(SourceError, match=r"did not answer within 0.2 s"):
        over_grpc(speaking(answer), timeout_s=0.2).trace(TRACE)


def test_grpc_metadata_carries_the_headers(speaking: Callable[..., int]) -> None:
    seen: list[dict[str, str]] = []

    def answer(method: str, request: bytes, context: grpc.ServicerContext) -> Iterator[bytes]:
        seen.append(dict(context.invocation_metadata()))
        yield lunch.EXPORTS[0].SerializeToString()

    over_grpc(speaking(answer), headers=(("authorization", "Bearer t"), ("x-tenant", "a"))).trace(TRACE)

    assert (seen[0]["authorization"], seen[0]["x-tenant"]) == ("Bearer t", "a")


def test_nothing_listens_for_grpc() -> None:
    with pytest.raises(SourceError, match=r"nothing listens at .*16685"):
        over_grpc(free_port()).trace(TRACE)


def test_an_unknown_host_for_grpc() -> None:
    endpoint = parse_endpoint("jaeger+grpc", "no-such-host.invalid", 16685)
    with pytest.raises(SourceError, match=r"host of .* is not known"):
        JaegerSource(JaegerGrpcClient(endpoint, Access(timeout_s=30))).trace(TRACE)


def test_an_http_server_is_distinguished_from_a_grpc_server() -> None:
    with answering(lambda _: NOT_FOUND) as server, pytest.raises(SourceError, match="does not answer as Jaeger does"):
        over_grpc(server.port).trace(TRACE)


def test_a_silent_port_is_reported() -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    with listener, pytest.raises(SourceError, match="did not answer within"):
        over_grpc(listener.getsockname()[1], timeout_s=0.5).trace(TRACE)


def grpcs(port: int, certificate: Path | None) -> JaegerSource:
    endpoint = parse_endpoint("jaeger+grpcs", f"localhost:{port}", 16685)
    return JaegerSource(JaegerGrpcClient(endpoint, Access(certificate=certificate and str(certificate), timeout_s=30)))


def test_grpc_trusts_a_certificate_when_it_is_given(speaking: Callable[..., int], trusted: SelfSigned) -> None:
    def answer(method: str, request: bytes, context: grpc.ServicerContext) -> Iterator[bytes]:
        yield lunch.EXPORTS[0].SerializeToString()

    port = speaking(answer, trusted)

    assert grpcs(port, trusted.certificate).trace(TRACE).trace_id == TRACE
    with pytest.raises(SourceError, match="is not trusted"):
        grpcs(port, None).trace(TRACE)


def test_a_grpc_server_without_tls_is_reported(speaking: Callable[..., int]) -> None:
    with pytest.raises(SourceError, match="TLS"):
        grpcs(speaking(failing(grpc.StatusCode.UNKNOWN, "")), None).trace(TRACE)


def test_a_grpc_server_that_wants_tls_is_reported(speaking: Callable[..., int], trusted: SelfSigned) -> None:
    port = speaking(failing(grpc.StatusCode.UNKNOWN, ""), trusted)

    with pytest.raises(SourceError, match="does it want TLS"):
        over_grpc(port).trace(TRACE)


def test_a_grpc_certificate_of_another_host_is_reported(speaking: Callable[..., int], tmp_path: Path) -> None:
    other = self_signed(tmp_path, "DNS:other.example")
    port = speaking(failing(grpc.StatusCode.UNKNOWN, ""), other)

    with pytest.raises(SourceError, match="made out to another name: use that name in the address"):
        grpcs(port, other.certificate).trace(TRACE)


def test_a_tenant_that_is_missing_over_grpc_is_reported(speaking: Callable[..., int]) -> None:
    port = speaking(failing(grpc.StatusCode.UNAUTHENTICATED, "no org id"))

    with pytest.raises(SourceError, match="X-Scope-OrgID=<tenant>"):
        over_grpc(port).trace(TRACE)
