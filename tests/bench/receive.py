"""Receiving: OTLP spans of 1 KB over gRPC until they are committed, beside Jaeger on badger in the same run.

Both get the same requests, whole batches of 512 spans, 8 at a time, in turns. Then ours gets half of its rate, paced,
for the time from request to answer.
"""

from __future__ import annotations

import os
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc
from opentelemetry.proto.common.v1.common_pb2 import InstrumentationScope, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from otel_mas.semconv import attributes as names
from tests.backends.build import NoBackend, jaeger
from tests.backends.jaeger import Jaeger
from tests.conformance.messages import export, pairs, process
from tests.serving.server import Server

METHOD = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
SPAN_BYTES = 1000
SPANS_A_REQUEST, SPANS_A_TRACE = 512, 64
REQUESTS = 60
_AT_ONCE = 8
_PACED_S = 5.0
_SCOPE = InstrumentationScope(name="bench", version="1")


def spans(number: int, seed: int) -> Iterator[Span]:
    """Spans of a web service that calls models: one in four has attributes of the GenAI conventions."""
    chance = random.Random(seed)
    now_ns = time.time_ns()
    trace_id = root = b""
    for at in range(number):
        if at % SPANS_A_TRACE == 0:
            trace_id, root = chance.randbytes(16), b""
        span_id = chance.randbytes(8)
        start_ns = now_ns + at * 1_000_000
        one = Span(
            trace_id=trace_id,
            span_id=span_id,
            parent_span_id=root,
            name="chat" if at % 4 == 0 else "GET /orders",
            kind=3,
            start_time_unix_nano=start_ns,
            end_time_unix_nano=start_ns + 5_000_000,
            attributes=pairs(_attributes(at, chance)),
        )
        one.attributes.append(KeyValue(key="app.note"))
        one.attributes[-1].value.string_value = "x" * max(0, SPAN_BYTES - one.ByteSize() - 6)
        root = root or span_id
        yield one


def _attributes(at: int, chance: random.Random) -> dict[str, Any]:
    common = {
        "server.address": "shop.example",
        "server.port": 443,
        "url.path": f"/orders/{chance.randrange(10**6)}",
        "http.request.method": "GET",
        "http.response.status_code": 200,
        "network.protocol.version": "1.1",
        "user_agent.original": "Mozilla/5.0 (X11; Linux x86_64)",
        "thread.id": 12,
    }
    if at % 4:
        return common
    return common | {
        names.GEN_AI_OPERATION_NAME: "chat",
        names.GEN_AI_AGENT_NAME: f"agent {chance.randrange(8)}",
        names.GEN_AI_REQUEST_MODEL: "gpt-4o",
        names.GEN_AI_USAGE_INPUT_TOKENS: chance.randrange(4000),
        names.GEN_AI_USAGE_OUTPUT_TOKENS: chance.randrange(500),
    }


def requests(number: int, seed: int) -> list[bytes]:
    """Export requests, encoded."""
    found = list(spans(number * SPANS_A_REQUEST, seed))
    return [
        export(
            process({names.SERVICE_NAME: "bench"}, found[at : at + SPANS_A_REQUEST], scope=_SCOPE)
        ).SerializeToString()
        for at in range(0, len(found), SPANS_A_REQUEST)
    ]


class Client:
    """A gRPC client that sends encoded requests."""

    def __init__(self, address: str) -> None:
        self._channel = grpc.insecure_channel(address, [("grpc.max_send_message_length", -1)])
        self._export = self._channel.unary_unary(METHOD)
        grpc.channel_ready_future(self._channel).result(60)

    def send(self, request: bytes) -> float:
        """Send one; returns the seconds until its answer."""
        began = time.perf_counter()
        self._export(request, timeout=120)
        return time.perf_counter() - began

    def rate(self, bodies: list[bytes]) -> float:
        """Spans a second, several requests at a time."""
        began = time.perf_counter()
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            list(pool.map(self.send, bodies))
        return len(bodies) * SPANS_A_REQUEST / (time.perf_counter() - began)

    def paced(self, bodies: list[bytes], spans_a_second: float) -> list[float]:
        """The seconds of each request, sent at a rate whatever the answers."""
        pause = SPANS_A_REQUEST / spans_a_second
        with ThreadPoolExecutor(64) as pool:
            began = time.perf_counter()
            waiting = []
            for number, body in enumerate(bodies):
                time.sleep(max(0.0, began + number * pause - time.perf_counter()))
                waiting.append(pool.submit(self.send, body))
            return [one.result() for one in waiting]

    def close(self) -> None:
        self._channel.close()


