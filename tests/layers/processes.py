"""Processes of these tests: each under `otel-mas run` with OpenTelemetry's instrumentations, as propagation.md says."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
PATIENCE_S = 300
_QUIET = {f"OTEL_{signal}_EXPORTER": "none" for signal in ("TRACES", "METRICS", "LOGS")}


def free_port() -> int:
    with socket.socket() as asked:
        asked.bind(("127.0.0.1", 0))
        port: int = asked.getsockname()[1]
        return port


def recorded(store: Path, name: str, module: str, *arguments: str) -> tuple[list[str], dict[str, str]]:
    """The command that runs a module with recording, as service `name`; and its environment."""
    python = [str(BIN / "opentelemetry-instrument"), sys.executable, "-m", module, *arguments]
    command = [str(BIN / "otel-mas"), "run", "--store", str(store), "--quiet", "--", *python]
    return command, {**os.environ, **_QUIET, "OTEL_SERVICE_NAME": name}


def call(store: Path, name: str, module: str, *arguments: str) -> None:
    """Run a module to its end; it has to succeed."""
    command, environment = recorded(store, name, module, *arguments)
    done = subprocess.run(command, cwd=REPOSITORY, env=environment, capture_output=True, text=True, timeout=PATIENCE_S)
    assert done.returncode == 0, done.stdout + done.stderr


@contextmanager
def service(store: Path, log: Path, name: str, module: str, *arguments: str) -> Iterator[int]:
    """Run a module that serves the port that is its last argument, from when it answers; yields the port."""
    port = free_port()
    command, environment = recorded(store, name, module, *arguments, str(port))
    with log.open("w") as file:
        started = subprocess.Popen(command, cwd=REPOSITORY, env=environment, stdout=file, stderr=subprocess.STDOUT)
        try:
            _wait(started, port, log)
            yield port
        finally:
            started.send_signal(signal.SIGTERM)
            try:
                started.wait(PATIENCE_S)
            finally:
                started.kill()


def _wait(started: subprocess.Popen[bytes], port: int, log: Path) -> None:
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        with socket.socket() as asked:
            # Where nobody listens yet, a socket may be given this very port, and connects to itself.
            if asked.connect_ex(("127.0.0.1", port)) == 0 and asked.getsockname() != asked.getpeername():
                return
        if started.poll() is not None:
            raise AssertionError(f"the service ended:\n{log.read_text()}")
        time.sleep(0.2)
    raise TimeoutError(f"the service does not listen:\n{log.read_text()}")
