"""Batches into the store."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from typing import Any

import pytest

from otel_mas.errors import StoreError, StoreLocked
from otel_mas.model import Query, Resource, Scope, SpanKind, StatusCode
from otel_mas.semconv import attributes as names
from otel_mas.store.files import store_descriptors
from otel_mas.store.rows import Batch, ContentRow

TRACE = bytes(range(16))
OTHER = bytes(16)


def test_a_span_comes_back_as_it_was_written(bench: Any) -> None:
    writer = bench.writer()
    attributes = {names.MAS_TASK_ID: "t", names.MAS_TASK_STEP: 2, names.MAS_COST_SIMULATED: True}
    resource = writer.resource({"service.name": "shop", "n": [1, 2]}, "schema", b"")
    scope = writer.scope("lib", "1.2", {"a": True}, "other schema")
    row = bench.span(
        parent_span_id=b"parent..",
        kind=3,
        status=2,
        attributes={**attributes, "foreign": b"bytes"},
        links=((TRACE, b"cause..1", "trigger"), (OTHER, b"cause..2", None)),
        resource=resource,
        scope=scope,
    )
    writer.write(Batch(spans=[row]))
    (span,) = bench.reader().trace(TRACE.hex()).spans
    assert (span.trace_id, span.span_id, span.parent_span_id) == (TRACE.hex(), row.span_id.hex(), b"parent..".hex())
    assert (span.name, span.start_ns, span.end_ns) == (row.name, row.start_ns, row.end_ns)
    assert (span.kind, span.status, span.service) == (SpanKind.CLIENT, StatusCode.ERROR, "shop")
    assert span.columns == attributes
    assert span.attributes == {**attributes, "foreign": b"bytes"}
    assert [(link.trace_id, link.span_id, link.kind) for link in span.links] == [
        (TRACE.hex(), b"cause..1".hex(), "trigger"),
        (OTHER.hex(), b"cause..2".hex(), None),
    ]
    assert span.links[0].attributes == {names.MAS_LINK_KIND: "trigger"}
    assert span.resource == Resource({"service.name": "shop", "n": (1, 2)}, "schema")
    assert span.scope == Scope("lib", "1.2", {"a": True}, "other schema")


def test_the_body_is_not_decoded_until_it_is_asked_for(bench: Any, caplog: pytest.LogCaptureFixture) -> None:
    bench.writer().write(Batch(spans=[bench.span(body=b"\xff not protobuf", attributes={names.MAS_TASK_ID: "t"})]))
    (span,) = bench.reader().trace(TRACE.hex()).spans
    assert (span.task_id, span.links) == ("t", ())
    assert not caplog.records
    assert span.events == ()
    [line] = caplog.messages
    assert line.startswith(f"otel-mas: what span {span.span_id} has beyond its columns cannot be decoded")


def test_bodies_can_be_read_after_the_reader_was_closed(bench: Any) -> None:
    bench.writer().write(Batch(spans=[bench.span(attributes={"a": 1})]))
    reader = bench.reader()
    (span,) = reader.trace(TRACE.hex()).spans
    reader.close()
    assert span.attributes == {"a": 1}
    with pytest.raises(StoreError, match="was closed"):
        reader.trace(TRACE.hex())


def test_store_id_and_digest_key_are_the_same_for_every_opener(bench: Any) -> None:
    first, second = bench.writer(), bench.writer(instance=b"second")
    assert first.store_id == second.store_id == bench.reader().store_id
    assert len(first.digest_key) == 32
    assert first.digest_key == second.digest_key


def test_resources_and_scopes_are_stored_once(bench: Any) -> None:
    writer = bench.writer()
    keys = {writer.resource({"service.name": "a"}, "", b"\n\x00") for _ in range(3)}
    assert len(keys) == 1
    assert writer.resource({"service.name": "b"}, "", b"\n\x01") not in keys
    assert writer.scope("a", "1", {}, "") == bench.writer(instance=b"second").scope("a", "1", {}, "")
    assert writer.scope("a", "1", {}, "") != writer.scope("a", "2", {}, "")


def test_open_spans_are_seen_and_an_end_replaces_them(bench: Any) -> None:
    writer = bench.writer()
    opened = bench.open_span(name="work", attributes={names.MAS_TASK_ID: "t"})
    writer.write(Batch(opened=[opened]))
    (span,) = bench.reader().trace(TRACE.hex()).spans
    assert (span.end_ns, span.name, span.task_id, span.attributes) == (None, "work", "t", {names.MAS_TASK_ID: "t"})
    writer.write(Batch(spans=[bench.span(span_id=opened.span_id)]))
    (span,) = bench.reader().trace(TRACE.hex()).spans
    assert span.end_ns is not None


def test_an_end_beats_a_late_start(bench: Any) -> None:
    writer = bench.writer()
    row = bench.span()
    late = bench.open_span(span_id=row.span_id)
    writer.write(Batch(spans=[row], opened=[late]))
    writer.write(Batch(opened=[late]))
    assert [span.end_ns for span in bench.reader().trace(TRACE.hex()).spans] == [row.end_ns]


def test_a_batch_is_written_whole_or_not_at_all_and_can_be_tried_again(bench: Any) -> None:
    writer = bench.writer()
    batch = Batch(spans=[bench.span()], contents=[ContentRow(TRACE, b"1" * 8, "n", b"{}")])
    saboteur = sqlite3.connect(bench.path)
    saboteur.execute("CREATE TRIGGER stop BEFORE INSERT ON traces BEGIN SELECT raise(ABORT, 'stopped'); END")
    saboteur.commit()
    with pytest.raises(StoreError, match="stopped"):
        writer.write(batch)
    assert bench.reader().traces(Query()) == []
    saboteur.execute("DROP TRIGGER stop")
    saboteur.commit()
    writer.write(batch)
    assert [summary.span_count for summary in bench.reader().traces(Query())] == [1]
    assert len(bench.reader().contents(TRACE.hex())) == 1


def test_one_value_that_sqlite_cannot_hold_does_not_lose_the_batch(bench: Any) -> None:
    writer = bench.writer()
    bad = bench.span(start_ns=2**64 - 1)
    bad = replace(bad, name="lone \ud800", columns={0: ["a", "list"], 1: 2**70})
    writer.write(Batch(spans=[bad, bench.span(name="good")]))
    spans = bench.reader().trace(TRACE.hex()).spans
    assert [span.name for span in spans] == ["good", "lone ?"]
    assert spans[1].columns == {}


def test_the_key_of_a_deleted_trace_is_not_given_again(bench: Any) -> None:
    writer = bench.writer()
    writer.write(Batch(spans=[bench.span(), bench.span(trace_id=b"2" * 16)]))
    store = sqlite3.connect(bench.path)
    before = [key for (key,) in store.execute("SELECT id FROM traces")]
    store.execute("DELETE FROM traces")
    store.commit()
    writer.write(Batch(spans=[bench.span(trace_id=b"3" * 16)]))
    assert store.execute("SELECT id FROM traces").fetchall() == [(max(before) + 1,)]


def test_contents_come_back_in_the_order_in_which_they_were_recorded(bench: Any) -> None:
    writer = bench.writer()
    rows = [
        ContentRow(TRACE, b"span...1", "arguments", b'{"q": 1}'),
        ContentRow(TRACE, b"span...2", "arguments", b'"x"'),
        ContentRow(TRACE, b"span...1", "result", b"null"),
    ]
    writer.write(Batch(contents=rows))
    reader = bench.reader()
    assert [(content.name, content.value) for content in reader.contents(TRACE.hex())] == [
        ("arguments", {"q": 1}),
        ("arguments", "x"),
        ("result", None),
    ]
    assert [content.value for content in reader.contents(TRACE.hex(), b"span...2".hex())] == ["x"]


def test_keys_grow_in_the_order_of_commits(bench: Any) -> None:
    first, second = bench.writer(), bench.writer(instance=b"second")
    for writer in (first, second, first):
        writer.write(Batch(spans=[bench.span(), bench.span()]))
    keys = sqlite3.connect(bench.path).execute("SELECT id, instance FROM spans ORDER BY id").fetchall()
    assert keys == [(1, 1), (2, 1), (3, 2), (4, 2), (5, 1), (6, 1)]


def test_release_lets_go_of_the_file_until_the_next_write(bench: Any) -> None:
    writer = bench.writer()
    writer.release()
    writer.write(Batch(spans=[bench.span()]))
    writer.release()
    assert len(bench.reader().traces(Query())) == 1


def test_an_interruption_ends_one_transaction_wherever_it_is(bench: Any) -> None:
    """Not only one within a statement, as SQLite's own: among busy threads a writer is nearly always between two."""
    writer = bench.writer()
    writer.interrupt()
    with pytest.raises(StoreLocked, match="interrupted"):
        writer.write(Batch(spans=[bench.span()]))
    writer.write(Batch(spans=[bench.span()]))
    assert bench.reader().traces(Query())[0].span_count == 1


