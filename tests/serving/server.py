"""A real `otel-mas serve` to test against: a process of its own, on ports that the system chose."""

from __future__ import annotations

import http.client
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

import pytest

import otel_mas

COMMAND = (sys.executable, "-c", "from otel_mas.cli import main; main()", "serve")
ANY = "127.0.0.1:0"
_ENDS_WITHIN_S = 60.0


@dataclass
class Server:
    """One process. `with Server(store) as server:` kills it in the end, unless it has ended.

    Args:
        store: the path of its store.
        arguments: of the command line.
        environ: variables beside those of this process.
        prefix: a command that becomes it.
    """

    store: Path
    arguments: tuple[str, ...] = ()
    environ: Mapping[str, str] = field(default_factory=dict)
    prefix: tuple[str, ...] = ()
    grpc: str = ""
    http: str = ""
    page: str = ""
    errors: str = ""
    _process: subprocess.Popen[str] | None = None
    _draining: threading.Thread | None = None

    def launch(self) -> None:
        """Start it, and wait for nothing."""
        command = [*self.prefix, *COMMAND, *self._addresses(), "--store", str(self.store), *self.arguments]
        self._process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, **self.environ}
        )
        self._draining = None

    def start(self) -> Self:
        """Start it, and wait until it listens. Raises RuntimeError, with what it printed, where it ends instead."""
        self.launch()
        assert self._process is not None
        assert self._process.stdout is not None
        lines = [self._process.stdout.readline().split() for _ in range(3)]
        if not all(lines):
            self.errors = self._process.communicate()[1]
            raise RuntimeError(self.errors)
        self.grpc, self.http, self.page = (line[-1] for line in lines)
        self._draining = threading.Thread(target=self._drain, daemon=True)
        self._draining.start()
        return self

    def __enter__(self) -> Self:
        return self.start() if self._process is None else self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.kill()

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def rss_mib(self) -> float:
        """Resident memory."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0]) / 1024

    @property
    def peak_mib(self) -> float:
        """Resident memory at its peak."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        return int(status.split("VmHWM:")[1].split()[0]) / 1024

    def signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    def terminate(self) -> int:
        """End it in good order; returns the exit status."""
        self.signal(signal.SIGTERM)
        return self.wait()

    def wait(self) -> int:
        assert self._process is not None
        return self._process.wait(_ENDS_WITHIN_S)

    def kill(self) -> None:
        if self._process is None:
            return
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        if self._draining is not None:
            self._draining.join()
        for pipe in (self._process.stdout, self._process.stderr):
            if pipe is not None:
                pipe.close()

    def request(
        self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None, at: str = ""
    ) -> tuple[int, dict[str, str], bytes]:
        """An HTTP request to the receiver, or to another port: status, headers, body."""
        connection = http.client.HTTPConnection(at or self.http, timeout=60)
        try:
            connection.request(method, path, body, dict(headers or {}))
            response = connection.getresponse()
            return response.status, {name.lower(): value for name, value in response.getheaders()}, response.read()
        finally:
            connection.close()

    def post(
        self, body: bytes, path: str = "/v1/traces", content_type: str = "application/x-protobuf", **headers: str
    ) -> tuple[int, dict[str, str], bytes]:
        """An OTLP request over HTTP."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.request("POST", path, body, {"Content-Type": content_type, **named})

    def metric(self, name: str) -> float:
        """The sum of a figure at /metrics, whatever its labels."""
        _, _, text = self.request("GET", "/metrics")
        return sum(
            float(line.split()[-1]) for line in text.decode().splitlines() if line.startswith((f"{name}{{", f"{name} "))
        )

    def _drain(self) -> None:
        assert self._process is not None
        assert self._process.stderr is not None
        for line in self._process.stderr:
            self.errors += line

    def _addresses(self) -> Iterator[str]:
        for option in ("--grpc", "--http", "--listen"):
            if option not in self.arguments:
                yield from (option, ANY)


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., Server]]:
    """`serve()`, `serve("--token-file", path)`: a server that ends with the test."""
    running: list[Server] = []

    def start(*arguments: str, **environ: str) -> Server:
        server = Server(tmp_path / "served.db", arguments, environ)
        running.append(server)
        return server.start()

    yield start
    for server in running:
        server.kill()


def span_names(store: Path) -> list[str]:
    """The names of all spans in a store, sorted."""
    with otel_mas.open(store) as source:
        found = [span.name for summary in source.traces(limit=10_000) for span in source.trace(summary.trace_id).spans]
    return sorted(found)
