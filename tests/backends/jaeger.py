"""A real Jaeger to test against: on this machine only, on ports of its own, with the storage that a test wants."""

from __future__ import annotations

import os
import random
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import orjson
import pytest

from tests.backends import build

Storage = Literal["memory", "badger"]
_READY_WITHIN_S = 60.0
_ENDS_WITHIN_S = 20.0


@dataclass
class Jaeger:
    """One Jaeger process. Its ports stay the same when it is stopped and started again.

    Args:
        base_path: what its HTTP API lies under.
        certificate, key: files in PEM form; its HTTP and gRPC query ports then speak TLS.
    """

    binary: Path
    folder: Path
    storage: Storage = "memory"
    base_path: str = ""
    certificate: Path | None = None
    key: Path | None = None
    max_traces: int = 100_000
    ports: tuple[int, ...] = field(default_factory=lambda: free_ports(4))
    _process: subprocess.Popen[bytes] | None = None

    @property
    def http(self) -> str:
        """`127.0.0.1:port` of the query service's HTTP API, with the base path."""
        return f"127.0.0.1:{self.ports[0]}{self.base_path}"

    @property
    def grpc(self) -> str:
        return f"127.0.0.1:{self.ports[1]}"

    @property
    def otlp_grpc(self) -> str:
        return f"127.0.0.1:{self.ports[2]}"

    @property
    def otlp_http(self) -> str:
        return f"127.0.0.1:{self.ports[3]}"

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Start it, and wait until it answers and takes spans."""
        assert self._process is None, "it runs already"
        self.folder.mkdir(parents=True, exist_ok=True)
        config = self.folder / "jaeger.yaml"
        config.write_bytes(orjson.dumps(self._config()))  # JSON is YAML
        with (self.folder / "jaeger.log").open("ab") as log:
            self._process = subprocess.Popen(
                [self.binary, "--config", config], stdout=log, stderr=log, cwd=self.folder, env=_environment()
            )
        deadline = time.monotonic() + _READY_WITHIN_S
        while not self._ready():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise RuntimeError(f"Jaeger did not start: {self._log()}")
            time.sleep(0.05)

    def stop(self, *, gracefully: bool = False) -> None:
        """End the process, with what it has in memory. Gracefully takes ten seconds, and badger is closed."""
        if self._process is None:
            return
        if gracefully:
            self._process.terminate()
            try:
                self._process.wait(_ENDS_WITHIN_S)
            except subprocess.TimeoutExpired:
                pass
        self._process.kill()
        self._process.wait()
        self._process = None

    def send(self, request: bytes) -> None:
        """Export an OTLP `ExportTraceServiceRequest` (a `TracesData` message is one) over HTTP."""
        asked = urllib.request.Request(
            f"http://{self.otlp_http}/v1/traces", request, {"Content-Type": "application/x-protobuf"}
        )
        with _direct().open(asked, timeout=30) as response:
            assert response.status == 200

    def _ready(self) -> bool:
        if not all(map(is_listening, self.ports)):
            return False
        if self.certificate is not None:
            return True
        try:
            with _direct().open(f"http://{self.http}/api/v3/services", timeout=5) as response:
                return bool(response.status == 200)
        except (OSError, urllib.error.URLError):
            return False

    def _config(self) -> dict[str, Any]:
        http: dict[str, Any] = {"endpoint": f"127.0.0.1:{self.ports[0]}"}
        grpc: dict[str, Any] = {"endpoint": f"127.0.0.1:{self.ports[1]}"}
        if self.certificate is not None:
            http["tls"] = grpc["tls"] = {"cert_file": str(self.certificate), "key_file": str(self.key)}
        storage: dict[str, Any] = {"memory": {"max_traces": self.max_traces}}
        if self.storage == "badger":
            directories = {name: str(self.folder / name) for name in ("keys", "values")}
            storage = {"badger": {"ephemeral": False, "directories": directories}}
        return {
            "service": {
                "extensions": ["jaeger_storage", "jaeger_query"],
                "pipelines": {"traces": {"receivers": ["otlp"], "exporters": ["jaeger_storage_exporter"]}},
                "telemetry": {"metrics": {"level": "none"}},
            },
            "extensions": {
                "jaeger_query": {
                    "storage": {"traces": "s"},
                    "base_path": self.base_path or "/",
                    "http": http,
                    "grpc": grpc,
                },
                "jaeger_storage": {"backends": {"s": storage}},
            },
            "receivers": {
                "otlp": {
                    "protocols": {
                        "grpc": {"endpoint": self.otlp_grpc, "max_recv_msg_size_mib": 512},
                        "http": {"endpoint": self.otlp_http, "max_request_body_size": 2**29},
                    }
                }
            },
            "exporters": {"jaeger_storage_exporter": {"trace_storage": "s"}},
        }

    def _log(self) -> str:
        return " ".join((self.folder / "jaeger.log").read_text(errors="replace").split()[-80:])


@pytest.fixture(scope="session")
def jaeger_binary(surroundings: dict[str, str], pytestconfig: pytest.Config) -> Path:
    """Jaeger, built at its first use."""
    return build.provided(lambda: build.jaeger(surroundings), surroundings, pytestconfig)


@pytest.fixture(scope="session")
def jaeger(jaeger_binary: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[Storage], Jaeger]]:
    """`jaeger("memory")`, `jaeger("badger")`: one of each for the whole session, started when first asked for.

    A test that stops it, or that needs one of its own, makes a `Jaeger(jaeger_binary, tmp_path)`.
    """
    running: dict[Storage, Jaeger] = {}

    def get(storage: Storage) -> Jaeger:
        if storage not in running:
            started = Jaeger(jaeger_binary, tmp_path_factory.mktemp(f"jaeger-{storage}"), storage)
            started.start()
            running[storage] = started
        return running[storage]

    yield get
    for started in running.values():
        started.stop()


def is_listening(port: int) -> bool:
    """Whether a server is there."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def free_ports(count: int) -> tuple[int, ...]:
    """Ports below those that the kernel gives to clients: no connection takes one while Jaeger is stopped."""
    found: set[int] = set()
    while len(found) < count:
        port = random.SystemRandom().randrange(20_000, 32_000)  # hypothesis seeds the other one, alike in each worker
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        found.add(port)
    return tuple(found)


def _direct() -> urllib.request.OpenerDirector:
    return urllib.request.build_opener(urllib.request.ProxyHandler({}))


def _environment() -> dict[str, str]:
    """Nothing that would configure Jaeger's own telemetry, but that it records no traces of its own."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("OTEL_", "JAEGER_"))}
    return {**kept, "OTEL_TRACES_SAMPLER": "always_off"}
