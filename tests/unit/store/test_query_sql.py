"""Queries read what is in the store, and can do nothing else."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import orjson
import pytest
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from otel_mas.errors import UnsupportedQuery
from otel_mas.semconv import attributes as names
from otel_mas.store import StoreReader
from otel_mas.store.importing import import_spans
from otel_mas.store.query_sql import VIEWS
from otel_mas.store.rows import Batch, ContentRow, MessageRefRow, MessageRow, OpenRow
from tests.conformance.messages import pairs, process
from tests.unit.store.conftest import NOW, SECOND, TRACE, Bench

DIGEST = bytes([7] * 16)


@pytest.fixture
def reader(bench: Bench) -> StoreReader:
    """A span with a message, a content, an event and an attribute of each kind; and an open one."""
    attributes = {
        names.GEN_AI_REQUEST_MODEL: "gpt-5",
        names.GEN_AI_RESPONSE_FINISH_REASONS: ("stop",),
        "n": 3,
        "fraction": 0.5,
        "flag": True,
        "raw": b"\x01",
    }
    writer = bench.writer()
    process = Resource(attributes=pairs({"service.version": "1.2.3"})).SerializeToString()
    resource = writer.resource({"service.name": "shop"}, "", process)
    scope = writer.scope("otel_mas", "1", {}, "")
    row = bench.span(attributes=attributes, start_ns=NOW)
    body = Span.FromString(row.body)
    body.events.append(Span.Event(name="noted", time_unix_nano=NOW + 1))
    row.body, row.resource, row.scope = body.SerializeToString(), resource, scope
    late = OpenRow(TRACE, bytes([9] * 8), row.span_id, "late", 1, NOW + SECOND, {}, resource, scope)
    message = orjson.dumps({"role": "user", "parts": [{"type": "text", "content": "hé"}]})
    writer.write(
        Batch(
            spans=[row],
            opened=[late],
            messages=[MessageRow(DIGEST, "user", message)],
            message_refs=[MessageRefRow(TRACE, row.span_id, 0, 0, DIGEST)],
            contents=[ContentRow(TRACE, row.span_id, names.GEN_AI_TOOL_CALL_RESULT, orjson.dumps({"a": 1}))],
        )
    )
    return bench.reader()


def one(reader: StoreReader, query: str, *parameters: Any) -> Any:
    ((value,),) = reader.sql(query, parameters).rows
    return value


@pytest.mark.parametrize(
    ("name", "value"),
    [
        (names.GEN_AI_REQUEST_MODEL, "gpt-5"),
        (names.GEN_AI_RESPONSE_FINISH_REASONS, '["stop"]'),
        ("n", 3),
        ("fraction", 0.5),
        ("flag", 1),
        ("raw", b"\x01"),
        ("none of them", None),
    ],
)
def test_attributes_are_read_from_the_bytes(reader: StoreReader, name: str, value: object) -> None:
    assert one(reader, "SELECT attribute(body, ?) FROM spans WHERE status <> 'open'", name) == value


def test_functions_read_messages_contents_and_events(reader: StoreReader) -> None:
    ended = "FROM spans WHERE status <> 'open'"

    assert one(reader, "SELECT message(?)", DIGEST.hex()) == "hé"
    assert one(reader, "SELECT text FROM messages") == "hé"
    assert orjson.loads(one(reader, f"SELECT messages(trace_id, span_id) {ended}"))[0]["text"] == "hé"
    assert one(reader, f"SELECT content(trace_id, span_id, '{names.GEN_AI_TOOL_CALL_RESULT}') {ended}") == '{"a":1}'
    assert orjson.loads(one(reader, f"SELECT events(body) {ended}"))[0]["name"] == "noted"
    assert one(reader, "SELECT name FROM events") == "noted"
    assert one(reader, f"SELECT resource_attribute(resource, 'service.version') {ended}") == "1.2.3"


def test_messages_that_imported_spans_carry_are_found_by_digest(tmp_path: Path) -> None:
    sent = [{"role": "user", "parts": [{"type": "text", "content": "Trams?"}]}]
    for number in (1, 2):
        told = pairs(
            {names.MAS_INPUT_MESSAGES: (f"{number:032x}",), names.GEN_AI_INPUT_MESSAGES: orjson.dumps(sent).decode()}
        )
        carrying = Span(trace_id=bytes([number] * 16), span_id=bytes([1] * 8), name="chat", attributes=told)
        import_spans(tmp_path / "s.db", [process({"service.name": "shop"}, [carrying])])

    with StoreReader(tmp_path / "s.db") as reader:
        assert one(reader, "SELECT message(?)", f"{1:032x}") == "Trams?"
        assert one(reader, "SELECT message(?)", "f" * 32) is None
        rows = reader.sql("SELECT text, message(digest) FROM messages").rows
    assert rows == [("Trams?", "Trams?")] * 2


def test_times_are_iso_and_durations_milliseconds(reader: StoreReader) -> None:
    ((start, duration),) = reader.sql("SELECT start, duration_ms FROM spans WHERE status <> 'open'").rows

    assert (start, duration) == ("2027-01-15T08:00:00.000000000Z", 1000.0)


def test_open_spans_are_among_the_spans(reader: StoreReader) -> None:
    assert reader.sql('SELECT name, "end", body FROM spans WHERE status = ?', ["open"]).rows == [("late", None, None)]
    assert one(reader, "SELECT status FROM traces") == "running"


@pytest.mark.parametrize("view", VIEWS)
def test_every_view_can_be_read_and_has_the_columns_that_are_listed(reader: StoreReader, view: str) -> None:
    assert list(reader.sql(f"SELECT * FROM {view}").columns) == list(reader.sql_names().views[view])


@pytest.mark.parametrize(
    "query",
    [
        "DELETE FROM main.spans",
        "UPDATE main.traces SET name = 'x'",
        "INSERT INTO main.facets VALUES (1, 'a', 'b')",
        "CREATE TABLE x (y)",
        "CREATE TEMP TABLE x (y)",
        "CREATE TEMP VIEW x AS SELECT 1",
        "DROP VIEW temp.traces",
        "ATTACH 'other.db' AS other",
        "DETACH main",
        "VACUUM INTO 'copy.db'",
        "PRAGMA user_version = 3",
        "PRAGMA writable_schema = ON",
        "SELECT * FROM pragma_table_info('spans')",
        "SELECT load_extension('x')",
        "BEGIN",
        "SAVEPOINT x",
        "ANALYZE",
        "REINDEX",
        "SELECT value FROM store",
        "SELECT value FROM main.store WHERE name = 'digest_key'",
        "WITH key AS (SELECT * FROM store) SELECT * FROM key",
        "SELECT zeroblob(1000000000)",
        "EXPLAIN DELETE FROM main.spans",
    ],
)
def test_nothing_but_reading_is_allowed(reader: StoreReader, query: str, tmp_path: Path) -> None:
    before = hashlib.sha256(reader.path.read_bytes()).digest()
    files = set(Path.cwd().iterdir())

    with pytest.raises(UnsupportedQuery):
        reader.sql(query)

    assert hashlib.sha256(reader.path.read_bytes()).digest() == before
    assert set(Path.cwd().iterdir()) == files


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ("SELECT absent FROM spans", "no such column: absent"),
        ("SELECT * FROM span", "no such table: span"),
        ("SELEC 1", "syntax error"),
        ("", "no query"),
        ("-- nothing", "no query"),
        ("SELECT 1; SELECT 2", "one statement"),
        ("SELECT ?", "bindings"),
        ("SELECT attribute(body) FROM spans", "wrong number of arguments"),
        ("SELECT '\ud800'", "cannot be run"),
    ],
)
def test_an_error_is_one_line_that_names_views_and_says_where_the_rest_is(
    reader: StoreReader, query: str, reason: str
) -> None:
    with pytest.raises(UnsupportedQuery, match=reason) as error:
        reader.sql(query)

    message = str(error.value)
    assert "\n" not in message
    assert reason == "cannot be run" or ("the views are traces, spans" in message and "`otel-mas sql` alone" in message)
    assert ("it is attribute(body, name)" in message) == ("attribute(body)" in query)
    assert len(message) < 220


def test_a_limit_says_that_there_are_more(reader: StoreReader) -> None:
    assert (reader.sql("SELECT name FROM spans", limit=1).more, reader.sql("SELECT 1", limit=1).more) == (True, False)


def test_bytes_that_are_no_span_answer_nothing(reader: StoreReader) -> None:
    assert reader.sql("SELECT attribute(x'ff', 'a'), events(x'ff'), attribute(3, 'a'), text(x'7b')").rows == [
        (None, None, None, None)
    ]
