"""A store with two traces, an agent, links, messages, contents, and what was dropped."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from otel_mas.model.dropped import Dropped
from otel_mas.semconv import attributes as names
from otel_mas.store.rows import Batch, ContentRow, DropRow, MessageRefRow, MessageRow

ONE, TWO = bytes([1] * 16), bytes([2] * 16)


@pytest.fixture
def stored(bench: Any) -> Path:
    writer = bench.writer(run_id="run", service="shop")
    resource = writer.resource({"service.name": "shop"}, "", b"")
    scope = writer.scope("lib", "1", {"a": 1}, "")
    spans = []
    for number in range(40):
        trace = ONE if number % 2 else TWO
        attributes = {names.GEN_AI_AGENT_NAME: "planner", "note": "n" * 400}
        links = ((trace, (1).to_bytes(8, "big"), "message"),) if number > 2 else ()
        span = bench.span(trace_id=trace, attributes=attributes, links=links, resource=resource, scope=scope)
        spans.append(_with_ids(span))
    digest = bytes(range(16))
    writer.write(
        Batch(
            spans=spans,
            messages=[MessageRow(digest, "user", b'{"role": "user"}')],
            message_refs=[MessageRefRow(ONE, spans[1].span_id, 0, 0, digest)],
            contents=[ContentRow(ONE, spans[1].span_id, "arguments", b'{"q": 1}')],
            drops=[DropRow(ONE, "queue full", 3, 0)],
            dropped=[Dropped("queue full", 3, 0)],
        )
    )
    writer.finish([Dropped("queue full", 3, 0)], 0)
    writer.close()
    return Path(bench.path)


def _with_ids(row: Any) -> Any:
    """The row with a body that says its ids and links, as the recorder's does."""
    from opentelemetry.proto.trace.v1 import trace_pb2

    from tests.conformance.messages import pairs

    body = trace_pb2.Span.FromString(row.body)
    body.trace_id, body.span_id, body.kind = row.trace_id, row.span_id, row.kind
    body.start_time_unix_nano, body.end_time_unix_nano = row.start_ns, row.end_ns
    for trace, span, kind in row.links:
        attributes = pairs({names.MAS_LINK_KIND: kind})
        body.links.append(trace_pb2.Span.Link(trace_id=trace, span_id=span, attributes=attributes))
    row.body = body.SerializeToString()
    return row


@pytest.fixture
def sql(stored: Path) -> Callable[[str], None]:
    """Damage the store by SQL."""

    def run(statement: str) -> None:
        with closing(sqlite3.connect(stored, isolation_level=None)) as connection:
            connection.execute(statement)

    return run
