"""Every way in which a server takes spans, or does not."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from types import ModuleType
from typing import Any

import grpc
import pytest

from otel_mas.config import Settings
from otel_mas.config.otlp_endpoint import read_otlp_endpoint
from otel_mas.doctor.findings import Finding
from otel_mas.doctor.shipping import OtlpTarget, ask_target

Serve = Callable[..., int]


def ask(endpoint: str, protocol: str, timeout_s: float = 2.0, **more: str) -> Finding:
    environ = {"OTEL_EXPORTER_OTLP_ENDPOINT": endpoint, "OTEL_EXPORTER_OTLP_PROTOCOL": protocol}
    environ |= {f"OTEL_EXPORTER_OTLP_{name.upper()}": value for name, value in more.items()}
    target = OtlpTarget("the app", read_otlp_endpoint(environ, as_sdk=True))
    start = time.monotonic()
    found, took_ms = ask_target(target, Settings.from_env({}), environ, timeout_s)
    assert time.monotonic() - start < timeout_s + 60  # only a hang takes longer
    assert found is not None
    assert (took_ms is not None) is (found.code == "destination-answers")
    return found


def over_http(port: int, scheme: str = "http", **more: Any) -> Finding:
    return ask(f"{scheme}://localhost:{port}", "http/protobuf", **more)


def over_grpc(port: int, scheme: str = "http", **more: Any) -> Finding:
    return ask(f"{scheme}://localhost:{port}", "grpc", **more)


def takes(_request: bytes, _context: grpc.ServicerContext) -> bytes:
    return b""


def refuses(code: grpc.StatusCode, output: str) -> Callable[[bytes, grpc.ServicerContext], bytes]:
    def answer(_request: bytes, context: grpc.ServicerContext) -> bytes:
        context.abort(code, output)
        return b""

    return answer


# -- it takes spans ----------------------------------------------------------------------------------------------------


def test_http_is_handed_one_request_without_spans_and_with_the_headers(serve: Serve, tools: ModuleType) -> None:
    asked: list[bytes] = []
    port = serve(tools.answering("200 OK", kind="application/x-protobuf", asked=asked))
    found = over_http(port, headers="authorization=Bearer%20abc,x-tenant=t1")
    assert found.code == "destination-answers"
    (request,) = asked
    head, _, body = request.partition(b"\r\n\r\n")
    assert head.startswith(b"POST /v1/traces HTTP/1.1\r\n")
    assert b"\r\nauthorization: bearer abc\r\n" in head.lower() + b"\r\n"
    assert b"\r\nx-tenant: t1\r\n" in head.lower() + b"\r\n"
    assert b"\r\nContent-Type: application/x-protobuf\r\n" in head
    assert body == b""


def test_grpc_is_handed_one_request_without_spans_and_with_the_headers(tools: ModuleType) -> None:
    asked: list[Any] = []

    def answer(request: bytes, context: grpc.ServicerContext) -> bytes:
        asked.append((request, dict(context.invocation_metadata())))
        return b""

    with tools.otlp_over_grpc(answer) as port:
        assert over_grpc(port, headers="authorization=Bearer%20abc").code == "destination-answers"
    ((request, metadata),) = asked
    assert request == b""
    assert metadata["authorization"] == "Bearer abc"


def test_tls_with_a_certificate_that_is_named(serve: Serve, tools: ModuleType, certificate: Any) -> None:
    port = serve(tools.answering("200 OK"), tls=True)
    assert over_http(port, "https", certificate=str(certificate.path)).code == "destination-answers"
    with tools.otlp_over_grpc(takes, certificate) as port:
        assert over_grpc(port, "https", certificate=str(certificate.path)).code == "destination-answers"


# -- it cannot be reached ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("over", [over_http, over_grpc])
def test_nothing_listens(over: Callable[..., Finding], closed_port: int) -> None:
    found = over(closed_port)
    assert found.code == "destination-refused"
    assert "nothing listens there" in found.message or "Connection refused" in found.message
    assert "OTEL_EXPORTER_OTLP_ENDPOINT" in found.fix


@pytest.mark.parametrize("protocol", ["grpc", "http/protobuf"])
def test_a_host_that_does_not_exist(protocol: str) -> None:
    assert ask("http://no.such.host.invalid:4318", protocol).code == "destination-unknown-host"


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("over", [over_http, over_grpc])
def test_a_server_that_hangs(over: Callable[..., Finding], scheme: str, serve: Serve, tools: ModuleType) -> None:
    found = over(serve(tools.silent), scheme, timeout_s=0.4)
    assert found.code == "destination-silent"
    assert "nothing came within 0.4 s" in found.message


# -- TLS ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("over", [over_http, over_grpc])
def test_a_self_signed_certificate_is_not_trusted(
    over: Callable[..., Finding], serve: Serve, tools: ModuleType
) -> None:
    asked: list[bytes] = []
    port = serve(tools.answering("200 OK", asked=asked), tls=True)
    found = over(port, "https", headers="authorization=secret")
    assert found.code == "destination-untrusted"
    assert "self signed certificate" in found.message.replace("-", " ")
    assert "OTEL_EXPORTER_OTLP_CERTIFICATE" in found.fix
    assert asked == []


def refusing(connection: socket.socket) -> None:
    """Answers to anything at once, as HTTP servers do to what is no HTTP."""
    connection.recv(65536)
    connection.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")


@pytest.mark.parametrize("over", [over_http, over_grpc])
def test_tls_is_spoken_to_a_server_without(over: Callable[..., Finding], serve: Serve, tools: ModuleType) -> None:
    found = over(serve(refusing), "https")
    assert found.code == "destination-no-tls"
    assert "http:// in OTEL_EXPORTER_OTLP_ENDPOINT" in found.fix
    found = over(serve(tools.hanging_up), "https")
    assert found.code == "destination-wants-certificate"
    assert "http:// in OTEL_EXPORTER_OTLP_ENDPOINT" in found.fix
    found = over(serve(tools.silent), "https", timeout_s=0.4)
    assert found.code == "destination-silent"
    assert "without TLS" in found.fix


def test_plain_text_is_spoken_to_a_server_with_tls(serve: Serve, tools: ModuleType, certificate: Any) -> None:
    assert over_http(serve(tools.answering("200 OK"), tls=True)).code == "destination-wants-tls"
    with tools.otlp_over_grpc(takes, certificate) as port:
        assert over_grpc(port).code == "destination-wants-tls"
    assert over_http(serve(tools.hanging_up)).code == "destination-wants-tls"
    go = tools.answering("400 Bad Request", b"Client sent an HTTP request to an HTTPS server.\n")
    assert over_http(serve(go)).code == "destination-wants-tls"


def test_nothing_is_sent_with_certificates_that_cannot_be_used(certificate: Any) -> None:
    """They are a problem of the variables, which the plan reports."""
    swapped = {"CLIENT_CERTIFICATE": certificate.key, "CLIENT_KEY": certificate.path}
    environ = {f"OTEL_EXPORTER_OTLP_{name}": str(path) for name, path in swapped.items()}
    environ["OTEL_EXPORTER_OTLP_ENDPOINT"] = "https://localhost:1"
    target = OtlpTarget("the app", read_otlp_endpoint(environ, as_sdk=True))
    assert ask_target(target, Settings.from_env({}), environ) == (None, None)


# -- it answers, and does not take spans -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "body", "kind", "code", "output"),
    [
        ("404 Not Found", b"404 page not found", "text/plain", "destination-not-otlp", "(404: 404 page not found)"),
        ("405 Method Not Allowed", b"", "text/plain", "destination-not-otlp", "(405)"),
        ("200 OK", b"<!doctype html><p>Hello", "text/html", "destination-not-otlp", "(a web page)"),
        ("302 Found", b"", "text/plain", "destination-not-otlp", "(302)"),
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
    status: str, body: bytes, kind: str, code: str, output: str, serve: Serve, tools: ModuleType
) -> None:
    found = over_http(serve(tools.answering(status, body, kind)), headers="authorization=Bearer%20tok-12345")
    assert found.code == code
    assert output in found.message
    assert "tok-12345" not in found.message


def test_http_that_is_spoken_to_something_else(serve: Serve, tools: ModuleType) -> None:
    def garbage(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(b"220 mail.example ESMTP\r\n")

    assert over_http(serve(garbage)).code == "destination-not-otlp"
    assert over_grpc(serve(garbage)).code == "destination-not-otlp"
    with tools.otlp_over_grpc(takes) as port:
        found = over_http(port)
    assert found.code == "destination-not-otlp"
    assert "OTEL_EXPORTER_OTLP_PROTOCOL=grpc" in found.fix


def test_grpc_that_is_spoken_to_an_http_server(serve: Serve, tools: ModuleType) -> None:
    found = over_grpc(serve(tools.answering("404 Not Found")))
    assert found.code == "destination-not-otlp"
    assert "OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf" in found.fix


@pytest.mark.parametrize(
    ("answer", "code", "output"),
    [
        (None, "destination-not-otlp", "unimplemented"),
        (refuses(grpc.StatusCode.UNAUTHENTICATED, "no tok-12345"), "destination-refuses-access", "no ***"),
        (refuses(grpc.StatusCode.UNAVAILABLE, "starting"), "destination-fails", "unavailable: starting"),
        (refuses(grpc.StatusCode.RESOURCE_EXHAUSTED, "slow down"), "destination-fails", "slow down"),
    ],
)
def test_grpc_statuses(answer: Any, code: str, output: str, tools: ModuleType) -> None:
    with tools.otlp_over_grpc(answer) as port:
        found = over_grpc(port, headers="authorization=tok-12345")
    assert found.code == code
    assert output in found.message
    assert "tok-12345" not in found.message


@pytest.mark.parametrize("over", [over_http, over_grpc])
def test_a_header_that_no_request_can_carry(over: Callable[..., Finding], serve: Serve, tools: ModuleType) -> None:
    found = over(serve(tools.answering("200 OK")), headers="x-name=%E2%98%83")
    assert found.code == "headers-malformed"
