"""Hostile clients are refused clearly, in bounded memory, and the others go on."""

from __future__ import annotations

import gzip
import random
import socket
import time
from collections.abc import Iterator
from typing import Any

import grpc
import pytest

from otel_mas.otlp.wire import delimited
from otel_mas.semconv import attributes as names
from tests.conformance.messages import export, process, span
from tests.serving.server import Server, span_names
from tests.serving.test_receiving import TRACES, call, logs, record, request

MIB = 2**20
TIMEOUT_S = 2.0
MOST_MIB = 400
"""Resident memory of the server, whatever it is sent: requests of 16 MiB, 32 MiB of them at a time."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for all of them: the next one has to live with what the last one did."""
    store = tmp_path_factory.mktemp("hostile") / "served.db"
    with Server(store, environ={"OTEL_MAS_RECEIVE_TIMEOUT": str(TIMEOUT_S)}).start() as running:
        yield running


@pytest.fixture(autouse=True)
def unharmed(server: Server) -> Iterator[None]:
    """After each attack good requests are answered, on both transports, and memory is bounded."""
    yield
    number = random.getrandbits(32)
    assert server.post(request(span(number, 1, "after it", 0, 1)))[0] == 200
    assert call(server, request(span(number, 2, "after it, too", 0, 1))) == b""
    assert server.peak_mib < MOST_MIB


def refused(server: Server, body: bytes, **options: Any) -> grpc.StatusCode:
    """The code with which a call over gRPC is refused."""
    with pytest.raises(grpc.RpcError) as error:
        call(server, body, **options)
    code: grpc.StatusCode = error.value.code()
    return code


def nested(depth: int, innermost: bytes = b"\x18\x01") -> bytes:
    """An encoded `AnyValue` of mappings inside each other."""
    value = innermost
    for _ in range(depth):
        value = delimited(b"\x32", delimited(b"\x0a", delimited(b"\x12", value)))
    return value


def with_attribute(value: bytes) -> bytes:
    """A request with one span, which has one attribute of this encoded `AnyValue`."""
    one = span(1, 1, "one", 0, 1).SerializeToString() + delimited(b"\x4a", b"\x0a\x01k" + delimited(b"\x12", value))
    return delimited(b"\x0a", delimited(b"\x12", delimited(b"\x12", one)))


def test_a_bomb_of_gzip(server: Server) -> None:
    bomb = gzip.compress(bytes(256 * MIB), 9)
    members = b"".join([gzip.compress(bytes(MIB), 9)] * 64)
    for body in (bomb, members):
        assert server.post(body, Content_Encoding="gzip")[0] == 413
        assert refused(server, body) is grpc.StatusCode.RESOURCE_EXHAUSTED


def test_gzip_that_is_none(server: Server) -> None:
    for body in (b"\x1f\x8b no", gzip.compress(bytes(1000))[:-9]):
        assert server.post(body, Content_Encoding="gzip")[0] == 400
        assert refused(server, body) is grpc.StatusCode.INVALID_ARGUMENT


def test_a_request_that_is_too_large(server: Server) -> None:
    body = bytes(17 * MIB)

    assert server.post(body)[0] == 413
    assert refused(server, body) is grpc.StatusCode.RESOURCE_EXHAUSTED


def test_a_body_without_an_end(server: Server) -> None:
    """Chunks, without a length, until the server has enough."""
    with _connection(server.http) as client:
        client.sendall(_head("Transfer-Encoding: chunked"))
        chunk = b"10000\r\n" + bytes(65_536) + b"\r\n"
        try:
            for _ in range(2_000):  # 128 MiB
                client.sendall(chunk)
        except OSError:
            return
    pytest.fail("it read all of it")


def test_a_body_without_a_length(server: Server) -> None:
    """Not an empty request, which would be accepted."""
    with _connection(server.http) as client:
        client.sendall(_head("Content-Lengtl: 4") + b"body")
        assert client.recv(65_536).startswith(b"HTTP/1.1 411 ")


@pytest.mark.parametrize("empty", ["resources", "scopes", "spans", "attributes", "values"])
def test_millions_of_empty_messages(server: Server, empty: str) -> None:
    many = 7 * MIB
    body = {
        "resources": lambda: b"\x0a\x00" * many,
        "scopes": lambda: delimited(b"\x0a", b"\x12\x00" * many),
        "spans": lambda: delimited(b"\x0a", delimited(b"\x12", b"\x12\x00" * many)),
        "attributes": lambda: delimited(b"\x0a", delimited(b"\x12", delimited(b"\x12", b"\x4a\x00" * many))),
        "values": lambda: with_attribute(delimited(b"\x2a", b"\x0a\x00" * many)),
    }[empty]()

    assert server.post(body)[0] == 413
    assert refused(server, body) is grpc.StatusCode.RESOURCE_EXHAUSTED


def test_thousands_of_resources(server: Server) -> None:
    resources = [process({names.SERVICE_NAME: f"service {number}"}, []) for number in range(2_000)]

    assert server.post(export(*resources).SerializeToString())[0] == 200
    assert server.post(export(*resources, *resources, *resources).SerializeToString())[0] == 413


def test_giant_attributes(server: Server) -> None:
    text = "x" * (15 * MIB)

    assert server.post(request(span(7, 1, "giant", 0, 1, attributes={"text": text})))[0] == 200
    assert server.post(export(process({"text": text}, [span(7, 2, "of a giant", 0, 1)])).SerializeToString())[0] == 413
    assert server.post(logs(record(7, 1, text)), "/v1/logs")[0] == 200


