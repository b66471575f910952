"""A tiny HTTP server on this machine that answers as a test says, badly where it is to."""

from __future__ import annotations

import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit


@dataclass
class Asked:
    """One request."""

    path: str
    query: dict[str, str]
    headers: dict[str, str]


@dataclass
class Answer:
    """One reply. `cut` sends only so many bytes of the body that was announced; `wait_s` is spent before."""

    status: int = 200
    body: bytes = b""
    type: str | None = "application/json"
    headers: dict[str, str] = field(default_factory=dict)
    cut: int | None = None
    announced: bool = True
    wait_s: float = 0.0
    drip_s: float = 0.0


Answerer = Callable[[Asked], Answer]


class Answering:
    """The server. `asked` are the requests so far."""

    def __init__(self, answer: Answerer, context: ssl.SSLContext | None = None) -> None:
        self.asked: list[Asked] = []
        self._leave = threading.Event()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                parts = urlsplit(self.path)
                query = {name: values[-1] for name, values in parse_qs(parts.query, keep_blank_values=True).items()}
                headers = {name.lower(): value for name, value in self.headers.items()}
                outer.asked.append(Asked(parts.path, query, headers))
                outer._give(self, answer(outer.asked[-1]))

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        if context is not None:
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self.port: int = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()

    def _give(self, handler: BaseHTTPRequestHandler, answer: Answer) -> None:
        self._leave.wait(answer.wait_s)
        handler.send_response(answer.status)
        if answer.type is not None:
            handler.send_header("Content-Type", answer.type)
        if answer.announced:
            handler.send_header("Content-Length", str(len(answer.body)))
        for name, value in answer.headers.items():
            handler.send_header(name, value)
        handler.end_headers()
        body = answer.body if answer.cut is None else answer.body[: answer.cut]
        try:
            if not answer.drip_s:
                handler.wfile.write(body)
            for place in range(len(body) if answer.drip_s else 0):
                handler.wfile.write(body[place : place + 1])
                handler.wfile.flush()
                if self._leave.wait(answer.drip_s):
                    break
        except OSError:
            pass  # the client has had enough
        handler.close_connection = True

    def close(self) -> None:
        self._leave.set()
        self._server.shutdown()
        self._server.server_close()


@contextmanager
def answering(answer: Answerer, context: ssl.SSLContext | None = None) -> Iterator[Answering]:
    server = Answering(answer, context)
    try:
        yield server
    finally:
        server.close()


@contextmanager
def saying(words: bytes) -> Iterator[int]:
    """A port where something that is no HTTP server says this to whoever comes, and hangs up."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                try:
                    connection.recv(65536)
                    connection.sendall(words)
                except OSError:
                    pass

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.close()


def free_port() -> int:
    """A port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class SelfSigned:
    """A certificate for this machine that only who is told of it trusts."""

    certificate: Path
    key: Path

    @property
    def context(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, self.key)
        return context


def self_signed(folder: Path, names: str = "DNS:localhost,IP:127.0.0.1") -> SelfSigned:
    made = SelfSigned(folder / "certificate.pem", folder / "key.pem")
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"),
            *("-addext", f"subjectAltName={names}", "-keyout", made.key, "-out", made.certificate),
        ],
        check=True,
        capture_output=True,
    )
    return made
