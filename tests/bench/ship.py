"""Shipping: CPU of `otel-mas ship` a span, beside that of OpenTelemetry's own OTLP exporters, in one run."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

from tests.bench.environments import ENVIRONMENT, peak_mib
from tests.bench.sink import GrpcSink, Sink

SPANS = 20_000
_BATCH = 512
_BYTES = 1_000  # of an encoded span, about
_NAME = "chat gpt-5-mini"
_SHARED = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "openai",
    "gen_ai.request.model": "gpt-5-mini",
    "gen_ai.response.model": "gpt-5-mini-2026-08-07",
    "gen_ai.agent.name": "researcher",
    "server.address": "api.example.com",
    "server.port": 443,
    "code.function.name": "research.team.agents.researcher.Researcher.answer",
    "code.file.path": "/srv/app/research/team/agents/researcher.py",
    "http.route": "/v1/questions/{question}/answers/{answer}/sources/{source}",
    "url.template": "/v1/questions/{question}/answers/{answer}/sources/{source}/passages/{passage}/words/{word}",
    "gen_ai.agent.id": "researcher of sources, second of the team that answers questions",
    "user_agent.original": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140 Safari",
}


# The command line, in a process that prints what it cost.
_COMMAND = """
import json, time
from otel_mas.cli import main
try:
    main()
finally:
    cpu_s = time.process_time()
    from tests.bench.environments import peak_mib
    print(json.dumps([cpu_s, peak_mib()]))
"""


class Cost(NamedTuple):
    """CPU seconds of a process, and its peak of memory."""

    cpu_s: float
    peak_mib: float


def report(rounds: int = 5) -> None:
    """Print the table. The rounds take turns; what is printed is the median of each."""
    print(f"\n### Shipping: {SPANS:,} spans of 1 KB, CPU µs a span of the whole process\n")
    print("| to | stock exporter | otel-mas ship | ratio | the same without the start | ratio | peak MiB |")
    print("|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        full, single = (_recorded(Path(folder) / f"{count}.db", count) for count in (SPANS, 1))
        with Sink() as over_http, GrpcSink() as over_grpc:
            for protocol, sink in (("http/protobuf", over_http), ("grpc", over_grpc)):
                found = [_round(protocol, sink, full, single) for _ in range(rounds)]
                theirs, ours, their_start, our_start = zip(*found, strict=True)
                stock, ship, bare_stock, bare_ship = (
                    statistics.median(one.cpu_s for one in of) / SPANS * 1e6
                    for of in (theirs, ours, their_start, our_start)
                )
                peaks = [statistics.median(one.peak_mib for one in of) for of in (theirs, ours)]
                print(
                    f"| {protocol} | {stock:.1f} | {ship:.1f} | {ship / stock:.2f} | {stock - bare_stock:.1f} and "
                    f"{ship - bare_ship:.1f} | {(ship - bare_ship) / (stock - bare_stock):.2f} "
                    f"| {peaks[0]:.0f} and {peaks[1]:.0f} |",
                    flush=True,
                )


def _round(protocol: str, sink: Sink | GrpcSink, full: Path, single: Path) -> tuple[Cost, Cost, Cost, Cost]:
    """Both exporters, and both with a single span."""
    before = sink.spans
    costs = [_stock(protocol, sink.endpoint, SPANS), _ship(protocol, sink.endpoint, full)]
    if sink.spans - before != 2 * SPANS:
        sys.exit(f"{sink.spans - before} spans arrived, not {2 * SPANS}: the comparison is void")
    return costs[0], costs[1], _stock(protocol, sink.endpoint, 1), _ship(protocol, sink.endpoint, single)


def _stock(protocol: str, endpoint: str, spans: int) -> Cost:
    return _process(f"from tests.bench.ship import measure_stock; measure_stock({protocol!r}, {endpoint!r}, {spans})")


def _ship(protocol: str, endpoint: str, store: Path) -> Cost:
    """Ship all of a store, to a destination that it does not know yet."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "runs.db"
        copy.write_bytes(store.read_bytes())
        wanted = ("--store", str(copy), "--endpoint", endpoint, "--protocol", protocol)
        return _process(_COMMAND, "ship", "--once", "--from-start", *wanted)


def _process(code: str, *arguments: str) -> Cost:
    command = [sys.executable, "-c", code, *arguments]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=ENVIRONMENT)
    return Cost(*json.loads(done.stdout.splitlines()[-1]))


def measure_stock(protocol: str, endpoint: str, count: int) -> None:
    """Prints CPU seconds of this process, without the making of the spans, and its peak of memory in MiB."""
    import time

    from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
    from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

    exporter: SpanExporter
    if protocol == "grpc":
        from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as Grpc

        exporter = Grpc(endpoint=endpoint, insecure=True)
    else:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as Http

        exporter = Http(endpoint=endpoint)
    tracer = TracerProvider().get_tracer("bench")
    made_s = 0.0
    for first in range(0, count, _BATCH):
        before = time.process_time()
        batch: list[ReadableSpan] = []
        for number in range(first, min(first + _BATCH, count)):
            span = tracer.start_span(_NAME, attributes=_attributes(number))
            span.end()
            batch.append(span)  # type: ignore[arg-type]
        made_s += time.process_time() - before
        if exporter.export(batch) is not SpanExportResult.SUCCESS:
            sys.exit("the stock exporter failed")
    exporter.shutdown()
    print(json.dumps([time.process_time() - made_s, peak_mib()]))


def _recorded(store: Path, count: int) -> Path:
    """A store in which otel-mas has recorded the same spans."""
    code = f"from tests.bench.ship import record; record({str(store)!r}, {count})"
    subprocess.run([sys.executable, "-c", code], check=True)
    return store


def record(store: str, count: int) -> None:
    """Record spans with the attributes of this bench."""
    import sqlite3

    from opentelemetry import trace
    from opentelemetry.sdk.trace import TracerProvider

    import otel_mas

    trace.set_tracer_provider(TracerProvider())
    otel_mas.instrument(store=store)
    tracer = trace.get_tracer("bench")
    for number in range(count):
        tracer.start_span(_NAME, attributes=_attributes(number)).end()
        if number % 1000 == 999:
            otel_mas.flush(60)
    otel_mas.shutdown()
    with sqlite3.connect(store) as connection:
        stored, size = connection.execute("SELECT count(*), avg(length(body)) FROM spans").fetchone()
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    if stored != count or abs(size / _BYTES - 1) > 0.1:
        sys.exit(f"{stored} spans of {size} bytes are recorded, not {count} of {_BYTES}")


def _attributes(number: int) -> dict[str, str | int]:
    return {
        **_SHARED,
        "gen_ai.response.id": f"chatcmpl-{number:024x}",
        "gen_ai.conversation.id": f"conversation {number // 100:032d}",
        "gen_ai.usage.input_tokens": 1000 + number,
        "gen_ai.usage.output_tokens": 200 + number % 97,
    }
