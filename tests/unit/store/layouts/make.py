"""Writes the store that is kept of the current layout: `python -m tests.unit.store.layouts.make`, once for each layout.

A file that is there is never written again: it is what that version of otel-mas wrote.
"""

from __future__ import annotations

import gzip
import tempfile
from pathlib import Path

from opentelemetry.proto.trace.v1 import trace_pb2

from otel_mas.model.dropped import Dropped
from otel_mas.semconv import attributes as names
from otel_mas.store import StoreWriter
from otel_mas.store.columns import column_values
from otel_mas.store.log import Log
from otel_mas.store.migrations import VERSION
from otel_mas.store.rows import Batch, ContentRow, MessageRefRow, MessageRow, OpenRow, SpanRow
from tests.conformance.messages import pairs

SECOND = 10**9
NOW = 1_800_000_000 * SECOND
TRACE = bytes([7] * 16)
DIGEST = bytes(range(16))


def file_of(layout: int) -> Path:
    """The path of the store of a layout."""
    return Path(__file__).with_name(f"layout-{layout}.db.gz")


def write(path: Path) -> None:
    """One trace of a planner and what it caused, a message, a content, an open span, drops, and a destination."""
    writer = StoreWriter(
        path, instance_id=b"recorder", run_id="run", service="shop", max_bytes=0, max_age_ns=0, clock=lambda: NOW
    )
    resource = writer.resource({"service.name": "shop"}, "", b"")
    scope = writer.scope("lib", "1", {}, "")
    spans = [_span(1, None, resource, scope), _span(2, 1, resource, scope, failed=True)]
    late = OpenRow(TRACE, bytes([9] * 8), spans[0].span_id, "never ended", 1, NOW + SECOND, {}, resource, scope)
    writer.write(
        Batch(
            spans=spans,
            opened=[late],
            messages=[MessageRow(DIGEST, "user", b'{"role": "user", "parts": []}')],
            message_refs=[MessageRefRow(TRACE, spans[1].span_id, 0, 0, DIGEST)],
            contents=[ContentRow(TRACE, spans[1].span_id, "arguments", b'{"q": 1}')],
            incomplete={TRACE: "something is missing"},
        )
    )
    writer.finish([Dropped("unknown reason", 3, 0)], 1)
    writer.close()
    log = Log(path, clock=lambda: NOW)
    log.add("otlp http://localhost:4318", from_start=True)
    log.close()


def _span(number: int, parent: int | None, resource: int, scope: int, *, failed: bool = False) -> SpanRow:
    attributes = {names.GEN_AI_AGENT_NAME: "planner", "note": "kept"}
    span_id, parent_id = bytes([number] * 8), None if parent is None else bytes([parent] * 8)
    start_ns, end_ns = NOW + number, NOW + SECOND
    link = trace_pb2.Span.Link(trace_id=TRACE, span_id=parent_id or b"", attributes=pairs({}))
    body = trace_pb2.Span(
        trace_id=TRACE,
        span_id=span_id,
        parent_span_id=parent_id or b"",
        name=f"span {number}",
        kind=1,
        start_time_unix_nano=start_ns,
        end_time_unix_nano=end_ns,
        attributes=pairs(attributes),
        links=[] if parent is None else [link],
        status=trace_pb2.Status(code=2 if failed else 0),
    )
    return SpanRow(
        trace_id=TRACE,
        span_id=span_id,
        parent_span_id=parent_id,
        name=body.name,
        kind=1,
        start_ns=start_ns,
        end_ns=end_ns,
        status=body.status.code,
        columns=column_values(attributes),
        links=() if parent_id is None else ((TRACE, parent_id, None),),
        body=body.SerializeToString(),
        resource=resource,
        scope=scope,
    )


if __name__ == "__main__":
    target = file_of(VERSION)
    if target.exists():
        raise SystemExit(f"{target} is there already: it is what an earlier version wrote")
    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder) / "runs.db")
        target.write_bytes(gzip.compress((Path(folder) / "runs.db").read_bytes(), mtime=0))
