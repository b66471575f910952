"""The filters of traces: in SQL as in `SummaryBuilder`, and by an index wherever there is one."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from otel_mas.model import Query, SummaryBuilder
from otel_mas.model.query import attribute_text
from otel_mas.semconv import attributes as names
from otel_mas.store.rows import Batch
from otel_mas.store.summaries import statement_of

MS = 1_000_000
WORDS = ("a", "b", "true", "2")
FIELDS = (
    names.GEN_AI_OPERATION_NAME,
    names.GEN_AI_TOOL_NAME,
    names.GEN_AI_REQUEST_MODEL,
    names.GEN_AI_RESPONSE_MODEL,
    names.ERROR_TYPE,
    names.GEN_AI_AGENT_NAME,
)
_values = st.one_of(st.sampled_from(WORDS), st.booleans(), st.sampled_from((2, 2.0, 2.5, 0, -0.0)), st.just(("a", "c")))
_attributes = st.fixed_dictionaries(
    {}, optional={**{name: st.sampled_from(WORDS) for name in FIELDS}, "odd": _values, names.USER_ID: _values}
)
_spans = st.lists(st.tuples(st.integers(0, 3), _attributes, st.integers(0, 9), st.integers(0, 9)), max_size=8)


def _queries(now_ns: int) -> st.SearchStrategy[Query]:
    text = st.one_of(st.none(), st.sampled_from(WORDS))
    time = st.one_of(st.none(), st.integers(-2, 20).map(lambda ms: now_ns + ms * MS))
    length = st.one_of(st.none(), st.integers(0, 12).map(lambda ms: ms * MS))
    pairs = st.tuples(
        st.sampled_from(("odd", names.USER_ID, names.GEN_AI_TOOL_NAME, "version")), st.sampled_from(WORDS)
    )
    return st.builds(
        Query,
        **dict.fromkeys(("operation", "tool", "model", "error_type", "agent"), text),
        **dict.fromkeys(("since_ns", "until_ns", "ended_since_ns"), time),
        **dict.fromkeys(("min_duration_ns", "max_duration_ns"), length),
        attributes=st.lists(pairs, max_size=2).map(tuple),
        limit=st.just(100_000),  # the store keeps the traces of all examples
    )


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(data=st.data())
def test_the_store_finds_the_traces_that_a_count_of_their_spans_matches(bench: Any, data: Any) -> None:
    number = next(bench._ids)
    writer = bench.writer(instance=number.to_bytes(16, "big"))
    resources = [writer.resource({"version": version}, "", b"") for version in ("a", "2")]
    rows = [
        bench.span(
            trace_id=bytes([trace]) * 4 + number.to_bytes(12, "big"),
            start_ns=bench.now_ns + start * MS,
            end_ns=bench.now_ns + (start + lasted) * MS,
            attributes=attributes,
            resource=resources[trace % 2],
        )
        for trace, attributes, start, lasted in data.draw(_spans)
    ]
    writer.write(Batch(spans=rows))
    writer.close()
    query = data.draw(_queries(bench.now_ns))
    reader = bench.reader()
    ours = {row.trace_id.hex() for row in rows}

    found = {summary.trace_id for summary in reader.traces(query)} & ours

    assert found == {
        trace_id
        for trace_id in ours
        if SummaryBuilder.of(reader.trace(trace_id), query.attributes).matches(query)
    }  # fmt: skip


def _plan(bench: Any, query: Query) -> str:
    with bench.reader()._snapshot() as connection:
        statement, values = statement_of(connection, query, bench.now_ns)
        return "\n".join(row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {statement}", values))


@pytest.mark.parametrize("field", ["service", "agent", "conversation_id", "operation", "tool", "model", "error_type"])
def test_what_spans_name_is_found_by_the_index_of_facets_without_a_look_at_any_span(bench: Any, field: str) -> None:
    bench.writer().write(Batch(spans=[bench.span()]))

    plan = _plan(bench, Query(**{field: "x"}))

    assert "SEARCH f USING PRIMARY KEY (trace=? AND facet=? AND value=?)" in plan
    assert "spans" not in plan.replace("open_spans", "")


@pytest.mark.parametrize("query", [Query(since_ns=1), Query(until_ns=1), Query(since_ns=1, until_ns=2)])
def test_times_are_found_by_the_index_of_starts(bench: Any, query: Query) -> None:
    bench.writer().write(Batch(spans=[bench.span()]))

    assert "SEARCH t USING INDEX traces_start" in _plan(bench, query)


def test_an_attribute_is_looked_for_in_the_spans_of_each_trace_by_the_index_of_traces(bench: Any) -> None:
    bench.writer().write(Batch(spans=[bench.span()]))

    assert "SEARCH p USING INDEX spans_identity (trace=?)" in _plan(bench, Query(attributes=(("odd", "a"),)))


def test_an_open_span_is_found_by_its_columns_and_its_process(bench: Any) -> None:
    writer = bench.writer()
    resource = writer.resource({"service.version": "2"}, "", b"")
    writer.write(Batch(opened=[bench.open_span(attributes={names.GEN_AI_TOOL_NAME: "dig"}, resource=resource)]))
    reader = bench.reader()

    def finds(**asked: Any) -> bool:
        return bool(reader.traces(Query(status="running", **asked)))

    assert finds(tool="dig")
    assert finds(attributes=((names.GEN_AI_TOOL_NAME, "dig"), ("service.version", "2")))
    assert not finds(attributes=(("service.version", "3"),))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    value=st.one_of(
        st.text(max_size=5), st.booleans(), st.integers(-(2**63), 2**63 - 1), st.integers(-3, 3), st.floats(),
        st.integers(-5, 5).map(float), st.sampled_from((-0.0, 1e300, 2.0**63)),
    ),
    in_array=st.booleans(),
)  # fmt: skip
def test_every_scalar_is_found_by_its_text(bench: Any, value: Any, in_array: bool) -> None:
    number = next(bench._ids)
    writer = bench.writer(instance=number.to_bytes(16, "big"))
    trace_id = number.to_bytes(16, "big")
    writer.write(Batch(spans=[bench.span(trace_id=trace_id, attributes={"odd": ("x", value) if in_array else value})]))
    writer.close()
    text = attribute_text(value)
    assert text is not None

    found = {summary.trace_id for summary in bench.reader().traces(Query(attributes=(("odd", text),), limit=1_000))}

    assert trace_id.hex() in found


def test_a_damaged_body_has_no_attribute(bench: Any) -> None:
    writer = bench.writer()
    writer.resource({"version": "2"}, "", b"version \xff")
    row = bench.span(attributes={"odd": "a"})
    row.body += b"\xff"
    writer.write(Batch(spans=[row]))

    assert bench.reader().traces(Query(attributes=(("odd", "a"),))) == []
    assert bench.reader().traces(Query(attributes=(("version", "2"),))) == []
