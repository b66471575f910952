"""OTLP servers that answer as they are told, over HTTP and gRPC, and rows to send them."""

from __future__ import annotations

import gzip
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import grpc
import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, TracesData

from otel_mas.otlp.encode import encode_scope
from otel_mas.otlp.framing import LogRow, Origin


@dataclass
class Request:
    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def names(self) -> list[str]:
        """Names of the spans in it."""
        data = TracesData.FromString(self.body)
        return [span.name for process in data.resource_spans for of in process.scope_spans for span in of.spans]


@dataclass
class HttpAnswer:
    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=lambda: {"Content-Type": "application/x-protobuf"})
    before: Callable[[Any], object] = lambda handler: None
    """Called with the handler before anything is answered; True: that was the answer."""


@dataclass
class HttpServer:
    """`answer` decides what each request gets; `requests` has all of them."""

    answer: Callable[[Request], HttpAnswer] = lambda request: HttpAnswer()
    requests: list[Request] = field(default_factory=list)
    scheme: str = "http"
    _server: ThreadingHTTPServer | None = None

    @property
    def url(self) -> str:
        assert self._server is not None
        return f"{self.scheme}://127.0.0.1:{self._server.server_port}"

    def start(self, tls: ssl.SSLContext | None = None) -> HttpServer:
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                if self.headers.get("Content-Encoding") == "gzip":
                    body = gzip.decompress(body)
                request = Request(self.path, dict(self.headers), body)
                outer.requests.append(request)
                answer = outer.answer(request)
                if answer.before(self):
                    self.close_connection = True
                    return
                self.send_response(answer.status)
                for name, value in answer.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(answer.body)))
                self.end_headers()
                self.wfile.write(answer.body)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        if tls is not None:
            self.scheme = "https"
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def stop(self) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()


@pytest.fixture
def http_server() -> Iterator[HttpServer]:
    server = HttpServer().start()
    yield server
    server.stop()


@dataclass
class GrpcServer:
    """`answer` gets the request and the call's context, and returns the response or aborts."""

    answer: Callable[[Request, Any], bytes] = lambda request, context: b""
    requests: list[Request] = field(default_factory=list)
    port: int = 0
    _server: Any = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self, credentials: Any = None, options: Any = ()) -> GrpcServer:
        def export(body: bytes, context: Any) -> bytes:
            request = Request("", dict(context.invocation_metadata()), body)
            self.requests.append(request)
            return self.answer(request, context)

        service = "opentelemetry.proto.collector.trace.v1.TraceService"
        handlers = grpc.method_handlers_generic_handler(
            service, {"Export": grpc.unary_unary_rpc_method_handler(export)}
        )
        self._server = grpc.server(ThreadPoolExecutor(4), options=options)
        self._server.add_generic_rpc_handlers((handlers,))
        address = f"127.0.0.1:{self.port}"
        self.port = (
            self._server.add_insecure_port(address)
            if credentials is None
            else self._server.add_secure_port(address, credentials)
        )
        self._server.start()
        return self

    def stop(self) -> None:
        if self._server is not None:
            self._server.stop(0).wait()


@pytest.fixture
def grpc_server() -> Iterator[GrpcServer]:
    server = GrpcServer().start()
    yield server
    server.stop()


def row(name: str, key: int = 1) -> LogRow:
    body = Span(
        trace_id=b"t" * 16, span_id=key.to_bytes(8, "big"), name=name, start_time_unix_nano=1
    ).SerializeToString()
    return LogRow(key, Origin(1, b""), Origin(1, encode_scope("lib", "1", {})), body)


@pytest.fixture
def rows() -> Callable[..., list[LogRow]]:
    """`rows("a", "b")`: a row for each name."""
    return lambda *names: [row(name, key) for key, name in enumerate(names, 1)]


@pytest.fixture
def answer() -> type[HttpAnswer]:
    return HttpAnswer


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """`(certificate, key)` in PEM files: signed by itself, for 127.0.0.1 and localhost."""
    import shutil
    import subprocess

    if shutil.which("openssl") is None:
        pytest.skip("no openssl to make a certificate with")
    folder = tmp_path_factory.mktemp("tls")
    made = folder / "cert.pem", folder / "key.pem"
    subprocess.run(
        [
            "openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
            "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", made[1], "-out", made[0],
        ],
        check=True,
        capture_output=True,
    )  # fmt: skip
    return made
