"""HTTP exchanges end within their deadline, wherever the server dawdles."""

from __future__ import annotations

import contextlib
import http.client
import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from otel_mas.config.exchange import opener

DRIPS = {
    "status line": b"",
    "headers": b"HTTP/1.1 200 OK\r\n",
    "body": b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n",
    "chunks": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
    "continues": b"HTTP/1.1 100 Continue\r\n",
}


@contextlib.contextmanager
def server(answer: Callable[[socket.socket, threading.Event], None]) -> Iterator[int]:
    done = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            connection, _ = listening.accept()
            with connection, contextlib.suppress(OSError):
                connection.recv(2**16)
                answer(connection, done)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield listening.getsockname()[1]
        done.set()
        thread.join(10)


@pytest.mark.parametrize("begin", DRIPS.values(), ids=DRIPS)
def test_a_server_that_drips_is_left_at_the_deadline(begin: bytes) -> None:
    def drip(connection: socket.socket, done: threading.Event) -> None:
        connection.sendall(begin)
        while not done.wait(0.1):  # each byte comes well within the socket's own time-out
            connection.sendall(b"1")

    with server(drip) as port:
        began = time.monotonic()
        with pytest.raises((TimeoutError, http.client.HTTPException)):
            opener().open(f"http://127.0.0.1:{port}/", timeout=1).read()
        assert time.monotonic() - began < 30


def test_an_answer_in_time_is_read_whole() -> None:
    body = b"x" * 100_000
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + body
    with (
        server(lambda connection, _: connection.sendall(answer)) as port,
        opener().open(f"http://127.0.0.1:{port}/", timeout=30) as response,
    ):
        assert response.read() == body
