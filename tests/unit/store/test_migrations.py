"""From one layout to the next."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest

from otel_mas.errors import StoreError
from otel_mas.store import connection as opening
from otel_mas.store import migrations
from otel_mas.store.connection import translated_errors
from otel_mas.store.migrations import migrate
from otel_mas.store.rows import Batch


def _second(connection: sqlite3.Connection) -> None:
    connection.execute("CREATE TABLE second (a)")


def _broken(connection: sqlite3.Connection) -> None:
    connection.execute("CREATE TABLE third (a)")
    raise sqlite3.OperationalError("broken")


def _layouts(monkeypatch: pytest.MonkeyPatch, *more: Any) -> None:
    steps = (*migrations.MIGRATIONS, *more)
    monkeypatch.setattr(migrations, "MIGRATIONS", steps)
    monkeypatch.setattr(migrations, "VERSION", len(steps))
    monkeypatch.setattr(opening, "VERSION", len(steps))


def test_an_older_store_is_migrated_with_its_spans(bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.writer().write(Batch(spans=[bench.span()]))
    before = migrations.VERSION
    _layouts(monkeypatch, _second)
    bench.writer(instance=b"newer")
    connection = sqlite3.connect(bench.path)
    assert connection.execute("PRAGMA user_version").fetchone() == (before + 1,)
    assert connection.execute("SELECT count(*) FROM spans").fetchone() == (1,)
    assert connection.execute("SELECT count(*) FROM second").fetchone() == (0,)


def test_a_migration_that_fails_leaves_the_layout_before_it(bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.writer().close()
    before = migrations.VERSION
    _layouts(monkeypatch, _second, _broken)
    with pytest.raises(StoreError, match="broken"):
        bench.writer()
    connection = sqlite3.connect(bench.path)
    assert connection.execute("PRAGMA user_version").fetchone() == (before + 1,)
    assert connection.execute("SELECT name FROM sqlite_master WHERE name = 'third'").fetchone() is None


def test_a_full_disk_is_reported_as_one(tmp_path: Path) -> None:
    path = tmp_path / "runs.db"
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA max_page_count = 3")
    with (
        pytest.raises(StoreError, match=r"no space left on the disk .*: free some, or record"),
        translated_errors(path),
    ):
        migrate(connection)
    connection.close()


def test_destinations_lose_the_query_of_their_url_and_keep_their_cursors(bench: Any) -> None:
    bench.writer().close()
    connection = sqlite3.connect(bench.path, isolation_level=None)
    connection.executemany(
        "INSERT INTO destinations (name, added_ns, start, cursor, error) VALUES (?, 1, 0, ?, ?)",
        [
            ("otlp+http:http://h:80/v1/traces?api_key=k3yInTheQuery", 7, "k3yInTheQuery failed"),
            ("otlp+http:http://h:80/v1/traces?api_key=k3yRotated", 9, None),
            ("otlp+http:http://h:80/v1/traces", 5, None),
            ("file:/a?b", 3, None),
        ],
    )
    migrations.m0006_masked_destinations(connection)
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert connection.execute("SELECT name, cursor FROM destinations ORDER BY cursor").fetchall() == [
        ("file:/a?b", 3),
        ("otlp+http:http://h:80/v1/traces", 5),
        ("otlp+http:http://h:80/v1/traces?***", 9),
    ]
    assert b"k3y" not in bench.path.read_bytes()
