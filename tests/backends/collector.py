"""A real Collector between an app and a server. Jaeger's binary is one: it has the Collector's OTLP parts."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import orjson

from tests.backends.jaeger import free_ports, is_listening
from tests.serving.server import Server

_READY_WITHIN_S = 60.0
_SENT_WITHIN_S = 60.0


class Collector:
    """One process, which batches what it gets and hands it on to a server.

    Args:
        binary: of Jaeger.
        folder: for its files.
        server: gets the spans.
        protocol: `grpc`, `http` (protobuf) or `json` (over HTTP).
    """

    def __init__(self, binary: Path, folder: Path, server: Server, protocol: str) -> None:
        self._binary = binary
        self._folder = folder
        self._server = server
        self._protocol = protocol
        ports = free_ports(2)
        self.grpc, self.http = (f"127.0.0.1:{port}" for port in ports)
        self._ports = ports

    def __enter__(self) -> Self:
        config = self._folder / "collector.yaml"
        config.write_bytes(orjson.dumps(self._config()))  # JSON is YAML
        environ = {name: value for name, value in os.environ.items() if not name.startswith(("OTEL_", "JAEGER_"))}
        with (self._folder / "collector.log").open("wb") as log:
            self._process = subprocess.Popen(
                [self._binary, "--config", config],
                stdout=log,
                stderr=log,
                cwd=self._folder,
                env={**environ, "OTEL_TRACES_SAMPLER": "always_off"},
            )
        deadline = time.monotonic() + _READY_WITHIN_S
        while not all(map(is_listening, self._ports)):
            if self._process.poll() is not None or time.monotonic() > deadline:
                self._end()
                log_text = (self._folder / "collector.log").read_text()
                raise RuntimeError(f"the Collector did not start: {log_text[-2000:]}")
            time.sleep(0.05)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._end()

    def wait_until_sent(self, items: int) -> None:
        """Wait until the server has accepted so many spans and log records."""
        deadline = time.monotonic() + _SENT_WITHIN_S
        while self._server.metric("mas_receiver_accepted_total") < items and time.monotonic() < deadline:
            time.sleep(0.05)

    def _end(self) -> None:
        self._process.kill()
        self._process.wait()

    def _config(self) -> dict[str, Any]:
        name = "otlp" if self._protocol == "grpc" else "otlphttp"
        exporter: dict[str, Any] = {"tls": {"insecure": True}, "endpoint": self._server.grpc}
        if name == "otlphttp":
            encoding = "json" if self._protocol == "json" else "proto"
            exporter = {"endpoint": f"http://{self._server.http}", "encoding": encoding}
        pipeline = {"receivers": ["otlp"], "processors": ["batch"], "exporters": [name]}
        return {
            "service": {
                "pipelines": dict.fromkeys(("traces", "logs"), pipeline),
                "telemetry": {"metrics": {"level": "none"}},
            },
            "receivers": {"otlp": {"protocols": {"grpc": {"endpoint": self.grpc}, "http": {"endpoint": self.http}}}},
            "processors": {"batch": {"timeout": "50ms"}},
            "exporters": {name: exporter},
        }
