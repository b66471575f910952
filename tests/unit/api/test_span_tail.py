"""The log of a store for others: from a cursor on, in the order of commits, with what retention took away."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import otel_mas
from otel_mas.errors import UnsupportedQuery
from otel_mas.store.rows import Batch
from tests.unit.store.conftest import Bench


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path / "runs.db", now_ns=time.time_ns())
    made.writer(instance=b"first").write(Batch(spans=[made.span(name="before")]))
    yield made
    made.close()


def test_a_reader_goes_on_where_another_one_was(bench: Bench) -> None:
    writer = bench.writer()
    with otel_mas.open(bench.path) as source:
        with source.tail() as tail:
            assert tail.poll() is None
            writer.write(Batch(spans=[bench.span(name="a"), bench.span(name="b")]))
            changes = tail.poll()
            assert changes is not None
            assert [span.name for span in changes.ended] == ["a", "b"]
            assert changes.cursor == tail.cursor
            assert tail.poll() is None
            cursor = tail.cursor
        writer.write(Batch(spans=[bench.span(name="c")]))
    with otel_mas.open(bench.path) as source, source.tail(cursor) as tail:
        changes = tail.poll()
        assert changes is not None
        assert [span.name for span in changes.ended] == ["c"]


def test_open_spans_come_first_to_whoever_begins(bench: Bench) -> None:
    bench.writer().write(Batch(opened=[bench.open_span(name="running")]))
    with otel_mas.open(bench.path) as source, source.tail() as tail:
        changes = tail.poll()
        assert changes is not None
        assert [span.name for span in changes.opened] == ["running"]
        assert len(changes.running) == 1


def test_many_spans_come_in_parts_without_a_gap(bench: Bench) -> None:
    with otel_mas.open(bench.path) as source:
        cursor = source.tail().cursor
        bench.writer().write(Batch(spans=[bench.span(name=f"s{number}") for number in range(4_500)]))
        found = []
        with source.tail(cursor) as tail:
            for changes in tail:
                found += [span.name for span in changes.ended]
                if not changes.more:
                    tail.close()

    assert found == [f"s{number}" for number in range(4_500)]


async def test_a_loop_waits_for_what_comes(bench: Bench) -> None:
    writer = bench.writer()
    found: list[str] = []
    with otel_mas.open(bench.path) as source, source.tail() as tail:
        writer.write(Batch(spans=[bench.span(name="a")]))
        async for changes in tail:
            found += [span.name for span in changes.ended]
            if found == ["a"]:
                writer.write(Batch(spans=[bench.span(name="b")]))
            else:
                break

    assert found == ["a", "b"]


def test_a_cursor_of_another_store_or_version_is_refused(bench: Bench, store: Path) -> None:
    with otel_mas.open(store) as other, otel_mas.open(bench.path) as source:
        foreign = other.tail().cursor
        for cursor in (foreign, "2" + foreign[1:], "x", source.tail().cursor + "0000"):
            with pytest.raises(UnsupportedQuery, match="cursor"):
                source.tail(cursor)


def test_spans_that_retention_took_away_are_told_of(bench: Bench) -> None:
    with otel_mas.open(bench.path) as source:
        cursor = source.tail().cursor
        writer = bench.writer()
        writer.write(Batch(spans=[bench.span(name="gone"), bench.span(name="kept", trace_id=bytes(16))]))
        _delete(bench.path, ("before", "gone"))
        with source.tail(cursor) as tail:
            changes = tail.poll()
            assert changes is not None
            assert changes.lost
            assert [span.name for span in changes.ended] == ["kept"]


def _delete(path: Path, names: tuple[str, ...]) -> None:
    import sqlite3
    from contextlib import closing

    with closing(sqlite3.connect(path)) as connection, connection:
        connection.executemany("DELETE FROM spans WHERE name = ?", [(name,) for name in names])


def test_a_file_has_no_log(tmp_path: Path) -> None:
    archive = next((Path(__file__).resolve().parents[2] / "answers").glob("*.jsonl.gz"))
    with otel_mas.open(archive) as source, pytest.raises(UnsupportedQuery, match="only a local store has"):
        source.tail()
