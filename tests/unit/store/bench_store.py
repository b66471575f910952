"""The cost of the store: `python tests/unit/store/bench_store.py [spans]`. No test: it asserts nothing."""

from __future__ import annotations

import gc
import os
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path

from opentelemetry.proto.trace.v1 import trace_pb2

from otel_mas.semconv import attributes as names
from otel_mas.store import StoreReader, StoreWriter
from otel_mas.store.columns import column_values
from otel_mas.store.rows import Batch, SpanRow
from tests.conformance.messages import pairs

BATCH = 500


def _rows(writer: StoreWriter, count: int, per_trace: int) -> list[SpanRow]:
    """Task spans of 600 bytes with seven columns and one link each."""
    resource, scope = writer.resource({"service.name": "bench"}, "", b""), writer.scope("bench", "1", {}, "")
    body = trace_pb2.Span(name="task", attributes=pairs({f"some.attribute.{n}": "v" * 30 for n in range(11)}))
    encoded = body.SerializeToString()
    rows: list[SpanRow] = []
    for number in range(count):
        first = number % per_trace == 0
        trace_id = os.urandom(16) if first else rows[-1].trace_id
        attributes = {
            names.MAS_RECORD_KIND: "AGENT_TASK",
            names.MAS_TASK_ID: f"{number:036}",
            names.MAS_TASK_NAME: f"node {number % 20}",
            names.MAS_TASK_STEP: number,
            names.MAS_TASK_NAMESPACE: "",
            names.MAS_CHECKPOINT_ID: f"{number // 5:036}",
            names.GEN_AI_CONVERSATION_ID: "thread",
        }
        start_ns = time.time_ns()
        rows.append(
            SpanRow(
                trace_id,
                os.urandom(8),
                None if first else rows[number - number % per_trace].span_id,
                f"task node {number % 20}",
                1,
                start_ns,
                start_ns + 900,
                0,
                column_values(attributes),
                () if first else ((trace_id, rows[-1].span_id, "trigger"),),
                encoded,
                resource,
                scope,
            )
        )
    return rows


def _cpu(work: Callable[[], object]) -> float:
    gc.collect()
    began = time.process_time()
    work()
    return time.process_time() - began


def bench(count: int) -> None:
    """Print µs of CPU per span written, seconds of CPU to read one large trace, and bytes per span."""
    for per_trace in (100, count):
        path = Path(tempfile.mkdtemp()) / "runs.db"
        writer = StoreWriter(
            path, instance_id=b"bench", run_id=None, service="bench", max_bytes=0, max_age_ns=0, timeout_s=5
        )
        rows = _rows(writer, count, per_trace)

        def write(writer: StoreWriter = writer, rows: list[SpanRow] = rows) -> None:
            for start in range(0, count, BATCH):
                writer.write(Batch(spans=rows[start : start + BATCH]))

        seconds = _cpu(write)
        writer.close()
        print(f"written, {per_trace:>7} spans a trace: {seconds / count * 1e6:5.1f} µs a span", end=", ")
        print(f"{path.stat().st_size / count:.0f} bytes a span in the file")
    trace_id = rows[0].trace_id.hex()
    del rows
    with StoreReader(path) as reader:
        print(f"read, one trace of {count} spans: {min(_cpu(lambda: reader.trace(trace_id)) for _ in range(3)):.2f} s")
        tracemalloc.start()
        trace = reader.trace(trace_id)
        print(f"in memory: {tracemalloc.get_traced_memory()[0] / len(trace.spans):.0f} bytes a span")


if __name__ == "__main__":
    bench(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
