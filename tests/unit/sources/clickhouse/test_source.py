"""Questions to a real engine: what it refuses becomes a line with advice, and no value of a query is taken for SQL."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from otel_mas.errors import SourceError, TraceNotFound, UnsupportedQuery
from otel_mas.model import Query, TraceSummary
from otel_mas.semconv import attributes as names
from otel_mas.sources import Source, open_source
from tests.backends.clickhouse import ClickHouse

NOW_S = int(time.time())
ODD = "it's \\ a\ttab\nline {x:String} '); DROP TABLE otel_traces; --"

TABLES = (
    """CREATE TABLE {table} (
    Timestamp DateTime64(9), TraceId String, SpanId String, ParentSpanId String, TraceState String,
    SpanName LowCardinality(String), SpanKind LowCardinality(String), ServiceName LowCardinality(String),
    ResourceAttributes Map(LowCardinality(String), String), ScopeName String, ScopeVersion String,
    SpanAttributes Map(LowCardinality(String), String), Duration UInt64, StatusCode LowCardinality(String),
    StatusMessage String,
    Events Nested (
        Timestamp DateTime64(9), Name LowCardinality(String), Attributes Map(LowCardinality(String), String)),
    Links Nested (TraceId String, SpanId String, TraceState String, Attributes Map(LowCardinality(String), String))
) ENGINE = MergeTree PARTITION BY toDate(Timestamp) ORDER BY (ServiceName, SpanName, toDateTime(Timestamp))""",
    """CREATE TABLE {table}_trace_id_ts (TraceId String, Start DateTime, End DateTime)
ENGINE = MergeTree PARTITION BY toDate(Start) ORDER BY (TraceId, Start)""",
    """CREATE MATERIALIZED VIEW {table}_trace_id_ts_mv TO {table}_trace_id_ts AS
SELECT TraceId, min(Timestamp) AS Start, max(Timestamp) AS End FROM {table} WHERE TraceId != '' GROUP BY TraceId""",
)
"""The columns of the Collector's exporter, whose own statements the tests of deploy/collector run."""

