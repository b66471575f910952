"""The spans of a trace as columns: they say what the objects say that are made of them."""

from __future__ import annotations

import shutil
import sqlite3
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from otel_mas.causal import build
from otel_mas.errors import StoreCorrupt
from otel_mas.model import ObjectSpanTable, Span, SpanKind, SpanTable, StatusCode, Trace
from otel_mas.semconv import attributes as names
from otel_mas.store.columns import ATTRIBUTES
from otel_mas.store.rows import Batch, OpenRow, SpanRow

TRACE, OTHER = bytes(range(16)), bytes(16)

IDS = st.integers(1, 9).map(lambda number: number.to_bytes(8, "big"))
LINKS = st.tuples(st.sampled_from([TRACE, OTHER]), IDS, st.sampled_from(["trigger", "send", "resume", None]))
ATTRIBUTES_OF_ONE = st.fixed_dictionaries(
    {},
    optional={
        names.MAS_TASK_ID: st.sampled_from(["t1", "t2", ""]),
        names.MAS_TASK_NAME: st.sampled_from(["a", "b"]),
        names.MAS_TASK_STEP: st.integers(0, 3),
        names.MAS_TASK_OUTCOME: st.sampled_from(["ok", "interrupted", "error"]),
        names.MAS_COST_USD: st.sampled_from([0.0, 1.0, 0.5]),
        names.MAS_COST_SIMULATED: st.booleans(),
        names.MAS_CAUSE_REFS: st.just(("send|task|t1",)),
    },
)
ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "span_id": IDS,
            "parent_span_id": st.none() | IDS,
            "start_ns": st.integers(0, 4),
            "end_ns": st.integers(0, 6),
            "kind": st.integers(0, 5),
            "status": st.integers(0, 2),
            "attributes": ATTRIBUTES_OF_ONE,
            "links": st.lists(LINKS, max_size=3).map(tuple),
            "ended": st.sampled_from([True, True, True, False]),
        }
    ),
    max_size=8,
    unique_by=lambda row: row["span_id"],
)


def _links(span: Span) -> list[tuple[str, str, str | None]]:
    return [(link.trace_id, link.span_id, link.kind) for link in span.links]


def _links_of(row: SpanRow | OpenRow) -> list[tuple[str, str, str | None]]:
    return [(trace.hex(), cause.hex(), kind) for trace, cause, kind in getattr(row, "links", ())]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=settings().max_examples // 2)
@given(ROWS)
def test_columns_and_graph_are_those_of_the_objects(bench: Any, rows: list[dict[str, Any]]) -> None:
    shutil.rmtree(bench.path.parent, ignore_errors=True)
    writer = bench.writer()
    writer.resource({names.MAS_INSTANCE_ID: "i"}, "", b"")
    ended = [bench.span(**{name: row[name] for name in row if name != "ended"}) for row in rows if row["ended"]]
    left = [
        bench.open_span(**{name: row[name] for name in row if name not in ("ended", "links")})
        for row in rows
        if not row["ended"]
    ]
    last = bench.span(name="one at least", span_id=b"\xff" * 8, start_ns=2)
    writer.write(Batch(spans=[*ended, last], opened=left))
    trace = bench.reader().trace(TRACE.hex())
    table, listed = trace.spans, ObjectSpanTable(tuple(trace.spans))
    assert isinstance(table, SpanTable)
    assert not isinstance(table, ObjectSpanTable)
    assert len(table) == len(rows) + 1
    found = {span.span_id: (span.kind, span.status, span.name, _links(span)) for span in table}
    assert found == {
        row.span_id.hex(): (SpanKind(row.kind), StatusCode(getattr(row, "status", 0)), row.name, _links_of(row))
        for row in (*ended, *left, last)
    }
    assert [table.kinds[number] for number in table.numbers.values()] == [span.kind for span in table]
    assert [table.statuses[number] for number in table.numbers.values()] == [span.status for span in table]
    for name in ("trace_ids", "ids", "numbers", "parents", "starts", "lasts", "open_spans"):
        ours, theirs = getattr(table, name), getattr(listed, name)
        assert (ours if name == "numbers" else list(ours)) == theirs, name
    for name in ATTRIBUTES:
        assert table.column(name) == listed.column(name)
        assert list(table.having(name)) == list(listed.having(name))
    ours, theirs = table.links(), listed.links()
    assert [list(column) for column in (ours.effects, ours.causes, ours.kinds)] == [
        list(column) for column in (theirs.effects, theirs.causes, theirs.kinds)
    ]
    assert ours.in_other_traces == theirs.in_other_traces
    one, other = build([trace]), build([Trace(trace.trace_id, tuple(table))])
    assert (one.edges, one.problems, one.labels()) == (other.edges, other.problems, other.labels())
    assert one.critical_path().sections == other.critical_path().sections


def test_a_span_is_one_object_however_it_is_reached_also_once_the_store_is_closed(bench: Any, write: Any) -> None:
    write(*(bench.span() for _ in range(3)))
    reader = bench.reader()
    spans = reader.trace(TRACE.hex()).spans
    reader.close()
    first, second, third = spans
    assert (spans[0], spans[-1], spans[1:]) == (first, third, [second, third])
    assert build([Trace(TRACE.hex(), spans)]).span(second.span_id) is second
    with pytest.raises(IndexError):
        spans[3]


def test_links_of_a_span_that_is_gone_are_damage(bench: Any, write: Any) -> None:
    write(bench.span(), bench.span(links=((TRACE, b"somebody", "send"),))).close()
    connection = sqlite3.connect(bench.path)
    connection.execute("DELETE FROM spans WHERE id = 2")
    connection.commit()
    connection.close()
    with pytest.raises(StoreCorrupt, match="links of a span that the store lacks"):
        bench.reader().trace(TRACE.hex())
