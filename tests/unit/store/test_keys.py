"""The digest key of a store, for threads that must not wait."""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path

import pytest

from otel_mas.errors import StoreLocked
from otel_mas.store import StoreWriter
from otel_mas.store.keys import stored_key


def _writer(path: Path, key: bytes) -> StoreWriter:
    return StoreWriter(
        path, instance_id=b"i" * 16, run_id=None, service="s", max_bytes=2**30, max_age_ns=10**18, digest_key=key
    )


def test_a_store_has_the_key_of_its_creator(tmp_path: Path) -> None:
    path = tmp_path / "runs.db"
    assert stored_key(path) is None
    for key in (b"1" * 32, b"2" * 32):
        writer = _writer(path, key)
        assert writer.digest_key == stored_key(path) == b"1" * 32
        writer.close()


def test_a_store_that_cannot_be_read_now_is_not_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "runs.db"
    holder = sqlite3.connect(path)
    holder.execute("CREATE TABLE t (x)")
    holder.execute("PRAGMA locking_mode = EXCLUSIVE")
    holder.execute("BEGIN EXCLUSIVE")
    holder.execute("INSERT INTO t VALUES (1)")
    began = time.monotonic()
    with pytest.raises(StoreLocked):
        stored_key(path)
    assert time.monotonic() - began < 4  # sqlite3 itself waits for 5 s
    holder.close()
