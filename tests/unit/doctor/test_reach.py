"""Every way in which a server takes spans, or does not."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from types import ModuleType
from typing import Any

import grpc
import pytest

from otel_mas.doctor.endpoint import Sender, configured
from otel_mas.doctor.reach import Reached, reach

Serve = Callable[..., int]
SENDER = Sender("the app")


def ask(endpoint: str, protocol: str, patience_s: float = 2.0, **more: str) -> Reached:
    environ = {"OTEL_EXPORTER_OTLP_ENDPOINT": endpoint, "OTEL_EXPORTER_OTLP_PROTOCOL": protocol}
    environ |= {f"OTEL_EXPORTER_OTLP_{name.upper()}": value for name, value in more.items()}
    began = time.monotonic()
    reached = reach(configured(environ, SENDER).destination, patience_s)
    assert time.monotonic() - began < 3 * patience_s + 5
    return reached


def over_http(port: int, scheme: str = "http", **more: Any) -> Reached:
    return ask(f"{scheme}://localhost:{port}", "http/protobuf", **more)


def over_grpc(port: int, scheme: str = "http", **more: Any) -> Reached:
    return ask(f"{scheme}://localhost:{port}", "grpc", **more)


def takes(_request: bytes, _context: grpc.ServicerContext) -> bytes:
    return b""


def refuses(code: grpc.StatusCode, said: str) -> Callable[[bytes, grpc.ServicerContext], bytes]:
    def answer(_request: bytes, context: grpc.ServicerContext) -> bytes:
        context.abort(code, said)
        return b""

    return answer


# -- it takes spans ----------------------------------------------------------------------------------------------------


def test_http_is_handed_one_request_without_spans_and_with_the_headers(serve: Serve, tools: ModuleType) -> None:
    asked: list[bytes] = []
    port = serve(tools.answering("200 OK", kind="application/x-protobuf", asked=asked))
    reached = over_http(port, headers="authorization=Bearer%20abc,x-tenant=t1")
    assert reached.finding.code == "destination-answers"
    assert reached.took_ms is not None
    (request,) = asked
    head, _, body = request.partition(b"\r\n\r\n")
    assert head.startswith(b"POST /v1/traces HTTP/1.1\r\n")
    assert b"\r\nauthorization: Bearer abc\r\n" in head + b"\r\n"
    assert b"\r\nContent-Type: application/x-protobuf\r\n" in head
    assert body == b""


def test_grpc_is_handed_one_request_without_spans_and_with_the_headers(tools: ModuleType) -> None:
    asked: list[Any] = []

    def answer(request: bytes, context: grpc.ServicerContext) -> bytes:
        asked.append((request, dict(context.invocation_metadata())))
        return b""

    with tools.otlp_over_grpc(answer) as port:
        assert over_grpc(port, headers="authorization=Bearer%20abc").finding.code == "destination-answers"
    ((request, metadata),) = asked
    assert request == b""
    assert metadata["authorization"] == "Bearer abc"


def test_tls_with_a_certificate_that_is_named(serve: Serve, tools: ModuleType, certificate: Any) -> None:
    port = serve(tools.answering("200 OK"), tls=True)
    assert over_http(port, "https", certificate=str(certificate.path)).finding.code == "destination-answers"
    with tools.otlp_over_grpc(takes, certificate) as port:
        assert over_grpc(port, "https", certificate=str(certificate.path)).finding.code == "destination-answers"


# -- it cannot be reached ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("over", [over_http, over_grpc])
def test_nothing_listens(over: Callable[..., Reached], closed_port: int) -> None:
    reached = over(closed_port)
    assert reached.finding.code == "destination-refused"
    assert "nothing listens there" in reached.finding.message
    assert "OTEL_EXPORTER_OTLP_ENDPOINT" in reached.finding.fix
    assert reached.took_ms is None


@pytest.mark.parametrize("protocol", ["grpc", "http/protobuf"])
def test_a_host_that_does_not_exist(protocol: str) -> None:
    assert ask("http://no.such.host.invalid:4318", protocol).finding.code == "destination-unknown-host"


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("over", [over_http, over_grpc])
def test_a_server_that_hangs(over: Callable[..., Reached], scheme: str, serve: Serve, tools: ModuleType) -> None:
    reached = over(serve(tools.silent), scheme, patience_s=0.4)
    assert reached.finding.code == "destination-silent"
    assert "nothing came within 0.4 s" in reached.finding.message


# -- TLS ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("over", [over_http, over_grpc])
def test_a_self_signed_certificate_is_not_trusted(
    over: Callable[..., Reached], serve: Serve, tools: ModuleType
) -> None:
    asked: list[bytes] = []
    port = serve(tools.answering("200 OK", asked=asked), tls=True)
    reached = over(port, "https", headers="authorization=secret")
    assert reached.finding.code == "destination-untrusted"
    assert "self-signed certificate" in reached.finding.message
    assert "OTEL_EXPORTER_OTLP_CERTIFICATE" in reached.finding.fix
    assert asked == []


@pytest.mark.parametrize("over", [over_http, over_grpc])
def test_tls_is_spoken_to_a_server_without(over: Callable[..., Reached], serve: Serve, tools: ModuleType) -> None:
    for conversation in (tools.answering("200 OK"), tools.hanging_up):
        reached = over(serve(conversation), "https")
        assert reached.finding.code == "destination-no-tls"
        assert "http:// in OTEL_EXPORTER_OTLP_ENDPOINT" in reached.finding.fix


def test_plain_text_is_spoken_to_a_server_with_tls(serve: Serve, tools: ModuleType, certificate: Any) -> None:
    assert over_http(serve(tools.answering("200 OK"), tls=True)).finding.code == "destination-wants-tls"
    with tools.otlp_over_grpc(takes, certificate) as port:
        assert over_grpc(port).finding.code == "destination-wants-tls"
    go = tools.answering("400 Bad Request", b"Client sent an HTTP request to an HTTPS server.\n")
    assert over_http(serve(go)).finding.code == "destination-wants-tls"


def test_a_client_certificate_that_is_none(serve: Serve, tools: ModuleType, certificate: Any) -> None:
    port = serve(tools.answering("200 OK"), tls=True)
    swapped = {"client_certificate": str(certificate.key), "client_key": str(certificate.path)}
    reached = over_http(port, "https", certificate=str(certificate.path), **swapped)
    assert reached.finding.code == "certificate-unreadable"
    assert "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE" in reached.finding.message


# -- it answers, and does not take spans -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "body", "kind", "code", "said"),
    [
        ("404 Not Found", b"404 page not found", "text/plain", "destination-not-otlp", "(404: 404 page not found)"),
        ("405 Method Not Allowed", b"", "text/plain", "destination-not-otlp", "(405)"),
        ("200 OK", b"<!doctype html><p>Hello", "text/html", "destination-not-otlp", "(200, a web page)"),
        ("302 Found", b"", "text/plain", "destination-not-otlp", "(302, it sends elsewhere)"),
        (
            "401 Unauthorized",
            b"no tok-12345",
            "text/plain",
            "destination-refuses-access",
            "(401: no ***)",
        ),
        ("403 Forbidden", b"", "text/plain", "destination-refuses-access", "(403)"),
        ("503 Service Unavailable", b"try later", "text/plain", "destination-fails", "(503: try later)"),
        ("400 Bad Request", b"\x08\x03", "application/x-protobuf", "destination-fails", "(400)"),
    ],
)
def test_http_statuses(
    status: str, body: bytes, kind: str, code: str, said: str, serve: Serve, tools: ModuleType
) -> None:
    reached = over_http(serve(tools.answering(status, body, kind)), headers="authorization=Bearer%20tok-12345")
    assert reached.finding.code == code
    assert said in reached.finding.message
    assert "tok-12345" not in reached.finding.message


def test_http_that_is_spoken_to_something_else(serve: Serve, tools: ModuleType) -> None:
    def garbage(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(b"220 mail.example ESMTP\r\n")

    for conversation in (garbage, tools.hanging_up):
        assert over_http(serve(conversation)).finding.code == "destination-not-otlp"
    with tools.otlp_over_grpc(takes) as port:
        reached = over_http(port)
    assert reached.finding.code == "destination-not-otlp"
    assert "OTEL_EXPORTER_OTLP_PROTOCOL=grpc" in reached.finding.fix


def test_grpc_that_is_spoken_to_an_http_server(serve: Serve, tools: ModuleType) -> None:
    reached = over_grpc(serve(tools.answering("404 Not Found")))
    assert reached.finding.code == "destination-not-otlp"
    assert "OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf" in reached.finding.fix


@pytest.mark.parametrize(
    ("answer", "code", "said"),
    [
        (None, "destination-not-otlp", "a gRPC server that does not know OTLP"),
        (refuses(grpc.StatusCode.UNAUTHENTICATED, "no tok-12345"), "destination-refuses-access", "no ***"),
        (refuses(grpc.StatusCode.UNAVAILABLE, "starting"), "destination-fails", "unavailable: starting"),
        (refuses(grpc.StatusCode.RESOURCE_EXHAUSTED, "slow down"), "destination-fails", "slow down"),
    ],
)
def test_grpc_statuses(answer: Any, code: str, said: str, tools: ModuleType) -> None:
    with tools.otlp_over_grpc(answer) as port:
        reached = over_grpc(port, headers="authorization=tok-12345")
    assert reached.finding.code == code
    assert said in reached.finding.message
    assert "tok-12345" not in reached.finding.message


@pytest.mark.parametrize("over", [over_http, over_grpc])
def test_a_header_that_no_request_can_carry(over: Callable[..., Reached], serve: Serve, tools: ModuleType) -> None:
    reached = over(serve(tools.answering("200 OK")), headers="x-name=%E2%98%83")
    assert reached.finding.code == "headers-malformed"