def report(rounds: int) -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory() as folder:
        environ = {"OTEL_MAS_MAX_STORE_BYTES": str(2**40), "PYTHONDONTWRITEBYTECODE": ""}
        Server(Path(folder) / "first.db", environ=environ).start().kill()  # compiles what is not compiled yet
        began = time.perf_counter()
        server = Server(Path(folder) / "received.db", environ=environ).start()
        ready_s = time.perf_counter() - began
        peer = _jaeger(Path(folder))
        try:
            _report(rounds, server, peer, ready_s)
        finally:
            server.kill()
            if peer is not None:
                peer.stop()


def _report(rounds: int, server: Server, peer: Jaeger | None, ready_s: float) -> None:
    own = Client(server.grpc)
    other = None if peer is None else Client(peer.otlp_grpc)
    rates: list[float] = []
    ratios: list[float] = []
    cpu_us: list[float] = []
    peer_cpu_us: list[float] = []
    for number in range(rounds):
        bodies = requests(REQUESTS, number)
        before = _cpu_us(server.pid)
        rates.append(own.rate(bodies))
        cpu_us.append((_cpu_us(server.pid) - before) / (REQUESTS * SPANS_A_REQUEST))
        if other is not None and peer is not None:
            before = _cpu_us(peer.pid)
            ratios.append(rates[-1] / other.rate(bodies))
            peer_cpu_us.append((_cpu_us(peer.pid) - before) / (REQUESTS * SPANS_A_REQUEST))
        print(f"round {number}: {rates[-1]:,.0f} spans/s, {ratios[-1:]} × Jaeger", file=sys.stderr)
    peak_mib = server.peak_mib
    half = statistics.median(rates) / 2
    bodies = requests(max(20, round(half * _PACED_S / SPANS_A_REQUEST)), rounds)
    took = own.paced(bodies, half)
    peer_took = [] if other is None else other.paced(requests(len(bodies) // 2, rounds), half / 2)
    stored = (rounds * REQUESTS + len(took)) * SPANS_A_REQUEST
    own.close()
    server.terminate()
    size = server.store.stat().st_size / stored
    print("\n### Receiving: OTLP over gRPC, spans of 1 KB, until they are committed\n")
    print(f"Median of {rounds} rounds of {REQUESTS * SPANS_A_REQUEST:,} spans.\n")
    print("| figure | value | budget |")
    print("|---|---|---|")
    print(f"| spans a second | {statistics.median(rates):,.0f} | |")
    if ratios:
        print(f"| × Jaeger on badger | {statistics.median(ratios):.2f} | ≥ 2.5 |")
        assert other is not None
        other.close()
    print(f"| CPU µs a span, of the whole process | {statistics.median(cpu_us):.1f} | |")
    if ratios:
        print(f"| the same of Jaeger | {statistics.median(peer_cpu_us):.1f} | |")
        print(f"| P99 of Jaeger at a quarter of that rate | {_p99(peer_took) * 1e3:.0f} ms | |")
    print(f"| P99 from request to answer at half of that rate | {_p99(took) * 1e3:.0f} ms | ≤ 50 ms |")
    print(f"| ready | {ready_s:.2f} s | ≤ 1 s |")
    print(f"| resident, at its peak | {peak_mib:.0f} MiB | ≤ 150 MB |")
    print(f"| bytes a span on disk | {size:,.0f} | ≤ 1,200 |", flush=True)


def _cpu_us(pid: int) -> float:
    """User and system time of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK") * 1e6


def _p99(values: list[float]) -> float:
    return sorted(values)[min(len(values) - 1, round(len(values) * 0.99))]


def _jaeger(folder: Path) -> Jaeger | None:
    try:
        started = Jaeger(jaeger(os.environ), folder / "jaeger", "badger")
        started.start()
    except NoBackend as error:
        print(f"without Jaeger: {error}", file=sys.stderr)
        return None
    return started


__all__ = ["Client", "report", "requests", "spans"]
