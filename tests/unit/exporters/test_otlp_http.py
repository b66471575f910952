"""OTLP over HTTP against a server that takes, refuses, delays, breaks off and lies."""

from __future__ import annotations

import ssl
import threading
import time
from typing import Any

import pytest
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTracePartialSuccess,
    ExportTraceServiceResponse,
)

from otel_mas.config import Settings
from otel_mas.errors import ConfigError
from otel_mas.shipping import Accepted, Refused, Unavailable
from otel_mas_exporters.otlp import OtlpDestination

P = "OTEL_EXPORTER_OTLP_"


def destination(url: str, **environ: str) -> OtlpDestination:
    return OtlpDestination.open(url, Settings(), {P + name: value for name, value in environ.items()})


def reason_of(outcome: Any) -> str:
    assert isinstance(outcome, Unavailable | Refused), outcome
    return outcome.reason


def test_a_request_is_what_the_specification_says(http_server: Any, rows: Any) -> None:
    there = destination(http_server.url, HEADERS="authorization=Bearer%20x,x-tenant=t")

    assert there.send(rows("a", "b")) == Accepted()
    (request,) = http_server.requests
    assert (request.path, request.names) == ("/v1/traces", ["a", "b"])
    headers = {name.lower(): value for name, value in request.headers.items()}
    assert headers["content-type"] == "application/x-protobuf"
    assert (headers["authorization"], headers["x-tenant"]) == ("Bearer x", "t")
    assert headers["user-agent"].startswith("otel-mas")


def test_gzip(http_server: Any, rows: Any) -> None:
    destination(http_server.url, COMPRESSION="gzip").send(rows("a"))

    (request,) = http_server.requests
    assert request.headers["Content-Encoding"] == "gzip"
    assert request.names == ["a"]


def test_no_spans_are_a_request_too(http_server: Any) -> None:
    assert destination(http_server.url).send(()) == Accepted()
    assert http_server.requests[0].body == b""


def test_partial_success(http_server: Any, rows: Any, answer: Any) -> None:
    partial = ExportTracePartialSuccess(rejected_spans=1, error_message="too old")
    http_server.answer = lambda _: answer(body=ExportTraceServiceResponse(partial_success=partial).SerializeToString())

    assert destination(http_server.url).send(rows("a", "b")) == Accepted(1, "too old")


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_retryable_statuses(http_server: Any, rows: Any, answer: Any, status: int) -> None:
    http_server.answer = lambda _: answer(status, headers={"Retry-After": "7"})

    outcome = destination(http_server.url).send(rows("a"))
    assert isinstance(outcome, Unavailable)
    assert outcome.after_s == 7.0
    assert str(status) in outcome.reason


@pytest.mark.parametrize(
    ("status", "about_the_data"),
    [(400, True), (413, True), (422, True), (401, False), (403, False), (404, False), (405, False), (500, False)],
)
def test_other_statuses(http_server: Any, rows: Any, answer: Any, status: int, about_the_data: bool) -> None:
    body = Status(code=3, message="why not").SerializeToString()
    http_server.answer = lambda _: answer(status, body)

    outcome = destination(http_server.url).send(rows("a"))
    assert isinstance(outcome, Refused)
    assert outcome.about_the_data is about_the_data
    assert f"{status}" in outcome.reason
    assert "why not" in outcome.reason


def test_spans_and_tokens_follow_no_redirect(http_server: Any, rows: Any, answer: Any) -> None:
    http_server.answer = lambda _: answer(307, headers={"Location": f"{http_server.url}/elsewhere"})

    assert "right path" in reason_of(destination(http_server.url, HEADERS="authorization=x").send(rows("a")))
    assert len(http_server.requests) == 1


def test_a_web_page_is_no_success(http_server: Any, rows: Any, answer: Any) -> None:
    http_server.answer = lambda _: answer(body=b"<html>Jaeger UI", headers={"Content-Type": "text/html"})

    assert "web page" in reason_of(destination(http_server.url).send(rows("a")))


def test_something_else_is_no_success(http_server: Any, rows: Any, answer: Any) -> None:
    http_server.answer = lambda _: answer(body=b"pong", headers={"Content-Type": "text/plain"})

    assert isinstance(destination(http_server.url).send(rows("a")), Unavailable)


