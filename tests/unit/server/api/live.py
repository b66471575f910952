"""A server on a port of its own, and clients that read its live stream."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import uvicorn

import otel_mas
from otel_mas.server.api import create_app

PATIENCE_S = 60.0


@contextmanager
def serving(target: Path | str) -> Iterator[str]:
    """The address of a server over this source."""
    with socket.create_server(("127.0.0.1", 0)) as sock, otel_mas.open(target) as source:
        config = uvicorn.Config(create_app(source), log_config=None, timeout_graceful_shutdown=1)
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [sock]})
        thread.start()
        try:
            host, port = sock.getsockname()
            yield f"http://{host}:{port}"
        finally:
            server.should_exit = True
            thread.join()


@dataclass(frozen=True)
class Received:
    """An event of the stream."""

    name: str
    data: Any
    cursor: str | None


class Listening:
    """A client of the stream: its events, as they come."""

    def __init__(self, lines: Iterator[str]) -> None:
        self._lines = lines
        self.events: list[Received] = []
        self.cursor: str | None = None
        """What a browser would send as Last-Event-ID."""

    def until(self, condition: Callable[[list[Received]], bool]) -> list[Received]:
        """All events so far, once they are as expected."""
        while not condition(self.events):
            self._next()
        return self.events

    def drain(self) -> None:
        """Wait for the end of the stream."""
        for _ in self._lines:
            pass

    def _next(self) -> None:
        fields: dict[str, str] = {}
        for line in self._lines:
            if not line and "event" in fields:
                break
            name, _, value = line.partition(": ")
            if line:
                fields[name] = value
        else:
            raise EOFError(f"the stream ended after {self.events}")
        self.cursor = fields.get("id", self.cursor)
        self.events.append(Received(fields["event"], json.loads(fields["data"]), fields.get("id")))


@contextmanager
def listening(address: str, *, last_event_id: str | None = None, **parameters: str) -> Iterator[Listening]:
    """A client of the stream at an address; it is subscribed when this returns."""
    headers = {} if last_event_id is None else {"Last-Event-ID": last_event_id}
    timeout = httpx.Timeout(PATIENCE_S)
    with (
        httpx.Client(timeout=timeout, trust_env=False) as client,
        client.stream("GET", f"{address}/api/v1/stream", params=parameters, headers=headers) as response,
    ):
        assert response.status_code == 200, response.read()
        assert response.headers["Content-Type"].startswith("text/event-stream")
        yield Listening(response.iter_lines())


def wait_for(condition: Callable[[], bool]) -> None:
    """Wait until something is so."""
    end = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < end, "it never came about"
        time.sleep(0.01)
