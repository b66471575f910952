"""The write-ahead log while another program keeps a read transaction open."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import Any

import pytest

from otel_mas.errors import StoreJournalFull
from otel_mas.store import retention
from otel_mas.store.health import examine
from otel_mas.store.log_reader import LogReader
from otel_mas.store.retention import journal_bytes
from otel_mas.store.rows import Batch

BOUND = 2**20


@pytest.fixture(autouse=True)
def _bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "MAX_JOURNAL_BYTES", BOUND)


def big(bench: Any) -> Batch:
    return Batch(spans=[bench.span(body=b"\x2a\xe8\x07" + b"n" * 1000) for _ in range(100)])


def test_it_stays_within_its_bound_and_goes_on_when_the_reader_has_ended(bench: Any) -> None:
    writer = bench.writer()
    with closing(sqlite3.connect(bench.path, isolation_level=None)) as foreign:
        foreign.execute("BEGIN")
        foreign.execute("SELECT count(*) FROM spans").fetchone()
        refused = 0
        for _ in range(60):
            try:
                writer.write(big(bench))
            except StoreJournalFull:
                refused += 1
                if refused == 5:
                    break
        assert refused == 5
        assert journal_bytes(bench.path) < BOUND + 2**19
        bench.now_ns += 60 * 10**9
        with pytest.raises(StoreJournalFull, match="another program keeps a read transaction open"):
            writer.write(big(bench))
        assert len(examine(bench.path, clock=bench.clock).writing) == 1  # it waits, and lives
        foreign.execute("ROLLBACK")
    writer.write(big(bench))
    assert journal_bytes(bench.path) < BOUND


def test_retention_does_not_make_a_log_longer_that_cannot_be_emptied(bench: Any) -> None:
    writer = bench.writer(max_age_ns=1)
    with closing(sqlite3.connect(bench.path, isolation_level=None)) as foreign:
        writer.write(big(bench))
        foreign.execute("BEGIN")
        foreign.execute("SELECT count(*) FROM spans").fetchone()
        while journal_bytes(bench.path) < BOUND:
            writer.write(big(bench))
        bench.now_ns += 60 * 10**9
        assert writer.retain() == 0
    assert writer.retain() == 1


def test_reading_the_log_keeps_no_transaction_open_while_its_caller_takes_its_time(bench: Any) -> None:
    writer = bench.writer()
    writer.write(big(bench))
    reader = LogReader(bench.path)
    rows = reader.trace(bytes(range(16)).hex())
    keys = [next(rows).key]
    writer.write(big(bench))
    with closing(sqlite3.connect(bench.path)) as other:
        busy, *_ = other.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    assert not busy
    keys += [row.key for row in rows]
    assert keys == list(range(1, 101))
    reader.close()
