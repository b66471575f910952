"""OTLP logs, sent to a server on this machine."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

import otel_mas
from otel_mas.record.pipeline.log_export import is_wanted


class Server(ThreadingHTTPServer):
    got: list[ExportLogsServiceRequest]


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_POST(self) -> None:
        import gzip

        body = self.rfile.read(int(self.headers["Content-Length"]))
        body = gzip.decompress(body) if self.headers.get("Content-Encoding") == "gzip" else body
        self.server.got.append(ExportLogsServiceRequest.FromString(body))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Server]:
    found = Server(("127.0.0.1", 0), Handler)
    found.got = []
    thread = threading.Thread(target=found.serve_forever, daemon=True)
    thread.start()
    yield found
    found.shutdown()
    found.server_close()


@pytest.mark.parametrize("capture", ["EVENT_ONLY", "NO_CONTENT"])
def test_records_leave_with_ids_and_their_content_only_with_consent(
    capture: str, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_LOGS_ENDPOINT", f"http://127.0.0.1:{server.server_port}/v1/logs")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_LOGS_PROTOCOL", "http/protobuf")
    monkeypatch.setenv("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", capture)
    otel_mas.instrument(store=tmp_path / "runs.db", personal_data="email")
    with otel_mas.agent("writer") as agent:
        try:
            raise ValueError("no")
        except ValueError:
            logging.getLogger("app").exception("to %s", "bob@example.com", extra={"order": 7})
    otel_mas.shutdown(30)

    (request,) = server.got
    (of_scope,) = request.resource_logs[0].scope_logs
    (record,) = of_scope.log_records
    attributes = {one.key: one.value.string_value or one.value.int_value for one in record.attributes}
    assert of_scope.scope.name == "app"
    assert record.span_id.hex() == f"{agent.span.get_span_context().span_id:016x}"
    assert (record.severity_text, record.severity_number) == ("ERROR", 17)
    assert attributes["gen_ai.agent.name"] == "writer"
    assert attributes["exception.type"] == "ValueError"
    if capture == "EVENT_ONLY":
        assert record.body.string_value.startswith("to [email:")
        assert attributes["order"] == 7
        assert attributes["exception.message"] == "no"
    else:
        assert not record.body.string_value
        assert attributes.keys() <= {"gen_ai.agent.name", "exception.type", "mas.task.name", "mas.task.id"}


@pytest.mark.parametrize(
    ("environ", "wanted"),
    [
        ({}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://x"}, False),
        ({"OTEL_LOGS_EXPORTER": "otlp"}, True),
        ({"OTEL_LOGS_EXPORTER": "console, otlp"}, True),
        ({"OTEL_EXPORTER_OTLP_LOGS_ENDPOINT": "http://x"}, True),
        ({"OTEL_EXPORTER_OTLP_LOGS_ENDPOINT": "http://x", "OTEL_LOGS_EXPORTER": "none"}, False),
    ],
)
def test_logs_are_exported_only_where_a_variable_says_so(environ: dict[str, str], wanted: bool) -> None:
    assert is_wanted(environ) is wanted
