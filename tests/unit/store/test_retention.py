"""The caps: what goes, what stays, and that the file becomes smaller."""

from __future__ import annotations

import os
import sqlite3
from typing import Any

from otel_mas.model import Query
from otel_mas.semconv import attributes as names
from otel_mas.store.rows import Batch, ContentRow, MessageRefRow, MessageRow

SECOND = 1_000_000_000
DAY = 86_400 * SECOND
MIB = 1024 * 1024


def _trace(number: int) -> bytes:
    return number.to_bytes(16, "big")


def _size(bench: Any) -> int:
    return sum(file.stat().st_size for file in bench.path.parent.iterdir() if not file.name.endswith("-shm"))


def _left(bench: Any) -> list[int]:
    return [int(summary.trace_id, 16) for summary in bench.reader().traces(Query(limit=-1))]


def _large(bench: Any, number: int, **given: Any) -> Any:
    return bench.span(trace_id=_trace(number), body=os.urandom(10_000), start_ns=bench.now_ns + number, **given)


def test_past_the_size_cap_the_oldest_traces_go_and_the_file_shrinks(bench: Any) -> None:
    writer = bench.writer(max_bytes=2 * MIB)
    for number in range(600):
        writer.write(Batch(spans=[_large(bench, number)]))
    assert _size(bench) > 4 * MIB
    deleted = writer.retain()
    left = _left(bench)
    assert left == sorted(left, reverse=True)
    assert left[0] == 599
    assert 0 < deleted == 600 - len(left)
    assert MIB < _size(bench) <= 2 * MIB


def test_under_the_caps_nothing_goes(bench: Any) -> None:
    writer = bench.writer(max_bytes=100 * MIB, max_age_ns=DAY)
    writer.write(Batch(spans=[_large(bench, number) for number in range(10)]))
    assert writer.retain() == 0
    assert len(_left(bench)) == 10


def test_traces_past_the_age_cap_go(bench: Any) -> None:
    writer = bench.writer(max_age_ns=30 * DAY)
    for number in range(40):
        writer.write(Batch(spans=[bench.span(trace_id=_trace(number))]))
        bench.now_ns += DAY
    assert writer.retain() == 10
    assert _left(bench) == list(range(39, 9, -1))
    assert writer.retain() == 0


def test_a_running_trace_stays_however_old_and_large(bench: Any) -> None:
    writer = bench.writer(max_bytes=MIB // 2, max_age_ns=DAY)
    opened = bench.open_span(trace_id=_trace(1))
    writer.write(Batch(spans=[_large(bench, 1) for _ in range(100)], opened=[opened]))
    bench.now_ns += 40 * DAY
    writer.write(Batch())
    assert writer.retain() == 0
    assert _left(bench) == [1]
    bench.now_ns += DAY  # nobody has heard of its process since
    assert bench.writer(instance=b"another", max_age_ns=DAY).retain() == 1


def test_everything_that_belongs_to_a_trace_goes_with_it(bench: Any) -> None:
    writer = bench.writer(max_age_ns=DAY)
    digests = {"old": b"old message.....", "shared": b"shared message..", "new": b"new message....."}

    def record(number: int, *messages: str) -> None:
        row = bench.span(
            trace_id=_trace(number),
            links=((_trace(number), b"cause...", "send"), (_trace(99), b"cause...", None)),
            attributes={names.GEN_AI_AGENT_NAME: "agent"},
        )
        writer.write(
            Batch(
                spans=[row],
                messages=[MessageRow(digests[name], "user", b"{}") for name in messages],
                message_refs=[
                    MessageRefRow(row.trace_id, row.span_id, 0, place, digests[name])
                    for place, name in enumerate(messages)
                ],
                contents=[ContentRow(row.trace_id, row.span_id, "arguments", b"{}")],
            )
        )

    record(1, "old", "shared")
    bench.now_ns += 2 * DAY
    record(2, "shared", "new")
    assert writer.retain() == 1
    assert writer.forgotten() == {digests["old"]}
    assert set(bench.reader().messages(digest.hex() for digest in digests.values())) == {
        digests["shared"].hex(),
        digests["new"].hex(),
    }
    connection = sqlite3.connect(bench.path)
    tables = ("spans", "links", "facets", "trace_instances", "contents", "message_lists", "trace_messages", "traces")
    for table in tables:
        key = "id" if table == "traces" else "trace"
        assert connection.execute(f"SELECT DISTINCT {key} FROM {table}").fetchall() == [(2,)], table


def test_a_deleted_message_that_is_referred_to_again_is_missing(bench: Any) -> None:
    writer = bench.writer(max_age_ns=DAY)
    digest = b"system prompt..."
    ref = MessageRefRow(_trace(1), b"span....", 0, 0, digest)
    writer.write(Batch(messages=[MessageRow(digest, "system", b"{}")], message_refs=[ref]))
    bench.now_ns += 2 * DAY
    # By another process, so that this one has not deleted it itself.
    bench.writer(instance=b"another", max_age_ns=DAY).retain()
    assert writer.forgotten() == frozenset()
    writer.write(Batch(message_refs=[ref]))
    assert writer.forgotten() == {digest}


def test_messages_without_a_reference_are_deleted_after_a_while(bench: Any) -> None:
    writer = bench.writer(max_age_ns=DAY)
    writer.write(Batch(messages=[MessageRow(b"d" * 16, "user", b"{}")], spans=[bench.span()]))
    bench.now_ns += 2 * DAY
    writer.write(Batch(messages=[MessageRow(b"e" * 16, "user", b"{}")]))
    writer.retain()
    assert set(bench.reader().messages([(b"d" * 16).hex(), (b"e" * 16).hex()])) == {(b"e" * 16).hex()}


def test_a_writer_that_slept_for_a_month_still_writes_spans_with_their_resource(bench: Any) -> None:
    sleeper = bench.writer(instance=b"sleeper")
    resource = sleeper.resource({"service.name": "sleeper"}, "", b"")
    bench.now_ns += 30 * DAY
    other = bench.writer(instance=b"other", max_age_ns=DAY)
    other.write(Batch(spans=[bench.span(trace_id=_trace(1))]))
    bench.now_ns += 2 * DAY
    assert other.retain() == 1
    connection = sqlite3.connect(bench.path)
    assert connection.execute("SELECT count(*) FROM instances").fetchone() == (1,)
    sleeper.write(Batch(spans=[bench.span(trace_id=_trace(2), resource=resource)]))
    (span,) = bench.reader().trace(_trace(2).hex()).spans
    assert (span.service, span.resource.attributes) == ("sleeper", {"service.name": "sleeper"})


def test_a_reader_in_the_middle_of_a_snapshot_does_not_stop_retention(bench: Any) -> None:
    writer = bench.writer(max_bytes=MIB)
    writer.write(Batch(spans=[_large(bench, number) for number in range(300)]))
    reader = sqlite3.connect(bench.path, isolation_level=None)
    reader.execute("BEGIN")
    assert reader.execute("SELECT count(*) FROM spans").fetchone() == (300,)
    assert writer.retain() > 0
    assert reader.execute("SELECT count(*) FROM spans").fetchone() == (300,)
    reader.execute("COMMIT")
    writer.write(Batch(spans=[_large(bench, 1000)]))
    writer.retain()
    assert len(_left(bench)) < 300
