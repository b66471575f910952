"""The log as a queue: what a destination gets, who may ship, and what is remembered."""

from __future__ import annotations

from typing import Any

import pytest

from otel_mas.errors import NotAStore
from otel_mas.store.log import LeaseLost, Log, LogChunk, Progress
from otel_mas.store.log_reader import LogReader
from otel_mas.store.rows import Batch, SpanRow

SECOND = 1_000_000_000
EVERYTHING = 10**9


@pytest.fixture
def log(bench: Any) -> Log:
    bench.writer().close()
    return Log(bench.path, clock=bench.clock)


def shippable(bench: Any, count: int = 1, **more: Any) -> list[SpanRow]:
    return [bench.span(**{"sampled": True, "may_ship": True, **more}) for _ in range(count)]


def write(bench: Any, *rows: SpanRow, instance: bytes = b"instance") -> None:
    writer = bench.writer(instance=instance)
    writer.write(Batch(spans=list(rows)))
    writer.close()


def read(log: Log, name: str = "a", server: str = "", spans: int = 100, size: int = EVERYTHING) -> LogChunk | None:
    return log.read(name, server, spans, size)


def acknowledge(log: Log, piece: LogChunk, name: str = "a", upto: int | None = None, **progress: int) -> None:
    lease = log.lease(name, "me", 10)
    assert lease is not None
    log.advance(lease, piece, piece.upto if upto is None else upto, Progress(**progress))


def bodies(piece: LogChunk | None) -> list[bytes]:
    return [] if piece is None else [row.body for row in piece.rows]


def test_a_destination_gets_spans_committed_after_it_is_known(bench: Any, log: Log) -> None:
    write(bench, *shippable(bench, 2))
    assert log.add("a") == 2
    assert read(log) is None
    after = shippable(bench, 1)
    write(bench, *after)

    assert bodies(read(log)) == [after[0].body]


def test_from_the_start_it_gets_all(bench: Any, log: Log) -> None:
    rows = shippable(bench, 2)
    write(bench, *rows)

    assert log.add("a", from_start=True) == 0
    assert bodies(read(log)) == [row.body for row in rows]


def test_history_that_is_asked_for_later_comes_once_and_after_new_spans(bench: Any, log: Log) -> None:
    old, new = shippable(bench, 2), shippable(bench, 1)
    write(bench, *old)
    log.add("a")
    write(bench, *new)
    log.add("a", from_start=True)

    first = read(log)
    assert first is not None
    assert bodies(first) == [new[0].body]
    acknowledge(log, first)
    second = read(log)
    assert second is not None
    assert second.is_history
    assert bodies(second) == [row.body for row in old]
    acknowledge(log, second)
    assert read(log) is None
    log.add("a", from_start=True)
    assert read(log) is None


def test_unacknowledged_spans_are_read_again(bench: Any, log: Log) -> None:
    log.add("a")
    rows = shippable(bench, 3)
    write(bench, *rows)
    piece = read(log)
    assert piece is not None
    acknowledge(log, piece, upto=piece.rows[0].key)

    assert bodies(read(log)) == [row.body for row in rows[1:]]
    again = Log(bench.path, clock=bench.clock)
    assert bodies(read(again)) == [row.body for row in rows[1:]]
    again.close()


def test_without_consent_a_span_stays_and_is_counted(bench: Any, log: Log) -> None:
    log.add("a")
    consenting = shippable(bench)[0]
    write(bench, bench.span(sampled=False, may_ship=True), bench.span(sampled=True, may_ship=False), consenting)

    piece = read(log)
    assert bodies(piece) == [consenting.body]
    assert piece is not None
    assert piece.not_consented == 2


def test_only_the_latest_version_of_a_span_is_shipped(bench: Any, log: Log) -> None:
    log.add("a")
    older = shippable(bench)[0]
    newer = bench.span(span_id=older.span_id, name="newer", sampled=True, may_ship=True)
    write(bench, older)
    write(bench, newer)

    assert bodies(read(log)) == [newer.body]


@pytest.mark.parametrize(("spans", "size"), [(2, EVERYTHING), (100, 2)])
def test_a_piece_is_bounded_in_spans_and_bytes_and_has_one_at_least(
    bench: Any, log: Log, spans: int, size: int
) -> None:
    log.add("a")
    write(bench, *shippable(bench, 5))
    found = []
    while piece := read(log, spans=spans, size=size):
        found.append(len(piece.rows))
        acknowledge(log, piece)

    assert found == ([2, 2, 1] if spans == 2 else [1] * 5)


def test_spans_exported_by_the_app_are_not_shipped_to_the_same_server(bench: Any, log: Log) -> None:
    log.add("a")
    before, after, other = shippable(bench), shippable(bench), shippable(bench)
    write(bench, *before)
    log.exports_itself(b"instance", ["here:otlp"])
    write(bench, *after)
    write(bench, *other, instance=b"another process")

    piece = read(log, server="here:otlp")
    assert bodies(piece) == [before[0].body, other[0].body]
    assert piece is not None
    assert piece.exported_by_app == 1
    assert len(bodies(read(log, server="there:otlp"))) == 3


