"""Jaeger: what is asked of which version, what is filtered here, and every way of refusing in a line of its own.

What a real one answers is in tests/conformance, and at the end of this file where it takes a real one of its own.
"""

from __future__ import annotations

import json
import socket
import time
import tracemalloc
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc
import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import TracesData

from otel_mas.causal import build
from otel_mas.errors import SourceError, TraceNotFound, UnsupportedQuery
from otel_mas.model import Query
from otel_mas.sources import open_source
from otel_mas.sources.endpoint import Access, parse_endpoint
from otel_mas.sources.jaeger import JaegerSource
from otel_mas.sources.jaeger_grpc import JaegerOverGrpc
from otel_mas.sources.jaeger_http import JaegerOverHttp
from tests.backends.jaeger import Jaeger
from tests.conformance import lunch
from tests.conformance.messages import BASE_NS, MS, export, pairs, process, span, trace_id
from tests.unit.sources.answering import (
    Answer,
    Answerer,
    Answering,
    Asked,
    SelfSigned,
    answering,
    free_port,
    saying,
    self_signed,
)

TRACE = trace_id(lunch.ASKING)
NOT_FOUND = Answer(404, b'{"error":{"httpCode":404,"message":"No traces found"}}\n', "text/plain; charset=utf-8")


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
    """The query API of a version: up to 2.18 with attributes ignored and snake_case only, from 2.19 on otherwise."""

    def __init__(self, *, version: tuple[int, int], traces: dict[str, list[TracesData]], most: int = 1000) -> None:
        self.version = version
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
        wanted = json.loads(query.get("query.attributes", "{}"))
        found = [
            one
            for one in self.traces.values()
            if query.get("query.service_name", "") in ("", *services(one)) and wanted.items() <= attributes(one)
        ]
        if not found:
            return NOT_FOUND
        return self.json({"result": as_json(*(part for one in found[:most] for part in one))})

    def json(self, document: object, status: int = 200) -> Answer:
        kind = "text/plain; charset=utf-8" if self.version < (2, 19) else "application/json"
        return Answer(status, json.dumps(document).encode(), kind)


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


def over_http(server: Answering | int, path: str = "", **access: Any) -> JaegerSource:
    port = server if isinstance(server, int) else server.port
    endpoint = parse_endpoint("jaeger+http", f"127.0.0.1:{port}{path}", 16686)
    return JaegerSource(JaegerOverHttp(endpoint, Access(**{"timeout_s": 5.0, **access})))


def over_grpc(port: int, **access: Any) -> JaegerSource:
    endpoint = parse_endpoint("jaeger+grpc", f"127.0.0.1:{port}", 16685, paths=False)
    return JaegerSource(JaegerOverGrpc(endpoint, Access(**{"timeout_s": 5.0, **access})))


# Versions


@pytest.mark.parametrize("version", [(2, 13), (2, 18), (2, 19), (2, 20)])
@pytest.mark.parametrize(
    ("query", "found"),
    [
        (Query(), [lunch.FOREIGN, lunch.RESUMED, lunch.ASKING]),
        (Query(limit=1), [lunch.FOREIGN]),
        (Query(agent="waiter"), [lunch.RESUMED]),
        (Query(agent="chef", service="gateway"), [lunch.FOREIGN]),
        (Query(conversation_id=lunch.THREAD), [lunch.RESUMED, lunch.ASKING]),
        (Query(run_id=lunch.RUN), [lunch.ASKING]),
        (Query(status="interrupted"), [lunch.ASKING]),
    ],
    ids=str,
)
def test_every_version_gives_the_same(version: tuple[int, int], query: Query, found: list[int]) -> None:
    with answering(FakeJaeger(version=version, traces=LUNCH)) as server:
        assert [one.trace_id for one in over_http(server).traces(query)] == [trace_id(number) for number in found]


