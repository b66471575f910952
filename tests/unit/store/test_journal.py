"""The write-ahead log: its bound while another program keeps a read transaction open, and who checkpoints."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from typing import Any

import pytest

from otel_mas.errors import StoreJournalFull
from otel_mas.store import journal
from otel_mas.store.health import examine
from otel_mas.store.journal import Checkpointer, journal_bytes
from otel_mas.store.log_reader import LogReader
from otel_mas.store.rows import Batch

BOUND = 2**20


@pytest.fixture(autouse=True)
def _bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "MAX_JOURNAL_BYTES", BOUND)


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


def test_a_checkpointer_moves_what_others_commit(bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A commit does not: the file would stay as small as it was created."""
    monkeypatch.setattr(journal, "_CHECKPOINT_BYTES", 100_000)
    writer = bench.writer(autocheckpoint=False)
    writer.write(big(bench))
    created = bench.path.stat().st_size
    checkpointer = Checkpointer(bench.path)
    try:
        checkpointer.committed(99_999)
        checkpointer.committed(1)
        deadline = time.monotonic() + 6
        while bench.path.stat().st_size < created + 100_000:
            assert time.monotonic() < deadline
            time.sleep(0.005)
    finally:
        checkpointer.close(60)
    writer.write(big(bench))


def test_without_a_checkpointer_a_commit_comes_to_it_in_the_end(bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "JOURNAL_LIMIT", BOUND // 2)
    monkeypatch.setattr(journal, "checkpoint", lambda *_: pytest.fail("the log was emptied, which waits for readers"))
    writer = bench.writer(autocheckpoint=False)
    for _ in range(30):
        writer.write(big(bench))
        assert journal_bytes(bench.path) < BOUND
    assert bench.path.stat().st_size > 2 * BOUND


def test_a_checkpointer_of_a_store_that_was_removed_ends_in_peace(bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "_CHECKPOINT_BYTES", 1)
    bench.writer().write(big(bench))
    checkpointer = Checkpointer(bench.path)
    bench.path.unlink()
    checkpointer.committed(1)
    checkpointer.close(60)
    assert not bench.path.exists()
