"""The API: CPU of the picture of a large run, and lag of the live stream behind the commit of a span."""

from __future__ import annotations

import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

PICTURES = ((10_000, 0.5), (100_000, 2.5))
"""Number of spans, and the budget in seconds of CPU."""
SPANS, RATE = 5_000, 50
_BUDGET_MS = 100
_SECONDS = 20
_CLIENTS = (1, 20)


def report() -> None:
    """Print the tables."""
    print("\n### Picture of a run: read, worked out, as JSON\n")
    print("| spans | CPU | budget | bytes |")
    print("|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for spans, budget_s in PICTURES:
            path = str(Path(folder) / f"{spans}.db")
            _isolated("answers.record", path, spans)
            seconds, size = _isolated("api.picture", path).split()
            print(f"| {spans:,} | {float(seconds):.2f} s | {budget_s} s | {int(size):,} |", flush=True)
    print(f"\n### Lag of the live stream behind the commit: {RATE} spans a second, {SPANS:,} in the trace\n")
    print(f"| clients | median | p95 | last | budget | CPU of the server |\n|{'---|' * 6}")
    for clients in _CLIENTS:
        lags, cpu = stream(clients)
        p95 = lags[int(0.95 * len(lags))]
        print(
            f"| {clients} | {statistics.median(lags):.0f} ms | {p95:.0f} ms | {lags[-1]:.0f} ms | {_BUDGET_MS} ms "
            f"| {cpu:.1%} |",
            flush=True,
        )


def _isolated(function: str, *arguments: object) -> str:
    module = function.partition(".")[0]
    code = f"from tests.bench import {module}; {function}({', '.join(map(repr, arguments))})"
    return subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout


def picture(path: str) -> None:
    """Print the seconds of CPU to open the store and answer, without imports; and the size of the answer."""
    import otel_mas
    import otel_mas.analyse.questions
    import otel_mas.api.answers
    from otel_mas.cli import collect_seldom
    from otel_mas.server.api.about_runs import RUNS
    from otel_mas.server.api.responses import encoded
    from otel_mas.server.api.served import Served

    collect_seldom()
    answer = next(one.answer for one in RUNS if one.path == "/picture")

    def once() -> int:
        with otel_mas.open(path) as source:
            served = Served(source)
            return len(encoded(answer(served.trace(source.traces(limit=1)[0].trace_id))))

    began = time.process_time()
    size = once()
    print(time.process_time() - began, size)


def serve(path: str) -> None:
    """Serve a store until this process is ended; prints the port."""
    import uvicorn

    import otel_mas
    from otel_mas.server.api import create_app

    with socket.create_server(("127.0.0.1", 0)) as sock, otel_mas.open(path) as source:
        print(sock.getsockname()[1], flush=True)
        uvicorn.Server(uvicorn.Config(create_app(source), log_config=None)).run(sockets=[sock])


def stream(clients: int) -> tuple[list[float], float]:
    """Lags in ms of all spans at all clients, sorted; and the share of a processor that the server took."""
    from otel_mas.store.rows import Batch
    from tests.unit.store.conftest import Bench

    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        bench = Bench(Path(folder) / "runs.db", now_ns=time.time_ns())
        stack.callback(bench.close)
        writer = bench.writer()
        writer.write(Batch(spans=[bench.span(name="before") for _ in range(SPANS)]))
        process = stack.enter_context(_server(bench.path))
        port = int(process.stdout.readline())  # type: ignore[union-attr]
        seen: list[dict[str, float]] = [{} for _ in range(clients)]
        readers = [threading.Thread(target=_read, args=(port, one), daemon=True) for one in seen]
        for reader in readers:
            reader.start()
        while not all("" in one for one in seen):
            time.sleep(0.01)
        committed: dict[str, float] = {}
        cpu_s, began = _cpu_s(process.pid), time.monotonic()
        for number in range(_SECONDS * RATE):
            time.sleep(max(0.0, began + number / RATE - time.monotonic()))
            writer.write(Batch(spans=[bench.span(name=f"s{number}")]))
            committed[f"s{number}"] = time.monotonic()
        end = time.monotonic() + 10
        while any(len(one) <= len(committed) for one in seen) and time.monotonic() < end:
            time.sleep(0.01)
        share = (_cpu_s(process.pid) - cpu_s) / (time.monotonic() - began)
        return sorted(1e3 * (one[name] - when) for one in seen for name, when in committed.items()), share


@contextmanager
def _server(path: Path) -> Iterator[subprocess.Popen[str]]:
    code = f"from tests.bench import api; api.serve({str(path)!r})"
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def _cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _read(port: int, seen: dict[str, float]) -> None:
    """Note when each span came; "" is noted when the stream began."""
    with socket.create_connection(("127.0.0.1", port)) as sock, sock.makefile("rb") as lines:
        sock.sendall(b"GET /api/v1/stream HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        for line in lines:
            if line.startswith(b"retry:"):
                seen[""] = 0.0
            elif line.startswith(b'data: {"trace_id"') and b'"span_id"' in line:
                seen[json.loads(line[6:])["name"]] = time.monotonic()


if __name__ == "__main__":
    report()
