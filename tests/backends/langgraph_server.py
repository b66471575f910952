"""A real LangGraph server to test against: in an environment of its own, made once for a user, on a port of its own.

What it needs does not fit with what the other tests run with (grpcio, protobuf).
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path

from tests.backends.build import NoBackend
from tests.test_packaging import REPOSITORY, Environment
from tests.user_cache import user_cache

_PINS = Path(__file__).with_suffix(".txt")
_READY_WITHIN_S = 90.0
_ENDS_WITHIN_S = 30.0


def environment(environ: Mapping[str, str]) -> Path:
    """The `bin` of an environment with the server and this checkout; filling it takes a minute the first time.

    Raises:
        NoBackend: what it needs cannot be installed here.
    """
    made_of = (sys.version_info[:2], _PINS.read_text(), str(REPOSITORY))
    home = user_cache(environ) / "backends" / f"langgraph-{hashlib.sha256(repr(made_of).encode()).hexdigest()[:12]}"
    home.mkdir(parents=True, exist_ok=True)
    with (home / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)  # another process may be making it
        if not (home / "complete").exists():
            try:
                made = Environment(home / "venv", dict(environ))
                made.install("-r", str(_PINS))
                made.install("--no-deps", "--editable", str(REPOSITORY))
            except AssertionError as error:
                raise NoBackend(f"a LangGraph server cannot be installed here: {str(error)[-600:]}") from None
            (home / "complete").touch()
    return home / "venv" / "bin"


class LangGraphServer:
    """`langgraph dev`, serving one module's graph, recorded and with HTTP instrumented."""

    def __init__(self, bin_folder: Path, folder: Path, graph: str, store: Path) -> None:
        module, name = graph.split(":")
        served = {"dependencies": ["."], "graphs": {name: f"./{Path(module).name}:{name}"}}
        (folder / "langgraph.json").write_text(json.dumps(served))
        (folder / Path(module).name).write_text(Path(module).read_text())
        with socket.socket() as asked:
            asked.bind(("127.0.0.1", 0))
            port = asked.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        self.log = folder / "log"
        options = ("dev", "--no-browser", "--no-reload", "--port", str(port))
        off = {f"OTEL_{signals}_EXPORTER": "none" for signals in ("TRACES", "METRICS", "LOGS")}
        with self.log.open("w") as log:
            self._process = subprocess.Popen(
                [bin_folder / "opentelemetry-instrument", bin_folder / "langgraph", *options],
                cwd=folder,
                env={
                    **os.environ,
                    **off,
                    "PATH": f"{bin_folder}:{os.environ['PATH']}",
                    "OTEL_ENABLED": "true",  # the server hands a request's context to the worker that runs it
                    "OTEL_PYTHON_STARLETTE_EXCLUDED_URLS": "ok",
                    "OTEL_MAS_STORE": str(store),
                    "LANGSMITH_TRACING": "false",
                },
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def wait(self) -> None:
        """Until it answers."""
        until = time.monotonic() + _READY_WITHIN_S
        while time.monotonic() < until and self._process.poll() is None:
            try:
                urllib.request.urlopen(f"{self.url}/ok", timeout=5).close()
                return
            except (urllib.error.URLError, TimeoutError):
                time.sleep(0.2)
        raise TimeoutError(f"the LangGraph server does not answer:\n{self.log.read_text()[-2000:]}")

    def stop(self) -> None:
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            self._process.wait(_ENDS_WITHIN_S)
