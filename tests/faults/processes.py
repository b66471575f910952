"""Recorders and shippers as processes that can be killed and paused."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from otel_mas.store.log_reader import DestinationStatus, LogReader
from otel_mas.store.upkeep.check import check
from tests.faults.ledger import SPANS, rows

OTEL_MAS = (sys.executable, "-c", "from otel_mas.cli import main; main()")
TIMEOUT_MS = 2_000
"""Of a request of a shipper: a lease lasts longer than that, and others wait so long for one that was killed."""
_ENDS_WITHIN_S = 60.0


class Process:
    """A process that is killed in the end. Its output goes into a file, so that it never waits for a reader.

    Args:
        command: the program and its arguments.
        environ: variables beside those of this process.
        output: gets what it prints, after what is there.
    """

    def __init__(self, command: tuple[str, ...], environ: Mapping[str, str], output: Path) -> None:
        self.output = output
        with output.open("ab") as file:
            self._process = subprocess.Popen(
                command, env={**os.environ, **environ}, stdin=subprocess.DEVNULL, stdout=file, stderr=file
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def kill(self) -> None:
        """End it at once; a paused one, too."""
        self._process.kill()
        self._process.wait()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def is_running(self) -> bool:
        return self._process.poll() is None

    def pause(self) -> None:
        """Stop it until `resume`."""
        self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on."""
        self._process.send_signal(signal.SIGCONT)

    def terminate(self) -> int:
        """End it in good order; returns the exit status."""
        self._process.terminate()
        return self.wait()

    def wait(self) -> int:
        """Wait for its end; returns the exit status."""
        return self._process.wait(_ENDS_WITHIN_S)

    @property
    def text(self) -> str:
        """What it has printed."""
        return self.output.read_text()


FULL: Final = "not stored"
"""What a recorder prints instead of a trace."""
# Each trace is of one thread, and printed once it is in the store; so a line is an acknowledgement.
_RECORDER = f"""
import sys, threading, time
from opentelemetry import trace
import otel_mas

otel_mas.instrument()
tracer = trace.get_tracer("app")

def work():
    while True:
        with tracer.start_as_current_span("step 1") as first:
            for number in range(2, {SPANS} + 1):
                with tracer.start_as_current_span(f"step {{number}}"):
                    pass
        if otel_mas.flush(5):
            print(format(first.get_span_context().trace_id, "032x") + ";", flush=True)
        else:
            print({FULL!r}, flush=True)
        time.sleep(0.02)

for _ in range(2):
    threading.Thread(target=work).start()
"""


def recorder(store: Path, output: Path) -> Process:
    """An app that records trace after trace, and prints each once it is in the store."""
    return Process((sys.executable, "-c", _RECORDER), {"OTEL_MAS_STORE": str(store)}, output)


def recorded(output: Path) -> set[str]:
    """The traces that recorders printed, without lines that they were killed in."""
    if not output.exists():
        return set()
    return {line[:-1] for line in output.read_text().split() if len(line) == 33 and line.endswith(";")}


def holds_recorded(store: Path, traces: Iterable[str]) -> None:
    """Check a store whose recorders have ended: it is sound, and has these traces, whole and once."""
    assert check(store) == []
    stored = rows(store)
    assert {trace: stored[trace] for trace in traces} == dict.fromkeys(traces, SPANS)


@dataclass(frozen=True)
class Shipping:
    """`otel-mas ship` from a store to an endpoint.

    Args:
        endpoint: `host:port` of an OTLP server.
        protocol: `grpc` or `http/protobuf`.
    """

    store: Path
    endpoint: str
    protocol: str = "http/protobuf"

    def follow(self, output: Path) -> Process:
        """A shipper that goes on until it is ended."""
        return Process((*OTEL_MAS, *self._command, "--follow"), self._environ, output)

    def finish(self, output: Path) -> None:
        """Ship what is left."""
        with Process((*OTEL_MAS, *self._command, "--once"), self._environ, output) as shipper:
            assert shipper.wait() == 0, shipper.text

    def status(self) -> DestinationStatus | None:
        """The progress, once there is some."""
        with closing(LogReader(self.store)) as reader:
            return next((one for one in reader.destinations() if self.endpoint in one.name), None)

    @property
    def shipped(self) -> int:
        """Spans that were accepted."""
        status = self.status()
        return 0 if status is None else status.shipped

    @property
    def _command(self) -> tuple[str, ...]:
        return ("ship", "--endpoint", f"http://{self.endpoint}", "--protocol", self.protocol, "--from-start")

    @property
    def _environ(self) -> dict[str, str]:
        return {
            "OTEL_MAS_STORE": str(self.store),
            "OTEL_EXPORTER_OTLP_COMPRESSION": "gzip",
            "OTEL_EXPORTER_OTLP_TIMEOUT": str(TIMEOUT_MS),
        }