def test_one_owner_at_a_time_until_the_lease_ends(bench: Any, log: Log) -> None:
    log.add("a")
    mine = log.lease("a", "me", 10)
    assert mine is not None
    assert log.lease("a", "you", 10) is None
    assert log.lease("a", "me", 10) == mine
    bench.now_ns += 11 * SECOND
    yours = log.lease("a", "you", 10)

    assert yours is not None
    assert yours.epoch > mine.epoch


def test_without_the_lease_nothing_can_be_acknowledged(bench: Any, log: Log) -> None:
    log.add("a")
    write(bench, *shippable(bench))
    mine = log.lease("a", "me", 10)
    piece = read(log)
    bench.now_ns += 11 * SECOND
    log.lease("a", "you", 10)

    assert mine is not None
    assert piece is not None
    with pytest.raises(LeaseLost):
        log.advance(mine, piece, piece.upto, Progress(shipped=1))
    with pytest.raises(LeaseLost):
        log.renew(mine, 10)
    assert bodies(read(log)) == bodies(piece)


def test_a_lease_that_ran_out_is_a_new_one_even_for_its_owner(bench: Any, log: Log) -> None:
    log.add("a")
    first = log.lease("a", "me", 10)
    bench.now_ns += 11 * SECOND
    second = log.lease("a", "me", 10)

    assert first is not None
    assert second is not None
    assert second.epoch == first.epoch + 1


def test_a_lease_given_before_the_clock_was_set_back_is_void(bench: Any, log: Log) -> None:
    log.add("a")
    log.lease("a", "me", 10)
    bench.now_ns -= 24 * 3600 * SECOND

    assert log.lease("a", "you", 10) is not None


def test_a_lease_that_is_given_back_is_free_at_once(bench: Any, log: Log) -> None:
    log.add("a")
    mine = log.lease("a", "me", 10)
    assert mine is not None
    log.give_back(mine)

    assert log.lease("a", "you", 10) is not None
    log.give_back(mine)  # no longer mine: nothing happens
    assert log.lease("a", "me", 10) is None


def test_spans_deleted_before_they_are_shipped_are_counted_as_lost(bench: Any, log: Log) -> None:
    log.add("a")
    rows = shippable(bench, 3)
    write(bench, *rows, bench.span(sampled=True, may_ship=False))
    first = read(log, spans=1)
    assert first is not None
    acknowledge(log, first, shipped=1)
    bench.now_ns += 3600 * SECOND
    writer = bench.writer(max_age_ns=60 * SECOND)
    assert writer.retain() == 1
    writer.close()

    (status,) = statuses(bench)
    assert status.lost == 2
    assert read(log) is None


def test_spans_deleted_while_they_are_sent_are_not_lost(bench: Any, log: Log) -> None:
    log.add("a")
    write(bench, *shippable(bench, 3))
    piece = read(log)
    assert piece is not None
    bench.now_ns += 3600 * SECOND
    writer = bench.writer(max_age_ns=60 * SECOND)
    writer.retain()
    writer.close()
    acknowledge(log, piece, shipped=3)

    (status,) = statuses(bench)
    assert (status.shipped, status.lost) == (3, 0)


def test_the_status_of_a_destination(bench: Any, log: Log) -> None:
    write(bench, *shippable(bench, 2))
    log.add("a")
    rows = shippable(bench, 3)
    write(bench, *rows)
    piece = read(log, spans=1)
    assert piece is not None
    acknowledge(log, piece, shipped=1, withheld=4)
    lease = log.lease("a", "me", 10)
    assert lease is not None
    log.failed(lease, "down")
    log.add("a", from_start=True)
    bench.now_ns = rows[1].end_ns + 5 * SECOND

    (status,) = statuses(bench)
    assert (status.name, status.waiting, status.behind_ns, status.history_waiting) == ("a", 2, 5 * SECOND, 2)
    assert (status.shipped, status.withheld, status.error, status.shipping) == (1, 4, "down", True)


def test_a_sent_span_clears_the_last_error(bench: Any, log: Log) -> None:
    log.add("a")
    write(bench, *shippable(bench))
    lease = log.lease("a", "me", 10)
    piece = read(log)
    assert lease is not None
    assert piece is not None
    log.failed(lease, "down")
    log.advance(lease, piece, piece.upto, Progress(shipped=1))

    assert statuses(bench)[0].error is None


def test_a_trace_can_be_read_without_a_destination(bench: Any) -> None:
    rows = [bench.span(), bench.span()]
    write(bench, *rows)
    reader = LogReader(bench.path)

    assert [row.body for row in reader.trace(rows[0].trace_id.hex())] == [row.body for row in rows]
    assert list(reader.trace("00" * 16)) == []
    reader.close()


def test_a_log_makes_no_store(bench: Any) -> None:
    with pytest.raises(NotAStore, match="no store"):
        Log(bench.path)
    assert not bench.path.exists()


def test_after_a_release_the_next_call_opens_it_again(bench: Any, log: Log) -> None:
    log.add("a")
    log.release()

    assert log.lease("a", "me", 10) is not None


def statuses(bench: Any) -> list[Any]:
    reader = LogReader(bench.path, clock=bench.clock)
    try:
        return reader.destinations()
    finally:
        reader.close()