def test_a_version_that_takes_attributes_is_asked_by_them_in_each_service() -> None:
    """Storages look for attributes within a service only, and agent and service may be on different spans."""
    with answering(FakeJaeger(version=(2, 20), traces=LUNCH)) as server:
        over_http(server).traces(Query(agent="chef", service="gateway", since_ns=BASE_NS))
        searches = [asked.query for asked in server.asked if asked.path == "/api/v3/traces"]

    named = [query for query in searches if json.loads(query["query.attributes"]) == {"gen_ai.agent.name": "chef"}]
    assert {query["query.service_name"] for query in named} == {"canteen", "gateway", "kitchen"}
    assert named == searches[1:]  # the first asks whether they are taken


def test_a_version_that_ignores_attributes_is_asked_by_service() -> None:
    with answering(FakeJaeger(version=(2, 13), traces=LUNCH)) as server:
        over_http(server).conversation(lunch.THREAD, lunch.SERVICE)
        searches = [asked.query for asked in server.asked if asked.path == "/api/v3/traces"]

    assert {query["query.service_name"] for query in searches} == {lunch.SERVICE}
    assert all("query.attributes" not in query for query in searches[1:])


def test_a_value_that_could_be_a_regular_expression_is_not_left_to_the_server() -> None:
    with answering(FakeJaeger(version=(2, 20), traces=LUNCH)) as server:
        assert over_http(server).traces(Query(conversation_id=".*|a+")) == []

    assert not any("query.attributes" in asked.query for asked in server.asked)


def test_both_names_of_the_depth_are_sent() -> None:
    with answering(FakeJaeger(version=(2, 13), traces=LUNCH)) as server:
        over_http(server).traces(Query(limit=50))

    query = next(asked.query for asked in server.asked if asked.path == "/api/v3/traces")
    assert query["query.num_traces"] == query["query.search_depth"] == "51"
    assert query["query.start_time_min"].endswith("Z")
    assert query["query.raw_traces"] == "true"


def test_a_small_storage_is_asked_for_few_at_a_time() -> None:
    with answering(FakeJaeger(version=(2, 13), traces=LUNCH, most=8)) as server:
        assert len(over_http(server).traces(Query())) == 3


def test_a_trace_in_pieces_is_one() -> None:
    with answering(FakeJaeger(version=(2, 13), traces=LUNCH)) as server:
        assert len(over_http(server).trace(trace_id(lunch.FOREIGN)).spans) == 3


def test_a_span_that_was_delivered_twice_is_read_once() -> None:
    traces = {TRACE: [lunch.EXPORTS[0], lunch.EXPORTS[0]]}
    with answering(FakeJaeger(version=(2, 13), traces=traces)) as server:
        source = over_http(server)
        assert len(source.trace(TRACE).spans) == 7
        assert source.traces(Query())[0] == lunch.SUMMARIES[lunch.ASKING]


def test_message_digests_are_read_from_the_spans() -> None:
    with answering(FakeJaeger(version=(2, 13), traces=LUNCH)) as server:
        refs = over_http(server).message_refs(TRACE)

    assert [(ref.direction, ref.position, ref.digest[:2]) for ref in refs[:3]] == [
        ("input", 0, "0a"),
        ("input", 1, "0b"),
        ("output", 0, "0c"),
    ]


# Endpoints


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("jaeger+http://", "names no host"),
        ("jaeger+http:///api", "names no host"),
        ("jaeger+http://host:0", "names no host"),
        ("jaeger+http://host:port", "is no address"),
        ("jaeger+http://host:99999", "is no address"),
        ("jaeger+http://[::1", "is no address"),
        ("jaeger+http://a b", "names no host"),
        ("jaeger+http://http://host:16686", "two schemes"),
        ("jaeger+http://host:16686?x=1", "query"),
        ("jaeger+grpc://host:16685/base", "gRPC knows none"),
        ("jaeger+https://me:secret@host", "OTEL_MAS_SOURCE_HEADERS"),
    ],
)
def test_an_address_that_is_none_is_told_with_an_example(target: str, expected: str) -> None:
    with pytest.raises(SourceError, match=expected) as caught:
        open_source(target)

    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("target", "location"),
    [
        ("jaeger+http://host", "jaeger+http://host:16686"),
        ("jaeger+http://host/base/", "jaeger+http://host:16686/base"),
        ("jaeger+https://host:443/a/b", "jaeger+https://host:443/a/b"),
        ("jaeger+http://[::1]", "jaeger+http://[::1]:16686"),
        ("jaeger+grpc://host", "jaeger+grpc://host:16685"),
        ("tempo+http://host", "tempo+http://host:3200"),
    ],
)
def test_an_address_is_shown_as_it_can_be_opened(target: str, location: str) -> None:
    source = open_source(target)

    assert source.location == location
    assert open_source(source.location).location == location
    source.close()


