"""Local OTLP sinks, which every recorder that exports does so to: they accept everything and count the spans."""

from __future__ import annotations

import gzip
import threading
from concurrent import futures
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import grpc  # type: ignore[import-untyped]
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


def _count(request: bytes) -> int:
    found = ExportTraceServiceRequest.FromString(request)
    return sum(len(scope.spans) for each in found.resource_spans for scope in each.scope_spans)


class _Accept(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    spans = 0

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        if self.path.endswith("/v1/traces"):
            type(self).spans += _count(body)
        self._answer(b"", "application/x-protobuf")

    def do_GET(self) -> None:
        self._answer(b"{}", "application/json")  # Langfuse asks for its project

    def _answer(self, body: bytes, content_type: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


class Sink:
    """OTLP over HTTP. `with Sink() as sink: ... sink.endpoint ... sink.spans`; loopback only."""

    def __enter__(self) -> Sink:
        self._handler = type("Accept", (_Accept,), {"spans": 0})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}/v1/traces"

    @property
    def spans(self) -> int:
        """How many have arrived."""
        return self._handler.spans


class GrpcSink:
    """OTLP over gRPC, used as `Sink`."""

    def __enter__(self) -> GrpcSink:
        self.spans = 0
        self._server = grpc.server(futures.ThreadPoolExecutor(1), options=[("grpc.max_receive_message_length", -1)])
        handlers = {"Export": grpc.unary_unary_rpc_method_handler(self._accept)}
        service = "opentelemetry.proto.collector.trace.v1.TraceService"
        self._server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, handlers),))
        self._port = self._server.add_insecure_port("127.0.0.1:0")
        self._server.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._server.stop(None).wait()

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def _accept(self, request: bytes, _: object) -> bytes:
        self.spans += _count(request)
        return b""
