"""Spans that are written more than once."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from otel_mas.model import Query
from otel_mas.semconv import attributes as names
from otel_mas.semconv.enums import RecordKind
from otel_mas.store.rows import Batch

TRACE = bytes(range(16))


def _llm(tokens: int, **more: Any) -> dict[str, Any]:
    return {names.MAS_RECORD_KIND: str(RecordKind.LLM_CALL), names.GEN_AI_USAGE_INPUT_TOKENS: tokens, **more}


def test_an_identical_duplicate_is_counted_and_changes_nothing(bench: Any) -> None:
    writer = bench.writer()
    row = bench.span(attributes=_llm(10), links=((TRACE, b"cause...", "send"),))
    writer.write(Batch(spans=[row, row]))
    writer.write(Batch(spans=[row, bench.span()]))
    reader = bench.reader()
    (summary,) = reader.traces(Query())
    assert (summary.span_count, summary.input_tokens) == (2, 10)
    first, _ = reader.trace(TRACE.hex()).spans
    assert len(first.links) == 1
    assert sqlite3.connect(bench.path).execute("SELECT duplicates FROM spans").fetchall() == [(2,), (0,)]


def test_differing_duplicates_are_kept_and_read_as_one(bench: Any) -> None:
    writer = bench.writer()
    row = bench.span(name="old", attributes=_llm(10, **{names.MAS_TASK_ID: "t"}), links=((TRACE, b"cause..1", "send"),))
    later = bench.span(span_id=row.span_id, name="new", attributes=_llm(15), links=((TRACE, b"cause..2", "send"),))
    writer.write(Batch(spans=[row, later]))
    last = bench.span(span_id=row.span_id, name="newest", attributes={names.MAS_RECORD_KIND: "LLM_CALL", "x": 1})
    writer.write(Batch(spans=[last]))
    reader = bench.reader()
    (span,) = reader.trace(TRACE.hex()).spans
    assert span.name == "newest"
    assert span.columns == _llm(15, **{names.MAS_TASK_ID: "t"})
    assert span.attributes == {**span.columns, "x": 1}
    assert {link.span_id for link in span.links} == {b"cause..1".hex(), b"cause..2".hex()}
    (summary,) = reader.traces(Query())
    assert (summary.name, summary.span_count, summary.input_tokens) == ("newest", 1, 15)
    rows = sqlite3.connect(bench.path).execute("SELECT id, version FROM spans ORDER BY id").fetchall()
    assert [version for _, version in rows] == [1, 2, 0]


def test_spans_of_other_kinds_and_processes_with_one_id_stay_apart(bench: Any) -> None:
    row = bench.span(kind=2)
    bench.writer().write(Batch(spans=[row, replace(row, kind=3)]))
    bench.writer(instance=b"second").write(Batch(spans=[row]))
    assert len(bench.reader().trace(TRACE.hex()).spans) == 3


@settings(max_examples=settings().max_examples // 6, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 2)), min_size=1, max_size=12), st.integers(1, 12))
def test_a_summary_is_the_same_however_often_spans_are_sent(bench: Any, sent: list[tuple[int, int]], size: int) -> None:
    """Each (span, version) of `sent`, in batches of `size`: the summary counts each span once, with its last tokens."""
    trace_id = bench.span().span_id * 2
    rows = [
        bench.span(
            trace_id=trace_id, span_id=bytes(7) + bytes([n]), name=f"{n}.{v}", start_ns=bench.now_ns, attributes=_llm(v)
        )
        for n, v in sent
    ]
    writer = bench.writer(instance=trace_id)
    for start in range(0, len(rows), size):
        writer.write(Batch(spans=rows[start : start + size]))
    latest: dict[int, int] = {}
    seen: set[tuple[int, int]] = set()
    for n, v in sent:
        if (n, v) not in seen:  # one that came before changes nothing when it comes again
            latest[n] = v
        seen.add((n, v))
    (summary,) = [one for one in bench.reader().traces(Query(limit=-1)) if one.trace_id == trace_id.hex()]
    assert (summary.span_count, summary.input_tokens) == (len(latest), sum(latest.values()))
    spans = bench.reader().trace(trace_id.hex()).spans
    assert {span.name for span in spans} == {f"{n}.{v}" for n, v in latest.items()}
    writer.close()