@pytest.mark.parametrize("target", ["localhost:16686", "jaeger.example.com:443/base"])
def test_an_address_without_a_scheme_is_told(target: str) -> None:
    with pytest.raises(SourceError, match=r"jaeger\+http://"):
        open_source(target)


# Refusals over HTTP


def refusal(answer: Answerer | Answer, path: str = "", **access: Any) -> str:
    with answering(answer if callable(answer) else lambda _: answer) as server, pytest.raises(SourceError) as caught:
        over_http(server, path, **access).trace(TRACE)
    assert not isinstance(caught.value, TraceNotFound)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_nobody_there() -> None:
    with pytest.raises(SourceError, match=r"nothing listens at .*16686"):
        over_http(free_port()).trace(TRACE)


def test_an_unknown_host() -> None:
    endpoint = parse_endpoint("jaeger+http", "no-such-host.invalid", 16686)
    with pytest.raises(SourceError, match=r"host of .* is not known"):
        JaegerSource(JaegerOverHttp(endpoint, Access(timeout_s=5))).trace(TRACE)


def test_a_server_that_does_not_answer_in_time() -> None:
    said = refusal(Answer(200, wait_s=3), timeout_s=0.2)

    assert "did not answer within 0.2 s" in said
    assert "OTEL_MAS_SOURCE_TIMEOUT" in said


def test_a_server_that_answers_byte_by_byte() -> None:
    start = time.monotonic()

    assert "did not answer within" in refusal(Answer(200, b"{" + b" " * 1000, drip_s=0.05), timeout_s=0.3)
    assert time.monotonic() - start < 3


@pytest.mark.parametrize("status", [401, 403])
def test_no_access(status: int) -> None:
    said = refusal(Answer(status, b"token expired", "text/plain"))

    assert f"refuses access ({status}): token expired" in said
    assert "OTEL_MAS_SOURCE_HEADERS" in said


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
    said = refusal(answer, path="/wrong")

    assert "does not answer as Jaeger does" in said
    assert "base path" in said


def test_something_that_speaks_no_http() -> None:
    with saying(b"SSH-2.0-OpenSSH_9.2\r\n") as port, pytest.raises(SourceError, match="not HTTP"):
        over_http(port).trace(TRACE)


def test_a_server_that_hangs_up() -> None:
    with saying(b"") as port, pytest.raises(SourceError, match="hung up"):
        over_http(port).trace(TRACE)


def test_a_redirect_is_not_followed_with_our_token() -> None:
    with answering(lambda _: Answer(200, b"{}")) as elsewhere:
        there = f"http://127.0.0.1:{elsewhere.port}/login"
        said = refusal(Answer(302, headers={"Location": there}), headers=(("authorization", "Bearer x"),))

        assert there in said
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
    said = refusal(answer)

    assert expected in said
    assert len(said) < 500


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
        {"resourceSpans": [{"scopeSpans": [{"spans": [{"attributes": [{}]}]}]}]},
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


def test_more_than_can_be_looked_at_is_refused() -> None:
    many = {trace_id(n): [export(process({"service.name": "s"}, [span(n, n, "x", n, n + 1)]))] for n in range(1, 200)}
    fake = FakeJaeger(version=(2, 13), traces=many, most=50)

    with answering(fake) as server, pytest.raises(UnsupportedQuery, match="say since when"):
        JaegerSource(over_http(server)._transport, most_looked_at=100).traces(Query(agent="nobody"))


