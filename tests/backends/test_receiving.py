"""Real SDKs send to `otel-mas serve`, also by a Collector: Python, Go and JavaScript, by each of their protocols."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

import otel_mas
from tests.backends import programs
from tests.backends.build import NoBackend
from tests.backends.collector import Collector
from tests.serving.server import Server
from tests.unavailable import unavailable

Serve = Callable[..., Server]
PYTHON = [sys.executable, str(Path(__file__).with_name("sdks") / "python" / "sdk.py")]
PROGRAMS: dict[str, Callable[[Mapping[str, str]], list[str]]] = {
    "python": lambda _: PYTHON,
    "go": programs.go_sdk,
    "js": programs.javascript_sdk,
}
FROM = {"python": "from Python", "go": "from Go", "js": "from JavaScript"}
WAYS = [
    (language, protocol, compression)
    for language, protocols in {
        "python": ("grpc", "proto"),
        "go": ("grpc", "http"),
        "js": ("grpc", "proto", "json"),
    }.items()
    for protocol in protocols
    for compression in ("none", "gzip")
]


@pytest.fixture
def program(surroundings: dict[str, str]) -> Callable[[str], list[str]]:
    """`program("go")`: the command of an app. Where it cannot be built: a failure under CI, else a skip."""

    def command(language: str) -> list[str]:
        try:
            return PROGRAMS[language](surroundings)
        except NoBackend as error:
            unavailable(error, surroundings)

    return command


def send(command: list[str], protocol: str, endpoint: str, **environ: str) -> None:
    """Run an app that sends to an endpoint, `host:port`."""
    variables = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://{endpoint}",
        "OTEL_EXPORTER_OTLP_INSECURE": "true",
        "OTEL_SERVICE_NAME": "sender",
        **environ,
    }
    done = subprocess.run(
        [*command, protocol], env={**os.environ, **variables}, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "rror" not in done.stderr, done.stderr


def check(store: Path, language: str) -> None:
    """The store has the app's run: two spans, one the other's parent, and the log record in the inner one."""
    with otel_mas.open(store) as source:
        (summary,) = source.traces()
        trace = source.trace(summary.trace_id)
        child, root = sorted(trace.spans, key=lambda span: span.name)
        (record,) = trace.logs()
    assert (summary.name, summary.service) == (f"{language} root", "sender")
    assert (root.name, child.name, child.parent_span_id) == (f"{language} root", f"{language} child", root.span_id)
    assert child.attributes["tags"] == ("a", "b")
    assert (record.message, record.severity, record.span_id) == (FROM[language], "WARN", child.span_id)
    assert record.logger == f"{language}-app"


@pytest.mark.parametrize(("language", "protocol", "compression"), WAYS)
def test_an_app_in_any_language_is_received(
    serve: Serve, program: Callable[[str], list[str]], language: str, protocol: str, compression: str
) -> None:
    command = program(language)
    server = serve()
    endpoint = server.grpc if protocol == "grpc" else server.http
    compressed = {} if compression == "none" else {"OTEL_EXPORTER_OTLP_COMPRESSION": compression}
    send(command, protocol, endpoint, **compressed)

    check(server.store, language)


@pytest.mark.parametrize("protocol", ["grpc", "http", "json"])
def test_a_collector_hands_on(serve: Serve, jaeger_binary: Path, tmp_path: Path, protocol: str) -> None:
    server = serve()
    with Collector(jaeger_binary, tmp_path, server, protocol) as collector:
        send(PYTHON, "grpc", collector.grpc)
        send(PYTHON, "proto", collector.http)
        collector.wait_until_sent(6)

    with otel_mas.open(server.store) as source:
        traces = [source.trace(summary.trace_id) for summary in source.traces()]
        assert [len(trace.spans) for trace in traces] == [2, 2]
        assert [record.message for trace in traces for record in trace.logs()] == ["from Python", "from Python"]


def test_an_sdk_waits_where_the_server_asks_it_to(serve: Serve, tmp_path: Path) -> None:
    """A queue of one byte takes one request at a time: the others are sent again after what the server says."""
    server = serve(OTEL_MAS_RECEIVE_QUEUE_BYTES="1", OTEL_MAS_RECEIVE_REQUEST_BYTES=str(2**20))
    apps = [
        subprocess.Popen([*PYTHON, "grpc"], env={**os.environ, "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://{server.grpc}"})
        for _ in range(4)
    ]
    assert [app.wait(120) for app in apps] == [0] * 4

    with otel_mas.open(server.store) as source:
        assert [summary.span_count for summary in source.traces()] == [2] * 4
