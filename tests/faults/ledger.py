"""Clients that send spans whatever happens, and write down what was acknowledged; and the store held against that."""

from __future__ import annotations

import contextlib
import gzip
import http.client
import itertools
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Final, Protocol, Self

import grpc
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

import otel_mas
from otel_mas.semconv import attributes as names
from otel_mas.store.upkeep.check import check
from tests.conformance.messages import export, process, span, trace_id

SPANS: Final = 16
"""Spans of a request, which are those of one trace, where no other number is given."""
PATIENCE_S: Final = 60.0
METHOD = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
_ANSWERED_WITHIN_S = 5.0  # a damaged request may never be answered
_PLACE = bytes.fromhex(trace_id(0))


@cache
def _template(spans: int) -> bytes:
    """A request of so many spans, whose trace is `_PLACE`."""
    steps = [
        span(
            0,
            number,
            f"step {number}",
            number,
            number + 1,
            parent=1 if number > 1 else None,
            attributes={"step": number, "note": "x" * 200},
        )
        for number in range(1, spans + 1)
    ]
    return export(process({names.SERVICE_NAME: "shop"}, steps)).SerializeToString()


class NotAcknowledged(Exception):
    """A request was refused, or its answer did not come."""


class Client(Protocol):
    """A connection that sends requests, and is made again where it breaks."""

    def send(self, body: bytes) -> None:
        """Send a request. Raises NotAcknowledged."""
        ...

    def close(self) -> None: ...


class GrpcClient:
    """OTLP over gRPC, gzipped: a change on the way is noticed."""

    def __init__(self, address: str) -> None:
        options = [
            ("grpc.initial_reconnect_backoff_ms", 50),
            ("grpc.max_reconnect_backoff_ms", 500),
            ("grpc.use_local_subchannel_pool", 1),
        ]
        self._channel = grpc.insecure_channel(address, options)
        self._export = self._channel.unary_unary(METHOD)

    def send(self, body: bytes) -> None:
        try:
            answer = self._export(body, timeout=_ANSWERED_WITHIN_S, compression=grpc.Compression.Gzip)
        except grpc.RpcError as error:
            raise NotAcknowledged(str(error.code())) from None
        _check_answer(answer)

    def close(self) -> None:
        self._channel.close()


class HttpClient:
    """OTLP over HTTP, gzipped."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._connection: http.client.HTTPConnection | None = None

    def send(self, body: bytes) -> None:
        if self._connection is None:
            self._connection = http.client.HTTPConnection(self._address, timeout=_ANSWERED_WITHIN_S)
        headers = {"Content-Type": "application/x-protobuf", "Content-Encoding": "gzip"}
        try:
            self._connection.request("POST", "/v1/traces", gzip.compress(body, 1), headers)
            response = self._connection.getresponse()
            answer = response.read()
        except (OSError, http.client.HTTPException, ValueError) as error:
            self.close()
            raise NotAcknowledged(repr(error)) from None
        if response.status != 200:
            raise NotAcknowledged(f"{response.status}: {answer!r}")
        _check_answer(answer)

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _check_answer(answer: bytes) -> None:
    """Raise NotAcknowledged where spans were rejected, or it is no answer."""
    try:
        partial = ExportTraceServiceResponse.FromString(answer).partial_success
    except Exception as error:
        raise NotAcknowledged(repr(error)) from None
    if partial.rejected_spans or partial.error_message:
        raise NotAcknowledged(partial.error_message)


@dataclass
class Ledger:
    """Requests by number, each of them the trace of that number."""

    spans: int = SPANS
    """Spans of each."""
    attempted: set[int] = field(default_factory=set, repr=False)
    acknowledged: set[int] = field(default_factory=set, repr=False)
    failures: Counter[str] = field(default_factory=Counter)

    def request(self, number: int) -> bytes:
        """An encoded request."""
        return _template(self.spans).replace(_PLACE, bytes.fromhex(trace_id(number)))


class Senders:
    """Threads that send request after request, and each one again until it is acknowledged.

    `with Senders(ledger, [...]) as senders:` stops them in the end. A request that is not acknowledged by then may be
    stored or not.

    Args:
        ledger: what they write down.
        clients: one thread each.
        pause_s: between two requests of a thread.
    """

    def __init__(self, ledger: Ledger, clients: Iterable[Client], pause_s: float = 0.0) -> None:
        self.ledger = ledger
        self._clients = list(clients)
        self._pause_s = pause_s
        self._stopping = threading.Event()
        self._numbers = itertools.count(1 + max(ledger.attempted, default=0))
        self._threads = [
            threading.Thread(target=self._send, args=(client,), name="sender", daemon=True) for client in self._clients
        ]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """End after the requests under way."""
        self._stopping.set()
        for thread in self._threads:
            thread.join(PATIENCE_S)
            assert not thread.is_alive()

    def wait_for(self, more: int) -> None:
        """Wait until so many more requests are acknowledged."""
        wanted = len(self.ledger.acknowledged) + more
        until(lambda: len(self.ledger.acknowledged) >= wanted, lambda: f"nothing arrives: {self.ledger.failures}")

    def _send(self, client: Client) -> None:
        with contextlib.closing(client):
            while not self._stopping.is_set():
                number = next(self._numbers)
                self.ledger.attempted.add(number)
                while not self._sent(client, number):
                    if self._stopping.wait(0.02):
                        return
                self._stopping.wait(self._pause_s)

    def _sent(self, client: Client, number: int) -> bool:
        try:
            client.send(self.ledger.request(number))
        except NotAcknowledged as error:
            self.ledger.failures[str(error)] += 1
            return False
        self.ledger.acknowledged.add(number)
        return True


def until(condition: Callable[[], bool], otherwise: Callable[[], str] = str, patience_s: float = PATIENCE_S) -> None:
    """Wait for a condition."""
    deadline = time.monotonic() + patience_s
    while not condition():
        assert time.monotonic() < deadline, otherwise()
        time.sleep(0.01)


def rows(store: Path) -> Counter[str]:
    """The number of rows of each trace's spans; raises where a span has more than one."""
    connection = sqlite3.connect(f"file:{store}?mode=ro", uri=True)
    with contextlib.closing(connection):
        found = connection.execute(
            "SELECT lower(hex(t.trace_id)), count(*), count(DISTINCT s.span_id) "
            "FROM spans s JOIN traces t ON t.id = s.trace GROUP BY t.id"
        ).fetchall()
    assert [trace for trace, spans, distinct in found if spans != distinct] == []
    return Counter({trace: spans for trace, spans, _ in found})


def holds(store: Path, ledger: Ledger) -> None:
    """Check a store, whose writers have ended: it is sound, has what was acknowledged once, and nothing in parts."""
    assert check(store) == []
    stored = rows(store)
    assert set(stored.values()) <= {ledger.spans}
    lost = [number for number in ledger.acknowledged if trace_id(number) not in stored]
    assert not lost, f"{lost} of {len(ledger.acknowledged)}, where there was {ledger.failures}"
    assert set(stored) - {trace_id(number) for number in ledger.attempted} == set()
    wanted = [f"step {number}" for number in range(1, ledger.spans + 1)]
    with otel_mas.open(store) as source:
        for number in itertools.islice(ledger.acknowledged, 5):
            assert [one.name for one in source.trace(trace_id(number)).spans] == wanted


def clients(grpc_address: str, http_address: str) -> Iterator[Client]:
    """Two of each protocol."""
    for _ in range(2):
        yield GrpcClient(grpc_address)
        yield HttpClient(http_address)