# TLS


@pytest.fixture(scope="module")
def trusted(tmp_path_factory: pytest.TempPathFactory) -> SelfSigned:
    return self_signed(tmp_path_factory.mktemp("certificate"))


def https(server: Answering, certificate: Path | str | None) -> JaegerSource:
    endpoint = parse_endpoint("jaeger+https", f"localhost:{server.port}", 16686)
    return JaegerSource(JaegerOverHttp(endpoint, Access(certificate=certificate and str(certificate), timeout_s=5)))


def test_a_certificate_is_trusted_when_it_is_given(trusted: SelfSigned) -> None:
    with answering(FakeJaeger(version=(2, 13), traces=LUNCH), trusted.context) as server:
        assert https(server, trusted.certificate).trace(TRACE).trace_id == TRACE


def test_a_self_signed_certificate_is_told(trusted: SelfSigned) -> None:
    with answering(lambda _: NOT_FOUND, trusted.context) as server, pytest.raises(SourceError) as caught:
        https(server, None).trace(TRACE)

    assert "is not trusted (self-signed certificate" in str(caught.value)
    assert "OTEL_MAS_SOURCE_CERTIFICATE" in str(caught.value)


def test_a_server_without_tls_is_told() -> None:
    with answering(lambda _: NOT_FOUND) as server, pytest.raises(SourceError, match="does not speak TLS"):
        https(server, None).trace(TRACE)


def test_a_server_that_wants_tls_is_told(trusted: SelfSigned) -> None:
    with answering(lambda _: NOT_FOUND, trusted.context) as server, pytest.raises(SourceError, match=r"TLS|HTTP"):
        over_http(server).trace(TRACE)


@pytest.mark.parametrize("scheme", ["https", "grpcs"])
def test_a_certificate_file_that_is_none_is_told(tmp_path: Path, scheme: str, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "wrong.pem").write_text("not a certificate")
    for name in ("wrong.pem", "missing.pem"):
        monkeypatch.setenv("OTEL_MAS_SOURCE_CERTIFICATE", str(tmp_path / name))
        with pytest.raises(SourceError, match=f"OTEL_MAS_SOURCE_CERTIFICATE: .*{name}"):
            open_source(f"jaeger+{scheme}://localhost:1").trace(TRACE)


# gRPC, by a server that answers as a test says


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


def failing(code: grpc.StatusCode, said: str) -> GrpcAnswer:
    def answer(method: str, request: bytes, context: grpc.ServicerContext) -> Iterator[bytes]:
        context.abort(code, said)
        yield b""

    return answer


@pytest.mark.parametrize(
    ("code", "said", "expected"),
    [
        (grpc.StatusCode.UNAUTHENTICATED, "no token", "refuses access .no token.; set OTEL_MAS_SOURCE_HEADERS"),
        (grpc.StatusCode.PERMISSION_DENIED, "not you", "refuses access .not you."),
        (grpc.StatusCode.UNIMPLEMENTED, "unknown service", "does not answer as Jaeger does .unknown service."),
        (grpc.StatusCode.UNKNOWN, "disk is full", "Jaeger at .* failed .unknown.: disk is full"),
        (grpc.StatusCode.INTERNAL, "two\nlines", "two lines"),
        (grpc.StatusCode.UNAVAILABLE, "upstream reset", "hung up .upstream reset."),
    ],
)
def test_a_grpc_status_is_told(speaking: Callable[..., int], code: grpc.StatusCode, said: str, expected: str) -> None:
    with pytest.raises(SourceError, match=expected) as caught:
        over_grpc(speaking(failing(code, said))).trace(TRACE)
    assert not isinstance(caught.value, TraceNotFound)


def test_newer_versions_say_by_a_status_that_there_is_no_trace(speaking: Callable[..., int]) -> None:
    with pytest.raises(TraceNotFound):
        over_grpc(speaking(failing(grpc.StatusCode.NOT_FOUND, "trace not found"))).trace(TRACE)


