"""The Collector itself, with the components that deploy/collector names, running files of that folder."""

from __future__ import annotations

import os
import subprocess
import time
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

import pytest

from tests.backends.build import built, provided
from tests.backends.jaeger import free_ports

MODULE = Path(__file__).with_name("otelcol")
CONFIGS = Path(__file__).resolve().parents[2] / "deploy" / "collector"
VERSION = "0.165.1"
_PORTS = ("GRPC", "HTTP", "HEALTH", "METRICS")
_READY_WITHIN_S = 120.0
_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@pytest.fixture(scope="session")
def otelcol_binary(surroundings: dict[str, str], pytestconfig: pytest.Config) -> Path:
    """The Collector, built at its first use."""
    return provided(
        lambda: built(MODULE, ".", "otelcol", VERSION, surroundings, "about six minutes"), surroundings, pytestconfig
    )


@dataclass
class Otelcol:
    """One Collector that runs a file of deploy/collector. `with` kills it in the end.

    Args:
        config: the file's name.
        settings: variables of the file.
    """

    binary: Path
    config: str
    folder: Path
    settings: Mapping[str, str] = field(default_factory=dict)
    ports: tuple[int, ...] = field(default_factory=lambda: free_ports(4))
    _process: subprocess.Popen[bytes] | None = None

    @property
    def grpc(self) -> str:
        return f"127.0.0.1:{self.ports[0]}"

    @property
    def http(self) -> str:
        return f"127.0.0.1:{self.ports[1]}"

    def validate(self) -> None:
        """Let it check its file. Raises AssertionError with what it says where the file is wrong."""
        done = subprocess.run(self._command("validate"), env=self._environment(), capture_output=True, text=True)
        assert done.returncode == 0, done.stderr

    def start(self) -> Self:
        """Start it, and wait until it says that it is healthy."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command(), stdout=log, stderr=log, cwd=self.folder, env=self._environment()
            )
        deadline = time.monotonic() + _READY_WITHIN_S
        while not self._healthy():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.kill()
                raise RuntimeError(f"the Collector did not start: {self.log.read_text()[-2000:]}")
            time.sleep(0.05)
        return self

    def send(self, request: bytes) -> None:
        """Export an OTLP `ExportTraceServiceRequest`; return once the Collector has taken it."""
        asked = urllib.request.Request(
            f"http://{self.http}/v1/traces", request, {"Content-Type": "application/x-protobuf"}
        )
        with _DIRECT.open(asked, timeout=60) as response:
            assert response.status == 200

    def _healthy(self) -> bool:
        try:
            with _DIRECT.open(f"http://127.0.0.1:{self.ports[2]}", timeout=10) as response:
                return bool(response.status == 200)
        except OSError:
            return False

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    @property
    def log(self) -> Path:
        return self.folder / "otelcol.log"

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.kill()

    def _command(self, *words: str) -> list[str]:
        return [str(self.binary), *words, "--config", str(CONFIGS / self.config)]

    def _environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("OTEL_", "OTELCOL_"))}
        own = {f"OTELCOL_{of}_PORT": str(port) for of, port in zip(_PORTS, self.ports, strict=True)}
        return {**kept, **own, "OTELCOL_STORAGE": str(self.folder / "queue"), **self.settings}
