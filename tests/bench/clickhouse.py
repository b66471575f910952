"""What a search and a trace cost in ClickHouse, at ten million spans: `python -m tests.bench.clickhouse`.

The tables are made by the Collector's exporter, and filled by SQL: runs of 50 spans over a week, of 35 agents and five
services, with a thread for every four. Beside the time is the CPU of both processes, which says more on a machine that
does other things.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from otel_mas.model import Query
from otel_mas.sources import Source, open_source
from tests.backends.build import built
from tests.backends.clickhouse import ClickHouse
from tests.backends.otelcol import MODULE, VERSION, Otelcol

SPANS_OF_A_TRACE = 50
WEEK_NS = 7 * 86400 * 10**9
AT_A_TIME = 500_000

FILL = """
INSERT INTO otel.otel_traces (Timestamp, TraceId, SpanId, ParentSpanId, SpanName, SpanKind, ServiceName,
    ResourceAttributes, ScopeName, ScopeVersion, SpanAttributes, Duration, StatusCode,
    Links.TraceId, Links.SpanId, Links.TraceState, Links.Attributes)
WITH (trace, place) -> lower(leftPad(hex(cityHash64(trace, place)), 16, '0')) AS span_id,
    trace -> lower(leftPad(hex(cityHash64(trace)), 16, '0') || leftPad(hex(trace), 16, '0')) AS trace_id,
    'service-' || toString(t % 5) AS service,
    cityHash64(number) AS noise
SELECT fromUnixTimestamp64Nano(toInt64({start} + t * {apart} + place * 20000000)), trace_id(t), span_id(t, place),
    if(place = 0, '', span_id(t, place - 1)), 'node ' || toString(place), 'Internal', service,
    map('service.name', service, 'service.instance.id', toString(t % 50), 'telemetry.sdk.language', 'python',
        'telemetry.sdk.name', 'opentelemetry', 'telemetry.sdk.version', '1.45.2',
        'mas.run.id', toString(intDiv(t, 10))),
    'otel_mas', '0.2.0',
    map('gen_ai.operation.name',
            multiIf(place = 0, 'invoke_workflow', place % 5 = 1, 'invoke_agent', place % 5 = 2, 'chat', 'execute_tool'),
        'gen_ai.agent.name', 'agent-' || toString(t % 7 * 5 + place % 5),
        'gen_ai.conversation.id', 'thread-' || toString(intDiv(t, 4)),
        'gen_ai.tool.name', if(place % 5 = 3, 'tool-' || toString(place), ''), 'gen_ai.request.model', 'gpt-5',
        'gen_ai.usage.input_tokens', toString(noise % 5000), 'gen_ai.usage.output_tokens', toString(noise % 500),
        'mas.record.kind', if(place % 5 = 2, 'LLM_CALL', 'AGENT_TASK'), 'mas.task.id', hex(cityHash64(number, 2)),
        'mas.task.name', 'node ' || toString(place), 'mas.task.step', toString(place),
        'mas.input.messages', '["' || hex(cityHash64(number, 3)) || hex(cityHash64(number, 4)) || '"]',
        'mas.run.outcome', if(place = 0, 'ok', ''), 'error.type', if(t % 1000 = 0 AND place = 7, 'Rare', '')),
    20000000 + noise % 1000000000, if(noise % 5000 = 0, 'Error', 'Unset'),
    if(place = 0, [], [trace_id(t)]), if(place = 0, [], [span_id(t, place - 1)]), if(place = 0, [], ['']),
    if(place = 0, [], [map('mas.link.kind', 'trigger')])
FROM (
    SELECT number, intDiv(number, {of_a_trace}) AS t, number % {of_a_trace} AS place FROM numbers({first}, {count})
)"""

QUERIES: Sequence[tuple[str, Query]] = (
    ("the newest 20", Query()),
    ("of an agent", Query(agent="agent-3")),
    ("of a service, with a tool", Query(service="service-2", tool="tool-8")),
    ("with an error that 1 of 1,000 has", Query(error_type="Rare")),
    ("with an error that none has", Query(error_type="NoSuchError")),
    ("failed, where every run has dealt with its errors", Query(status="error")),
    ("of a thread of the first day", Query(conversation_id="thread-1234")),
    ("of a run of the first day", Query(run_id="77")),
    ("longer than 1.99 s", Query(min_duration_ns=1_990_000_000)),
)


def fill(server: ClickHouse, folder: Path, spans: int) -> None:
    """Let a Collector make the tables, and fill them."""
    binary = built(MODULE, ".", "otelcol", VERSION, os.environ, "about six minutes")
    with Otelcol(binary, "to-clickhouse.yaml", folder, {**server.settings, "SPANS_KEPT_FOR": "0s"}):
        pass
    traces = spans // SPANS_OF_A_TRACE
    given = {"start": time.time_ns() - WEEK_NS, "apart": WEEK_NS // traces, "of_a_trace": SPANS_OF_A_TRACE}
    for first in range(0, spans, AT_A_TIME):
        server.execute(FILL.format(**given, first=first, count=min(AT_A_TIME, spans - first)))


def measure(server: ClickHouse, source: Source) -> list[str]:
    newest = source.traces(Query())
    (old, *_) = source.traces(Query(conversation_id="thread-1234"))
    lines = [_line(server, title, lambda query=query: source.traces(query)) for title, query in QUERIES]
    ids = {"a new trace": newest[5].trace_id, "a trace of the first day": old.trace_id}
    return lines + [_line(server, title, lambda one=one: source.trace(one).spans) for title, one in ids.items()]


def _line(server: ClickHouse, title: str, ask: Callable[[], Sequence[object]]) -> str:
    """The best of three: time, CPU of both."""
    best: tuple[float, float, int] | None = None
    for _ in range(3):
        began, own, engine = time.perf_counter(), time.process_time(), server.cpu_s()
        found = len(ask())
        cpu = time.process_time() - own + server.cpu_s() - engine
        best = min(best or (1e9, 0, 0), (time.perf_counter() - began, cpu, found))
    assert best is not None
    return f"| {title} | {best[2]} | {best[0]:.2f} s | {best[1]:.2f} s |"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--spans", type=int, default=10_000_000)
    parser.add_argument("--folder", type=Path, help="keep the tables here, and take them from here the next time")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.folder or Path(temporary)
        full = (folder / "data").exists()
        with ClickHouse(folder) as server:
            if not full:
                fill(server, folder / "otelcol", options.spans)
            source = open_source(f"clickhouse://{server.address}/otel")
            ((spans, size),) = server.rows(
                "SELECT sum(rows), sum(bytes_on_disk) FROM system.parts WHERE active AND table = 'otel_traces'"
            )
            print(f"{int(spans):,} spans, {int(size) / 2**20:,.0f} MiB\n")
            print("| question | found | time | CPU |\n|---|---:|---:|---:|")
            print("\n".join(measure(server, source)))


if __name__ == "__main__":
    main()