@pytest.mark.parametrize("depth", [31, 99, 1_000, 50_000])
def test_deep_nesting(server: Server, depth: int) -> None:
    body = with_attribute(nested(depth))

    assert server.post(body)[0] == 200  # cut, and says so
    assert call(server, body) == b""


def test_deep_nesting_in_json(server: Server) -> None:
    for body in (b"[" * MIB, b'{"resourceSpans":' * 100_000):
        assert server.post(body, content_type="application/json")[0] == 400
    deep = b'{"resourceSpans":[{"resource":{"attributes":[{"key":"k","value":'
    deep += b'{"arrayValue":{"values":[' * 200 + b"]}}" * 200 + b"}]}}]}"
    assert server.post(deep, content_type="application/json")[0] in (200, 400)


def test_text_that_is_not_utf8(server: Server) -> None:
    good = request(span(1, 1, "a name of a span", 0, 1))
    for body in (good.replace(b"a name", b"\xff\xfe\xfd\xfc\xfb\xfa"), good.replace(b"shop", b"\xff\xff\xff\xff")):
        assert body != good
        assert server.post(body)[0] == 400
        assert refused(server, body) is grpc.StatusCode.INVALID_ARGUMENT


def test_wrong_lengths(server: Server) -> None:
    good = request(span(1, 1, "one", 0, 1))
    for body in (good[:-1], b"\x0a\xff\xff\xff\xff\x0f" + good, b"\x0a" + b"\xff" * 11, b"\x0a", good + b"\x12\x7f"):
        assert server.post(body)[0] == 400
        assert refused(server, body) is grpc.StatusCode.INVALID_ARGUMENT


def test_ids_and_times_past_all_bounds(server: Server) -> None:
    odd = span(8, 1, "odd", 0, 1, links=[])
    odd.start_time_unix_nano = odd.end_time_unix_nano = 2**64 - 1
    odd.kind, odd.status.code = -5, 77
    odd.parent_span_id = b"\x01" * 1000
    odd.links.add(trace_id=b"x" * 100, span_id=b"")
    assert server.post(request(odd))[0] == 200
    odd.trace_id = b"t" * 1000
    assert b"trace id" in server.post(request(odd))[2]


def test_random_bytes(server: Server) -> None:
    chance = random.Random(5)
    for size in (1, 10, 1_000, 100_000):
        body = chance.randbytes(size)
        for content_type in ("application/x-protobuf", "application/json"):
            for path in ("/v1/traces", "/v1/logs"):
                assert server.post(body, path, content_type)[0] in (200, 400)
        for address in (server.grpc, server.http, server.page):
            with _connection(address) as client:
                try:
                    client.sendall(body)
                    client.shutdown(socket.SHUT_WR)
                    while client.recv(65_536):
                        pass
                except OSError:
                    pass  # it hung up: a refusal


@pytest.mark.parametrize(
    "sent", [b"", b"POST /v1/tra", b"POST /v1/traces HTTP/1.1\r\nHost: localhost\r\nX: ", b"half a body"]
)
def test_a_client_that_sends_slowly_is_hung_up_on(server: Server, sent: bytes) -> None:
    if sent == b"half a body":
        sent = _head("Content-Length: 1000") + sent
    with _connection(server.http) as client:
        client.sendall(sent)
        client.settimeout(60)
        answer = client.recv(65_536)

    assert answer == b"" or answer.startswith(b"HTTP/1.1 408")


def test_a_call_without_a_message_ends(server: Server) -> None:
    with grpc.insecure_channel(server.grpc) as channel, pytest.raises(grpc.RpcError) as error:
        channel.stream_unary(TRACES)(_never(), timeout=60)
    assert error.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    assert "did not arrive" in error.value.details()


def test_idle_connections_leave_room_for_others(server: Server) -> None:
    before = server.rss_mib
    idle = [_connection(address) for _ in range(1_000) for address in (server.grpc, server.http)]
    try:
        for number in range(5):
            assert server.post(request(span(9, number, "beside them", 0, 1)))[0] == 200
            assert call(server, request(span(9, 10 + number, "beside them", 0, 1))) == b""
        assert server.rss_mib - before < 150
    finally:
        for client in idle:
            client.close()


def test_many_headers(server: Server) -> None:
    with _connection(server.http) as client:
        try:
            client.sendall(b"POST /v1/traces HTTP/1.1\r\nHost: localhost\r\n" + b"X-Y: z\r\n" * 100_000 + b"\r\n")
        except OSError:
            return  # it hung up
        client.settimeout(60)
        try:
            assert client.recv(65_536)[:12] in (b"", b"HTTP/1.1 400", b"HTTP/1.1 431")
        except OSError:
            pass


def test_what_came_between_is_stored(server: Server) -> None:
    assert server.request("GET", "/readyz")[0] == 200
    assert "after it" in span_names(server.store)


def _never() -> Iterator[bytes]:
    time.sleep(TIMEOUT_S + 30)
    yield b""


def _connection(address: str) -> socket.socket:
    host, _, port = address.rpartition(":")
    return socket.create_connection((host, int(port)), timeout=30)


def _head(*headers: str) -> bytes:
    lines = ["POST /v1/traces HTTP/1.1", "Host: localhost", "Content-Type: application/x-protobuf", *headers]
    return "\r\n".join([*lines, "", ""]).encode()
