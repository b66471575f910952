"""ClickHouse to test against: its engine, behind its HTTP interface, in a process on this machine."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import orjson

from otel_mas.model import AttributeValue, Span
from tests.backends.jaeger import free_ports, is_listening

_READY_WITHIN_S = 120.0
_ROWS_AT_A_TIME = 1_000


@dataclass
class ClickHouse:
    """One engine with its files. `with ClickHouse(folder) as server:` ends it; started again, it has what it had.

    Args:
        password: that a request has to give, if any.
    """

    folder: Path
    password: str = ""
    port: int = field(default_factory=lambda: free_ports(1)[0])
    _process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def settings(self) -> dict[str, str]:
        """Variables by which a file of deploy/collector writes into it."""
        # The engine's blocks are compressed by its TCP server only, and this is none.
        return {"CLICKHOUSE_ENDPOINT": f"http://{self.address}?compress=none", "CLICKHOUSE_PASSWORD": self.password}

    def start(self) -> Self:
        """Start it, and wait until it answers."""
        command = [
            sys.executable,
            "-m",
            "tests.backends.chdb_server",
            str(self.folder.resolve() / "data"),
            str(self.port),
        ]
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / "server.log").open("ab") as log:
            self._process = subprocess.Popen(
                [*command, self.password], stdout=log, stderr=log, cwd=Path(__file__).resolve().parents[2]
            )
        deadline = time.monotonic() + _READY_WITHIN_S
        while not is_listening(self.port):
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise RuntimeError(f"ClickHouse did not start: {(self.folder / 'server.log').read_text()[-2000:]}")
            time.sleep(0.05)
        return self

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    def cpu_s(self) -> float:
        """CPU time that it has taken."""
        assert self._process is not None
        user, system = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()[11:13]
        return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")

    def rows(self, sql: str) -> list[list[Any]]:
        """The rows of a statement."""
        with self._asked({"query": f"{sql} FORMAT JSONCompactEachRow"}, None) as response:
            return [orjson.loads(line) for line in response.read().splitlines()]

    def execute(self, sql: str, body: bytes | None = None) -> None:
        """Carry out a statement that answers nothing; an `INSERT` with its rows in the format that it names."""
        with self._asked({"query": sql}, body or b"") as response:
            response.read()

    def _asked(self, parameters: dict[str, str], body: bytes | None) -> Any:
        address = f"http://{self.address}/?{urllib.parse.urlencode(parameters)}"
        request = urllib.request.Request(address, body, {"X-ClickHouse-Key": self.password})
        return urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=300)


def insert(server: ClickHouse, table: str, spans: Iterable[Span]) -> None:
    """Insert spans into a table, with what they have as the Collector's exporter writes it: every value is text."""
    rows = (orjson.dumps(_row(span)) for span in spans)
    while part := b"\n".join(islice(rows, _ROWS_AT_A_TIME)):
        server.execute(f"INSERT INTO {table} FORMAT JSONEachRow", part)


def _row(span: Span) -> dict[str, Any]:
    return {
        "Timestamp": _time(span.start_ns),
        "TraceId": span.trace_id,
        "SpanId": span.span_id,
        "ParentSpanId": span.parent_span_id or "",
        "TraceState": span.body.trace_state,
        "SpanName": span.name,
        "SpanKind": span.kind.name.capitalize(),
        "ServiceName": span.service,
        "ResourceAttributes": _texts(span.resource.attributes),
        "ScopeName": span.scope.name,
        "ScopeVersion": span.scope.version,
        "SpanAttributes": _texts(span.attributes),
        "Duration": span.duration_ns,
        "StatusCode": span.status.name.capitalize(),
        "StatusMessage": span.body.status_message,
        "Events.Timestamp": [_time(event.time_ns) for event in span.events],
        "Events.Name": [event.name for event in span.events],
        "Events.Attributes": [_texts(event.attributes) for event in span.events],
        "Links.TraceId": [link.trace_id for link in span.links],
        "Links.SpanId": [link.span_id for link in span.links],
        "Links.TraceState": ["" for _ in span.links],
        "Links.Attributes": [_texts(link.attributes) for link in span.links],
    }


def _time(ns: int) -> str:
    return f"{ns // 10**9}.{ns % 10**9:09}"


def _texts(attributes: Mapping[str, AttributeValue]) -> dict[str, str]:
    return {
        name: value if isinstance(value, str) else orjson.dumps(value).decode() for name, value in attributes.items()
    }
