"""Servers on this machine that answer as a test says, environments made of metadata, and another user's eyes."""

from __future__ import annotations

import os
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from concurrent import futures
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import grpc
import pytest

REPOSITORY = Path(__file__).resolve().parents[3]
Conversation = Callable[[socket.socket], None]


@dataclass(frozen=True)
class Certificate:
    """Self-signed, for localhost."""

    path: Path
    key: Path


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    folder = tmp_path_factory.mktemp("tls")
    made = Certificate(folder / "certificate.pem", folder / "key.pem")
    subject = ("-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1")
    files = ("-keyout", made.key, "-out", made.path)
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", *subject, *files],
        check=True,
        capture_output=True,
    )
    return made


@pytest.fixture
def serve(certificate: Certificate) -> Iterator[Callable[..., int]]:
    """`serve(conversation)` listens on a port, which it returns; with `tls=True` behind the certificate."""
    listening: list[socket.socket] = []
    over = threading.Event()

    def start(conversation: Conversation, *, tls: bool = False) -> int:
        listener = socket.create_server(("127.0.0.1", 0))
        listening.append(listener)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate.path, certificate.key)

        def talk(connection: socket.socket) -> None:
            with suppress(OSError), connection:
                connection.settimeout(20)
                if tls:
                    connection = context.wrap_socket(connection, server_side=True)
                with connection:
                    conversation(connection)

        def accept() -> None:
            with suppress(OSError):
                while not over.is_set():
                    connection, _ = listener.accept()
                    threading.Thread(target=talk, args=(connection,), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        return int(listener.getsockname()[1])

    yield start
    over.set()
    for listener in listening:
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()


def answering(
    status: str, body: bytes = b"", kind: str = "text/plain", asked: list[bytes] | None = None
) -> Conversation:
    """An HTTP server with one answer for everybody."""

    def conversation(connection: socket.socket) -> None:
        request = b""
        while b"\r\n\r\n" not in request:
            received = connection.recv(65536)
            if not received:
                return
            request += received
        if asked is not None:
            asked.append(request)
        head = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        connection.sendall(head.encode() + body)

    return conversation


def silent(connection: socket.socket) -> None:
    """Takes everything and says nothing."""
    while connection.recv(65536):
        pass


def hanging_up(connection: socket.socket) -> None:
    """Goes away at the first word."""
    connection.recv(65536)


@contextmanager
def otlp_over_grpc(
    answer: Callable[[bytes, grpc.ServicerContext], bytes] | None, certificate: Certificate | None = None
) -> Iterator[int]:
    """A gRPC server; with an answer, one that knows OTLP."""

    class Handler(grpc.GenericRpcHandler):
        def service(self, details: Any) -> Any:
            if answer is not None and details.method.endswith("trace.v1.TraceService/Export"):
                return grpc.unary_unary_rpc_method_handler(answer)
            return None

    server = grpc.server(futures.ThreadPoolExecutor(2), handlers=[Handler()])
    if certificate is None:
        port = server.add_insecure_port("127.0.0.1:0")
    else:
        pair = (certificate.key.read_bytes(), certificate.path.read_bytes())
        port = server.add_secure_port("127.0.0.1:0", grpc.ssl_server_credentials([pair]))
    server.start()
    try:
        yield port
    finally:
        server.stop(0)


@pytest.fixture
def closed_port() -> int:
    """On which nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


# -- environments ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def bare_python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Python with nothing installed."""
    folder = tmp_path_factory.mktemp("bare") / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True, capture_output=True)
    return folder / "bin" / "python"


def distribution(folder: Path, name: str, version: str, *requires: str, points: str = "") -> None:
    """An installed package, by its metadata."""
    info = folder / f"{name.replace('-', '_')}-{version}.dist-info"
    info.mkdir(parents=True)
    lines = [
        "Metadata-Version: 2.1",
        f"Name: {name}",
        f"Version: {version}",
        *(f"Requires-Dist: {r}" for r in requires),
    ]
    (info / "METADATA").write_text("\n".join(lines) + "\n")
    (info / "entry_points.txt").write_text(points)


def script(path: Path, text: str) -> Path:
    path.write_text(text)
    path.chmod(0o755)
    return path


# -- stores ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def team_store(team: ModuleType, tmp_path: Path) -> Path:
    made: Path = team.write(tmp_path / "team.db")
    return made


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that other users of the machine can look into, which pytest's are not."""
    folder = Path(tempfile.mkdtemp(prefix="otel-mas-doctor-"))
    folder.chmod(0o755)
    yield folder
    folder.chmod(0o755)
    shutil.rmtree(folder)


@contextmanager
def nobody() -> Iterator[None]:
    """As a user that file permissions hold for; the tests may be run by root, for whom none do."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


_HOLD = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
for statement in sys.argv[2:]:
    connection.execute(statement).fetchall()
print("held", flush=True)
sys.stdin.read()
"""


@contextmanager
def holding(store: Path, *statements: str) -> Iterator[int]:
    """Another process that has the store open, after these statements; its process id."""
    process = subprocess.Popen(
        [sys.executable, "-c", _HOLD, str(store), *statements], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        assert process.stdout.readline() == "held\n"
        yield process.pid
    finally:
        process.stdin.close()
        process.stdout.close()
        process.wait(20)


@pytest.fixture
def tools() -> ModuleType:
    """This module, for what is no fixture."""
    return sys.modules[__name__]
