"""The setting to change is named, over gRPC as over HTTP, where TLS or a tenant keeps spans from being accepted."""

from __future__ import annotations

import ssl
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest

from otel_mas.config import Settings
from otel_mas.shipping import Accepted, Outcome, Refused, Unavailable
from otel_mas_exporters.otlp import OtlpDestination
from tests.unit.exporters.conftest import GrpcServer, HttpServer

P = "OTEL_EXPORTER_OTLP_"
PROTOCOLS = ["grpc", "http/protobuf"]


@pytest.fixture(scope="session")
def elsewhere(certificate: Any, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """`(certificate, key)` that are made out to another host."""
    folder = tmp_path_factory.mktemp("elsewhere")
    made = folder / "cert.pem", folder / "key.pem"
    subprocess.run(
        [
            "openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=other.example",
            "-addext", "subjectAltName=DNS:other.example", "-keyout", made[1], "-out", made[0],
        ],
        check=True,
        capture_output=True,
    )  # fmt: skip
    return made


@pytest.fixture(params=PROTOCOLS)
def serve(request: pytest.FixtureRequest) -> Iterator[Callable[..., str]]:
    """Starts a server of a protocol, with a certificate or without; returns its address without the scheme."""
    started: list[Any] = []

    def start(pair: tuple[Path, Path] | None = None, clients: Path | None = None) -> str:
        server: Any
        if request.param == "grpc":
            server = GrpcServer()
            if pair is None:
                started.append(server.start())
            else:
                pem, key = (path.read_bytes() for path in pair)
                roots = clients.read_bytes() if clients else None
                credentials = grpc.ssl_server_credentials([(key, pem)], roots, clients is not None)
                started.append(server.start(credentials))
        else:
            context = None
            if pair is not None:
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                context.load_cert_chain(*pair)
                if clients is not None:
                    context.verify_mode = ssl.CERT_REQUIRED
                    context.load_verify_locations(clients)
            started.append(HttpServer().start(context))
        return str(started[-1].url.partition("://")[2])

    start.protocol = request.param  # type: ignore[attr-defined]
    yield start
    for server in started:
        server.stop()


def send(serve: Any, url: str, rows: Any, **environ: Any) -> Outcome:
    given = {P + name: str(value) for name, value in {"PROTOCOL": serve.protocol, "TIMEOUT": "5000", **environ}.items()}
    there = OtlpDestination.open(url, Settings(), given)
    try:
        return there.send(rows("a"))
    finally:
        there.close()


def reason(outcome: Outcome) -> str:
    assert isinstance(outcome, Unavailable)
    return outcome.reason


def test_an_unknown_authority(serve: Any, certificate: Any, rows: Any) -> None:
    url = f"https://{serve(certificate)}"

    assert f"{P}CERTIFICATE" in reason(send(serve, url, rows))
    assert send(serve, url, rows, CERTIFICATE=certificate[0]) == Accepted()


def test_a_certificate_of_another_host(serve: Any, elsewhere: Any, rows: Any) -> None:
    message = reason(send(serve, f"https://{serve(elsewhere)}", rows, CERTIFICATE=elsewhere[0]))

    assert f"made out to another name: use that name in {P}ENDPOINT" in message


def test_tls_to_a_server_without(serve: Any, certificate: Any, rows: Any) -> None:
    message = reason(send(serve, f"https://{serve()}", rows, CERTIFICATE=certificate[0]))

    assert f"does not speak TLS: http:// instead of https:// in {P}ENDPOINT" in message


def test_plain_text_to_a_server_with_tls(serve: Any, certificate: Any, rows: Any) -> None:
    message = reason(send(serve, f"http://{serve(certificate)}", rows))

    assert f"does it want TLS: https:// instead of http:// in {P}ENDPOINT" in message


def test_a_server_that_wants_a_client_certificate(serve: Any, certificate: Any, rows: Any) -> None:
    url = f"https://{serve(certificate, clients=certificate[0])}"
    mine = {"CLIENT_CERTIFICATE": certificate[0], "CLIENT_KEY": certificate[1]}

    assert f"{P}CLIENT_CERTIFICATE and {P}CLIENT_KEY" in reason(send(serve, url, rows, CERTIFICATE=certificate[0]))
    assert send(serve, url, rows, CERTIFICATE=certificate[0], **mine) == Accepted()


def test_a_tenant_that_is_missing(grpc_server: Any, http_server: Any, answer: Any, rows: Any) -> None:
    grpc_server.answer = lambda _, context: context.abort(grpc.StatusCode.UNAUTHENTICATED, "no org id")
    http_server.answer = lambda _: answer(401, b"no org id", {"Content-Type": "text/plain"})

    for server, protocol in ((grpc_server, "grpc"), (http_server, "http/protobuf")):
        outcome = OtlpDestination.open(server.url, Settings(), {f"{P}PROTOCOL": protocol}).send(rows("a"))
        assert isinstance(outcome, Refused)
        assert f"{P}HEADERS=X-Scope-OrgID=<tenant>" in outcome.reason