def test_json_counts_as_success(http_server: Any, rows: Any, answer: Any) -> None:
    http_server.answer = lambda _: answer(body=b"{}", headers={"Content-Type": "application/json"})

    assert destination(http_server.url).send(rows("a")) == Accepted()


def test_nothing_listens(rows: Any) -> None:
    assert reason_of(destination("http://127.0.0.1:1").send(rows("a"))).startswith("nothing listens at")


def test_no_such_host(rows: Any) -> None:
    assert "cannot be reached" in reason_of(destination("http://no-such-host.invalid:4318").send(rows("a")))


def test_a_server_that_does_not_answer(http_server: Any, rows: Any, answer: Any) -> None:
    given_up = threading.Event()
    http_server.answer = lambda _: answer(before=lambda handler: given_up.wait(60))

    assert "did not answer" in reason_of(destination(http_server.url, TIMEOUT="200").send(rows("a")))
    given_up.set()


def _half(handler: Any) -> bool:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/x-protobuf\r\nContent-Length: 100\r\n\r\n\x0a")
    return True


def _nothing(handler: Any) -> bool:
    return True


def _garbage(handler: Any) -> bool:
    handler.wfile.write(b"\x00\x01\x02 what?\r\n\r\n")
    return True


@pytest.mark.parametrize("breaks", [_half, _nothing, _garbage])
def test_a_server_that_breaks_off(http_server: Any, rows: Any, answer: Any, breaks: Any) -> None:
    http_server.answer = lambda _: answer(before=breaks)

    assert isinstance(destination(http_server.url).send(rows("a")), Unavailable)


def _drip(handler: Any) -> bool:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    for _ in range(600):
        try:
            handler.wfile.write(b"\x00")
            handler.wfile.flush()
        except OSError:
            break
        time.sleep(0.1)
    return True


def test_a_server_that_answers_drop_by_drop(http_server: Any, rows: Any, answer: Any) -> None:
    http_server.answer = lambda _: answer(before=_drip)

    assert "did not answer" in reason_of(destination(http_server.url, TIMEOUT="500").send(rows("a")))


@pytest.fixture
def https_server(certificate: Any) -> Any:
    from tests.unit.exporters.conftest import HttpServer

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    server = HttpServer().start(context)
    yield server
    server.stop()


def test_tls_with_a_certificate_that_is_named(https_server: Any, certificate: Any, rows: Any) -> None:
    assert destination(https_server.url, CERTIFICATE=str(certificate[0])).send(rows("a")) == Accepted()


def test_a_certificate_that_signed_itself_is_not_trusted(https_server: Any, rows: Any) -> None:
    reason = reason_of(destination(https_server.url).send(rows("a")))

    assert "not trusted" in reason
    assert "OTEL_EXPORTER_OTLP_CERTIFICATE" in reason


def test_tls_where_there_is_none(http_server: Any, rows: Any) -> None:
    url = http_server.url.replace("http:", "https:")

    assert "it does not speak TLS: http:// instead of https://" in reason_of(destination(url).send(rows("a")))


def test_a_certificate_that_is_none(tmp_path: Any, rows: Any) -> None:
    path = tmp_path / "ca.pem"
    path.write_text("hello")

    assert "cannot be used" in reason_of(destination("https://127.0.0.1:1", CERTIFICATE=str(path)).send(rows("a")))


def test_its_name_is_the_same_at_every_start_and_holds_no_secret() -> None:
    one, again = (destination("http://LOCALHOST:4318", HEADERS="authorization=s3cret") for _ in range(2))

    assert one.name == again.name == "otlp+http:http://localhost:4318/v1/traces"
    assert one.server == destination("http://127.0.0.1:4317").server


def test_all_problems_with_the_variables_are_one_error() -> None:
    with pytest.raises(ConfigError) as raised:
        destination("nowhere", COMPRESSION="zip", TRACES_TIMEOUT="x")
    assert len(raised.value.problems) == 3


def test_a_secret_in_an_endpoint_is_neither_shown_nor_in_an_error() -> None:
    token = "sk-live-" + "SECRET" * 4
    assert token not in destination(f"http://h:4318/{token}").name
    for wrong in (f"http://h:99999999/{token}", f"h/{token}", f"http://h:x/;token={token}"):
        with pytest.raises(ConfigError) as caught:
            destination("", ENDPOINT=wrong)
        assert token not in str(caught.value)