def test_a_stream_that_breaks_off_is_no_trace_but_an_error(speaking: Callable[..., int]) -> None:
    def answer(method: str, request: bytes, context: grpc.ServicerContext) -> Iterator[bytes]:
        yield lunch.EXPORTS[0].SerializeToString()
        context.abort(grpc.StatusCode.UNAVAILABLE, "going away")

    with pytest.raises(SourceError, match="going away"):
        over_grpc(speaking(answer)).trace(TRACE)


def test_a_message_that_is_cut_is_told(speaking: Callable[..., int]) -> None:
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


def test_nobody_there_for_grpc() -> None:
    with pytest.raises(SourceError, match=r"nothing listens at .*16685"):
        over_grpc(free_port()).trace(TRACE)


def test_an_unknown_host_for_grpc() -> None:
    endpoint = parse_endpoint("jaeger+grpc", "no-such-host.invalid", 16685)
    with pytest.raises(SourceError, match=r"host of .* is not known"):
        JaegerSource(JaegerOverGrpc(endpoint, Access(timeout_s=5))).trace(TRACE)


def test_an_http_server_is_told_from_a_grpc_server() -> None:
    with answering(lambda _: NOT_FOUND) as server, pytest.raises(SourceError, match="does not answer as Jaeger does"):
        over_grpc(server.port).trace(TRACE)


def test_a_silent_port_is_told() -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    with listener, pytest.raises(SourceError, match="did not answer within"):
        over_grpc(listener.getsockname()[1], timeout_s=0.5).trace(TRACE)


def grpcs(port: int, certificate: Path | None) -> JaegerSource:
    endpoint = parse_endpoint("jaeger+grpcs", f"localhost:{port}", 16685)
    return JaegerSource(JaegerOverGrpc(endpoint, Access(certificate=certificate and str(certificate), timeout_s=5)))


def test_grpc_trusts_a_certificate_when_it_is_given(speaking: Callable[..., int], trusted: SelfSigned) -> None:
    def answer(method: str, request: bytes, context: grpc.ServicerContext) -> Iterator[bytes]:
        yield lunch.EXPORTS[0].SerializeToString()

    port = speaking(answer, trusted)

    assert grpcs(port, trusted.certificate).trace(TRACE).trace_id == TRACE
    with pytest.raises(SourceError, match="is not trusted"):
        grpcs(port, None).trace(TRACE)


def test_a_grpc_server_without_tls_is_told(speaking: Callable[..., int]) -> None:
    with pytest.raises(SourceError, match="TLS"):
        grpcs(speaking(failing(grpc.StatusCode.UNKNOWN, "")), None).trace(TRACE)


# A real one


@pytest.fixture(scope="module")
def real(jaeger_binary: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Jaeger]:
    server = Jaeger(jaeger_binary, tmp_path_factory.mktemp("jaeger"))
    server.start()
    yield server
    server.stop()


SPANS = 50_000
_LARGE, _TASKS = 77, 50