SPANS = """INSERT INTO {table} (Timestamp, TraceId, SpanId, SpanName, SpanKind, ServiceName, ResourceAttributes,
    SpanAttributes, Duration, StatusCode)
SELECT fromUnixTimestamp64Nano(toInt64({start} * 1000000000 - number * {apart} * 1000000000)),
    leftPad(lower(hex(number + {first})), 32, '0'), leftPad(lower(hex(number + 1)), 16, '0'), 'run', 'Internal',
    'service', map('service.name', 'service'),
    mapUpdate(map('gen_ai.operation.name', 'invoke_agent', 'gen_ai.usage.input_tokens', '7'), map({attributes})),
    toUInt64({duration}), 'Unset'
FROM numbers({count})"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClickHouse]:
    with ClickHouse(tmp_path_factory.mktemp("clickhouse")) as made:
        _make(made, "otel_traces")
        _fill(made, "otel_traces", start=NOW_S, apart=60, count=300)
        odd = ODD.replace("\\", "\\\\").replace("'", "\\'")
        _fill(made, "otel_traces", start=NOW_S - 10, first=1000, count=1, attributes=f"'gen_ai.agent.name', '{odd}'")
        _make(made, "others")
        made.execute("CREATE TABLE json_traces AS others")
        made.execute("ALTER TABLE json_traces DROP COLUMN SpanAttributes")
        made.execute("CREATE TABLE json_traces_trace_id_ts AS others_trace_id_ts")
        made.execute("INSERT INTO json_traces_trace_id_ts VALUES ('00', now(), now())")
        yield made


@pytest.fixture
def source(server: ClickHouse) -> Iterator[Source]:
    opened = open_source(f"clickhouse://{server.address}")
    yield opened
    opened.close()


def _make(server: ClickHouse, table: str) -> None:
    for statement in TABLES:
        server.execute(statement.format(table=table))


def _fill(server: ClickHouse, table: str, **values: object) -> None:
    given = {"first": 1, "apart": 0, "attributes": "'x', 'y'", "duration": 1_000_000, **values}
    server.execute(SPANS.format(table=table, **given))


def _numbers(found: list[TraceSummary]) -> list[int]:
    return [int(one.trace_id, 16) for one in found]


def test_a_list_is_the_newest_traces_whatever_the_windows_that_find_them(source: Source) -> None:
    found = list(source.traces(Query(limit=250, attributes=(("x", "y"),))))

    assert _numbers(found) == list(range(1, 251))
    assert found[0].span_count == 1


def test_a_list_goes_on_past_candidates_that_do_not_match(source: Source) -> None:
    """Conditions that SQL leaves open are checked on the spans, page by page."""
    since = (NOW_S - 200 * 60) * 10**9

    assert list(source.traces(Query(status="ok", max_duration_ns=0))) == []
    assert _numbers(list(source.traces(Query(since_ns=since, until_ns=since)))) == [201]


def test_traces_that_started_in_the_same_second_are_all_listed(server: ClickHouse) -> None:
    _fill(server, "others", start=NOW_S, count=150)

    with_ties = open_source(f"clickhouse://{server.address}/default/others")

    assert sorted(_numbers(list(with_ties.traces(Query(limit=500))))) == list(range(1, 151))


def test_an_old_trace_among_many_is_found(server: ClickHouse) -> None:
    """A hundred thousand traces over ten weeks: windows and their numbers of traces grow on the way back to it."""
    _make(server, "many")
    _fill(server, "many", start=NOW_S, apart=60, count=100_000)
    _fill(server, "many", start=NOW_S - 99_000 * 60, first=200_000, count=1, attributes="'gen_ai.agent.name', 'one'")
    many = open_source(f"clickhouse://{server.address}/default/many")

    assert _numbers(list(many.traces(Query(agent="one")))) == [200_000]
    assert _numbers(list(many.traces(Query(until_ns=(NOW_S - 99_990 * 60) * 10**9)))) == list(range(99_991, 100_001))
    assert list(many.traces(Query(agent="nobody"))) == []


def test_values_of_a_query_are_values(source: Source) -> None:
    assert _numbers(list(source.traces(Query(agent=ODD)))) == [1000]
    assert list(source.traces(Query(agent=ODD + "\0"))) == []
    assert list(source.traces(Query(attributes=((ODD, ODD),)))) == []


def test_numbers_of_the_registry_are_numbers_again(source: Source) -> None:
    (span,) = source.trace(f"{1:032x}").spans

    assert span.attributes[names.GEN_AI_USAGE_INPUT_TOKENS] == 7
    assert span.attributes["x"] == "y"


def test_many_traces_are_read_together(source: Source) -> None:
    wanted = [f"{number:032x}" for number in range(1, 251)]

    assert [trace.trace_id for trace in source.read_each(wanted)] == wanted  # type: ignore[attr-defined]
    with pytest.raises(TraceNotFound):
        list(source.read_each([f"{5000:032x}"]))  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("{there}/nowhere", "has no table nowhere.otel_traces, or none nowhere.otel_traces_trace_id_ts"),
        ("{there}/default/missing", "has no table default.missing"),
        ("{there}/default/json_traces", "Map columns"),
        ("{there}/a/b/c", "names more than a database and a table"),
    ],
)
def test_a_table_that_is_not_there_or_other_is_named(server: ClickHouse, target: str, message: str) -> None:
    with pytest.raises(SourceError, match=message):
        open_source("clickhouse://" + target.format(there=server.address)).traces(Query())


def test_a_password_is_asked_for_and_taken_from_the_headers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with ClickHouse(tmp_path, password="open sesame") as server:
        _make(server, "otel_traces")
        with pytest.raises(SourceError, match="X-ClickHouse-User"):
            open_source(f"clickhouse://{server.address}").traces(Query())

        monkeypatch.setenv("OTEL_MAS_SOURCE_HEADERS", "X-ClickHouse-Key=open%20sesame")
        assert list(open_source(f"clickhouse://{server.address}").traces(Query())) == []


def test_what_only_a_store_knows_is_refused(source: Source) -> None:
    with pytest.raises(UnsupportedQuery):
        source.traces(Query(status="running"))
    with pytest.raises(UnsupportedQuery):
        source.traces(Query(ended_since_ns=1))
