"""Every way in which a server can refuse over HTTP, in a line of its own."""

from __future__ import annotations

import json
import ssl
import time
from pathlib import Path
from typing import Any

import pytest

from otel_mas.errors import SourceError, TraceNotFound
from otel_mas.model import Query
from otel_mas.sources import open_source
from otel_mas.sources.endpoint import Access, parse_endpoint
from otel_mas.sources.jaeger.http_client import JaegerHttpClient
from otel_mas.sources.jaeger.source import JaegerSource
from tests.conformance import lunch
from tests.unit.sources.answering import (
    Answer,
    Answerer,
    Answering,
    SelfSigned,
    answering,
    free_port,
    saying,
    self_signed,
)
from tests.unit.sources.jaeger.fake_jaeger import LUNCH, NOT_FOUND, TRACE, FakeJaeger, as_json, over_http


def refusal(answer: Answerer | Answer, path: str = "", **access: Any) -> str:
    with answering(answer if callable(answer) else lambda _: answer) as server, pytest.raises(SourceError) as caught:
        over_http(server, path, **access).trace(TRACE)
    assert not isinstance(caught.value, TraceNotFound)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_nothing_listens() -> None:
    with pytest.raises(SourceError, match=r"nothing listens at .*16686"):
        over_http(free_port()).trace(TRACE)


def test_an_unknown_host() -> None:
    endpoint = parse_endpoint("jaeger+http", "no-such-host.invalid", 16686)
    with pytest.raises(SourceError, match=r"host of .* is not known"):
        JaegerSource(JaegerHttpClient(endpoint, Access(timeout_s=30))).trace(TRACE)


def test_a_server_that_does_not_answer_in_time() -> None:
    message = refusal(Answer(200, wait_s=3), timeout_s=0.2)

    assert "did not answer within 0.2 s" in message
    assert "OTEL_MAS_SOURCE_TIMEOUT" in message


def test_a_server_that_answers_byte_by_byte() -> None:
    start = time.monotonic()

    assert "did not answer within" in refusal(Answer(200, b"{" + b" " * 1000, drip_s=0.05), timeout_s=0.3)
    assert time.monotonic() - start < 30  # all of it takes 50 s


@pytest.mark.parametrize("status", [401, 403])
def test_no_access(status: int) -> None:
    message = refusal(Answer(status, b"token expired", "text/plain"))

    assert f"refuses access ({status}): token expired" in message
    assert "OTEL_MAS_SOURCE_HEADERS" in message


@pytest.mark.parametrize(
    "answer",
    [
        Answer(200, b"<!DOCTYPE html><html><title>Jaeger UI</title>", "text/html; charset=utf-8"),
        Answer(404, b"404 page not found\n", "text/plain"),
        Answer(404, b"<html>nginx</html>", "text/html"),
        Answer(404, b'{"detail":"Not Found"}'),
        Answer(200, b'{"data":[]}'),
        Answer(200, b"[1]"),
        Answer(200, b"pong", "text/plain"),
        Answer(200, b""),
    ],
    ids=["ui", "404", "page404", "json404", "other json", "list", "text", "nothing"],
)
def test_something_that_is_no_jaeger_or_a_wrong_base_path(answer: Answer) -> None:
    message = refusal(answer, path="/wrong")

    assert "does not answer as Jaeger does" in message
    assert "base path" in message


def test_something_that_speaks_no_http() -> None:
    with saying(b"SSH-2.0-OpenSSH_9.2\r\n") as port, pytest.raises(SourceError, match="not HTTP"):
        over_http(port).trace(TRACE)


def test_a_server_that_hangs_up() -> None:
    with saying(b"") as port, pytest.raises(SourceError, match="hung up"):
        over_http(port).trace(TRACE)


def test_a_redirect_is_not_followed_with_our_token() -> None:
    with answering(lambda _: Answer(200, b"{}")) as elsewhere:
        there = f"http://127.0.0.1:{elsewhere.port}/login"
        message = refusal(Answer(302, headers={"Location": there}), headers=(("authorization", "Bearer x"),))

        assert there in message
        assert elsewhere.asked == []


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (Answer(500, b'{"error":{"httpCode":500,"message":"disk is full"}}'), "failed (500): disk is full"),
        (Answer(503, b"no healthy upstream", "text/plain"), "failed (503): no healthy upstream"),
        (Answer(502, b"<html>Bad gateway</html>", "text/html"), "failed (502): a web page"),
        (Answer(400, b'{"error":{"message":"malformed"}}'), "did not take the request (400): malformed"),
        (Answer(200, b'{"error":{"message":"half way"}}'), "half way"),
        (Answer(429, b"slow down", "text/plain"), "too many requests"),
        (Answer(500, b"x" * 10_000, "text/plain"), "x" * 50),
    ],
)
def test_a_server_that_fails_is_quoted(answer: Answer, expected: str) -> None:
    message = refusal(answer)

    assert expected in message
    assert len(message) < 500


