"""A server that is full, cannot write, or ends: nothing acknowledged is lost, and clients are asked to wait."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import grpc
import orjson
import pytest
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status

from otel_mas.semconv import attributes as names
from tests.conformance.messages import export, process, span
from tests.serving.server import ANY, COMMAND, Server, span_names
from tests.serving.test_receiving import call, request

Serve = Callable[..., Server]


@contextmanager
def locked(store: Path) -> Iterator[None]:
    """Hold the store's write lock, as another process's transaction does."""
    connection = sqlite3.connect(store, isolation_level=None, check_same_thread=False)
    try:
        connection.execute("BEGIN IMMEDIATE")
        yield
        connection.execute("ROLLBACK")
    finally:
        connection.close()


def test_a_full_queue_asks_clients_to_wait(serve: Serve) -> None:
    server = serve(OTEL_MAS_RECEIVE_QUEUE_BYTES="100000")
    server.post(request(span(0, 1, "first", 0, 1)))  # the resource is known then: decoding needs no lock
    large = {"text": "x" * 60_000}
    with ThreadPoolExecutor(1) as pool:
        with locked(server.store):
            waiting = pool.submit(server.post, request(span(1, 1, "waits", 0, 1, attributes=large)))
            until(lambda: server.metric("mas_receiver_queue_size_bytes") > 60_000)
            body = request(span(1, 2, "refused", 0, 1, attributes=large))
            status, headers, _ = server.post(body)
            with pytest.raises(grpc.RpcError) as refused:
                call(server, body)
        waited = waiting.result()[0]

    assert (status, headers["retry-after"]) == (429, "1")
    assert refused.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    details = Status.FromString(dict(refused.value.trailing_metadata())["grpc-status-details-bin"])
    hint = RetryInfo()
    assert details.details[0].Unpack(hint)
    assert hint.retry_delay.seconds == 1
    assert server.post(body)[0] == 200
    assert waited in (200, 503)  # where the lock was held for too long
    assert span_names(server.store) == ["first", "refused", *(["waits"] if waited == 200 else [])]


def test_a_store_that_cannot_be_written_is_unavailable_until_it_can(serve: Serve) -> None:
    server = serve()
    body = request(span(1, 1, "in the end", 0, 1))
    with locked(server.store):
        status, headers, answer = server.post(body)
        ready = server.request("GET", "/readyz")
        with pytest.raises(grpc.RpcError) as refused:
            call(server, body)

    assert (status, headers["retry-after"]) == (503, "5")
    assert "locked" in Status.FromString(answer).message
    assert ready[0] == 503
    assert b"locked" in ready[2]
    assert refused.value.code() is grpc.StatusCode.UNAVAILABLE
    assert call(server, body) == b""
    assert server.request("GET", "/readyz")[0] == 200
    server.kill()
    assert server.errors.count("cannot be stored") == 1  # a full disk would else fill the log, too


@pytest.mark.parametrize("sends", [True, False])
def test_it_ends_where_its_store_was_removed(serve: Serve, *, sends: bool) -> None:
    server = serve()
    body = request(span(1, 1, "acknowledged", 0, 1))
    assert server.post(body)[0] == 200
    for file in server.store.parent.glob(f"{server.store.name}*"):
        file.unlink()
    if sends:
        assert server.post(body)[0] == 503

    assert server.wait() == 1
    server.kill()  # which reads the rest of what it printed
    assert "start the server again" in server.errors
    assert not server.store.exists()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_what_was_acknowledged_before_the_end_is_stored(serve: Serve, number: signal.Signals) -> None:
    server = serve()
    acknowledged: list[str] = []
    enough = threading.Event()

    def send(client: int) -> None:
        for at in range(10_000):
            name = f"{client}-{at}"
            body = export(process({names.SERVICE_NAME: "shop"}, [span(client, at, name, 0, 1)])).SerializeToString()
            try:
                if client % 2 and server.post(body)[0] != 200:
                    return
                if not client % 2:
                    call(server, body)
            except (OSError, grpc.RpcError):
                return  # it has ended
            acknowledged.append(name)
            if len(acknowledged) > 50:
                enough.set()

    with ThreadPoolExecutor(4) as pool:
        sending = [pool.submit(send, client) for client in range(4)]
        assert enough.wait(60)
        server.signal(number)
        assert server.wait() == 0
        for one in sending:
            one.result()
    stored = set(span_names(server.store))

    assert set(acknowledged) <= stored


def until(condition: Callable[[], bool], timeout_s: float = 60.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_another_source_is_shown_and_nothing_is_received(store: Path) -> None:
    command = [*COMMAND, "--from", str(store), "--listen", ANY]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        try:
            (name, _, _, address) = process.stdout.readline().split()
            with urllib.request.urlopen(f"http://{address}/api/v1/info", timeout=60) as answer:
                info = orjson.loads(answer.read())
        finally:
            process.terminate()
        assert process.wait(60) == 0

    assert name == "page"
    assert (info["receiving"], info["location"]) == (False, str(store))