def test_an_interruption_ends_the_opening_of_a_store_as_well(bench: Any) -> None:
    writer = bench.writer()
    writer.release()
    before = store_descriptors(bench.path)
    writer.interrupt()
    with pytest.raises(StoreLocked, match="interrupted"):
        writer.write(Batch(spans=[bench.span()]))
    assert store_descriptors(bench.path) == before
    writer.write(Batch(spans=[bench.span()]))
    assert len(bench.reader().traces(Query())) == 1


@pytest.mark.parametrize("released", [True, False])
def test_a_transaction_has_time_until_it_is_interrupted(bench: Any, *, released: bool) -> None:
    writer = bench.writer()
    writer.interrupt(0.0 if released else 3600.0)
    if released:
        writer.release()
    writer.write(Batch(spans=[bench.span()]))
    assert len(bench.reader().traces(Query())) == 1


def test_an_empty_batch_beats_twice_a_second_at_most(bench: Any) -> None:
    writer = bench.writer()
    connection = sqlite3.connect(bench.path)

    def beaten() -> int:
        return connection.execute("SELECT heartbeat_ns FROM instances").fetchone()[0]

    first = beaten()
    bench.now_ns += 499_999_999
    writer.write(Batch())
    assert beaten() == first
    bench.now_ns += 1
    writer.write(Batch())
    assert beaten() == bench.now_ns


def test_links_are_found_from_the_cause(bench: Any) -> None:
    cause, effect = bench.span(), bench.span()
    effect = replace(effect, links=((TRACE, cause.span_id, "send"), (OTHER, b"far away", "message")))
    bench.writer().write(Batch(spans=[cause, effect]))
    rows = sqlite3.connect(bench.path).execute(
        "SELECT span_id, kind, cause_trace_id, cause_span_id FROM span_links ORDER BY kind"
    )
    assert rows.fetchall() == [
        (effect.span_id.hex(), "message", OTHER.hex(), b"far away".hex()),
        (effect.span_id.hex(), "send", TRACE.hex(), cause.span_id.hex()),
    ]