@pytest.mark.parametrize("cut", [1, 40, 400, -2])
def test_half_an_answer(cut: int) -> None:
    body = json.dumps({"result": as_json(lunch.EXPORTS[0])}).encode()

    assert "cannot be read" in refusal(Answer(200, body, cut=cut % len(body)))
    assert "cannot be read" in refusal(Answer(200, body[: cut % len(body)], announced=False))


@pytest.mark.parametrize(
    "result",
    [
        [],
        {"resourceSpans": 1},
        {"resourceSpans": [1]},
        {"resourceSpans": [{"scopeSpans": [{"spans": [{"traceId": "zz" * 16}]}]}]},
        {"resourceSpans": [{"scopeSpans": [{"spans": [{"startTimeUnixNano": "x"}]}]}]},
        {"resourceSpans": [{"scopeSpans": [{"spans": [{"attributes": [1]}]}]}]},
        {"resourceSpans": [{"scopeSpans": [{"spans": [{"startTimeUnixNano": -1}]}]}]},
    ],
    ids=str,
)
def test_an_answer_that_is_not_otlp(result: object) -> None:
    assert "cannot be read" in refusal(Answer(200, json.dumps({"result": result}).encode()))


def test_an_answer_without_spans_is_no_trace() -> None:
    with (
        answering(lambda _: Answer(200, b'{"result":{"resourceSpans":[]}}')) as server,
        pytest.raises(TraceNotFound),
    ):
        over_http(server).trace(TRACE)


def test_headers_are_sent_with_every_request() -> None:
    with answering(FakeJaeger(version=(2, 20), traces=LUNCH)) as server:
        over_http(server, headers=(("authorization", "Bearer t"),)).conversation(lunch.THREAD)

    assert {asked.headers["authorization"] for asked in server.asked} == {"Bearer t"}


def test_the_base_path_goes_before_the_api() -> None:
    with answering(lambda asked: Answer(200, b'{"services":[]}')) as server:
        over_http(server, "/tools/jaeger").traces(Query(agent="a"))

    assert server.asked[0].path == "/tools/jaeger/api/v3/services"


def test_no_proxy_is_asked_for_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "grpc_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{free_port()}")
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)

    with answering(FakeJaeger(version=(2, 13), traces=LUNCH)) as server:
        assert over_http(server).trace(TRACE).trace_id == TRACE


# TLS


def https(server: Answering, certificate: Path | str | None) -> JaegerSource:
    endpoint = parse_endpoint("jaeger+https", f"localhost:{server.port}", 16686)
    return JaegerSource(JaegerHttpClient(endpoint, Access(certificate=certificate and str(certificate), timeout_s=30)))


def test_a_certificate_is_trusted_when_it_is_given(trusted: SelfSigned) -> None:
    with answering(FakeJaeger(version=(2, 13), traces=LUNCH), trusted.context) as server:
        assert https(server, trusted.certificate).trace(TRACE).trace_id == TRACE


def test_a_self_signed_certificate_is_reported(trusted: SelfSigned) -> None:
    with answering(lambda _: NOT_FOUND, trusted.context) as server, pytest.raises(SourceError) as caught:
        https(server, None).trace(TRACE)

    assert "is not trusted (self-signed certificate" in str(caught.value)
    assert "OTEL_MAS_SOURCE_CERTIFICATE" in str(caught.value)


def test_a_server_without_tls_is_reported() -> None:
    with answering(lambda _: NOT_FOUND) as server, pytest.raises(SourceError, match="does not speak TLS"):
        https(server, None).trace(TRACE)


def test_a_server_that_wants_tls_is_reported(trusted: SelfSigned) -> None:
    with answering(lambda _: NOT_FOUND, trusted.context) as server, pytest.raises(SourceError, match=r"TLS|HTTP"):
        over_http(server).trace(TRACE)


@pytest.mark.parametrize("scheme", ["https", "grpcs"])
def test_a_malformed_certificate_file_is_reported(tmp_path: Path, scheme: str, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "wrong.pem").write_text("not a certificate")
    for name in ("wrong.pem", "missing.pem"):
        monkeypatch.setenv("OTEL_MAS_SOURCE_CERTIFICATE", str(tmp_path / name))
        with pytest.raises(SourceError, match=f"OTEL_MAS_SOURCE_CERTIFICATE: .*{name}"):
            open_source(f"jaeger+{scheme}://localhost:1").trace(TRACE)


def test_a_certificate_of_another_host_is_reported(tmp_path: Path) -> None:
    other = self_signed(tmp_path, "DNS:other.example")
    with (
        answering(lambda _: NOT_FOUND, other.context) as server,
        pytest.raises(SourceError, match="made out to another name: use that name in the address"),
    ):
        https(server, other.certificate).trace(TRACE)


def test_a_server_that_wants_a_client_certificate_is_reported(trusted: SelfSigned) -> None:
    context = trusted.context
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(trusted.certificate)
    with (
        answering(lambda _: NOT_FOUND, context) as server,
        pytest.raises(SourceError, match="does it want a client certificate"),
    ):
        https(server, trusted.certificate).trace(TRACE)


def test_a_tenant_that_is_missing_is_reported() -> None:
    assert "X-Scope-OrgID=<tenant>" in refusal(Answer(401, b"no org id", "text/plain"))