def large() -> Iterator[TracesData]:
    """One trace of 50,000 spans with 14 attributes each, in requests of a size that any server takes."""
    attributes = pairs({f"attribute.{n}": f"value {n} of a span" for n in range(12)} | {"n": 1, "f": 0.5})
    numbers = range(1, SPANS + 1)
    for first in range(0, SPANS, 5_000):
        spans = [
            span(_LARGE, n, f"span {n % _TASKS}", n / 100, n / 100 + 5, parent=None if n == 1 else n // 2)
            for n in numbers[first : first + 5_000]
        ]
        for one in spans:
            one.attributes.extend(attributes)
        yield export(process({"service.name": "large"}, spans))


@pytest.fixture(scope="module")
def filled(real: Jaeger) -> Jaeger:
    for part in large():
        real.send(part.SerializeToString())
    return real


@pytest.mark.parametrize("way", ["http", "grpc"])
def test_a_trace_of_50_000_spans_is_read_and_counted(filled: Jaeger, way: str) -> None:
    source = open_source(f"jaeger+{way}://{filled.http if way == 'http' else filled.grpc}")

    trace = source.trace(trace_id(_LARGE))
    (summary,) = source.traces(Query(service="large"))

    assert len(trace.spans) == summary.span_count == SPANS
    assert trace.spans[-1].attributes["attribute.3"] == "value 3 of a span"
    assert len(build([trace]).edges) == SPANS - 1
    source.close()


def test_counting_a_large_trace_keeps_none_of_its_spans(filled: Jaeger) -> None:
    source = open_source(f"jaeger+grpc://{filled.grpc}")
    tracemalloc.start()
    try:
        source.traces(Query(service="large"))
        left, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
        source.close()

    assert left < SPANS * 100


def test_a_real_base_path_and_a_wrong_one(jaeger_binary: Path, tmp_path: Path) -> None:
    server = Jaeger(jaeger_binary, tmp_path, base_path="/tools/jaeger")
    server.start()
    try:
        server.send(lunch.EXPORTS[0].SerializeToString())
        assert len(open_source(f"jaeger+http://{server.http}").trace(TRACE).spans) == 7
        for wrong in ("", "/tools", "/tools/jaeger/search"):
            with pytest.raises(SourceError, match="does not answer as Jaeger does"):
                open_source(f"jaeger+http://127.0.0.1:{server.ports[0]}{wrong}").trace(TRACE)
    finally:
        server.stop()


def test_a_real_one_over_tls(
    jaeger_binary: Path, tmp_path: Path, trusted: SelfSigned, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = Jaeger(jaeger_binary, tmp_path, certificate=trusted.certificate, key=trusted.key)
    server.start()
    targets = [f"jaeger+https://localhost:{server.ports[0]}", f"jaeger+grpcs://localhost:{server.ports[1]}"]
    try:
        server.send(lunch.EXPORTS[0].SerializeToString())
        for target in targets:
            with pytest.raises(SourceError, match="is not trusted"):
                open_source(target).trace(TRACE)
            with pytest.raises(SourceError):
                open_source(target.replace("s://", "://")).trace(TRACE)
        monkeypatch.setenv("OTEL_MAS_SOURCE_CERTIFICATE", str(trusted.certificate))
        for target in targets:
            assert len(open_source(target).trace(TRACE).spans) == 7
    finally:
        server.stop()


@pytest.mark.parametrize("way", ["http", "grpc"])
def test_a_server_that_dies_is_told_and_read_again_when_it_is_back(
    jaeger_binary: Path, tmp_path: Path, way: str
) -> None:
    server = Jaeger(jaeger_binary, tmp_path, "badger")
    server.start()
    source = open_source(f"jaeger+{way}://{server.http if way == 'http' else server.grpc}")
    try:
        server.send(lunch.EXPORTS[0].SerializeToString())
        assert len(source.trace(TRACE).spans) == 7
        server.stop()
        with pytest.raises(SourceError, match=r"nothing listens|hung up"):
            source.trace(TRACE)
        server.start()
        deadline = time.monotonic() + 30
        while True:
            try:
                assert len(source.trace(TRACE).spans) == 7
                break
            except SourceError:
                assert time.monotonic() < deadline
                time.sleep(0.2)
    finally:
        server.stop()
        source.close()


def test_a_trace_that_is_still_arriving_grows(real: Jaeger) -> None:
    source = open_source(f"jaeger+grpc://{real.grpc}")
    halves = [export(process({"service.name": "arriving"}, [span(78, n, "part", n, n + 1)])) for n in (1, 2)]
    real.send(halves[0].SerializeToString())
    first = source.trace(trace_id(78))
    real.send(halves[1].SerializeToString())

    assert (len(first.spans), len(source.trace(trace_id(78)).spans)) == (1, 2)
    assert source.traces(Query(service="arriving"))[0].span_count == 2
    assert source.traces(Query(service="arriving"))[0].start_ns == BASE_NS + MS
    source.close()
