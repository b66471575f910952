"""The state of a store: sizes, counts, recording processes, losses, damage, destinations. Reads only."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, fields
from pathlib import Path

from otel_mas.model.dropped import Dropped
from otel_mas.store.connection import open_for_reading, reading
from otel_mas.store.journal import journal_bytes
from otel_mas.store.liveness import FRESH_NS
from otel_mas.store.log_reader import DestinationStatus, LogReader
from otel_mas.store.losses import read_dropped, read_redacted
from otel_mas.store.retention import pragma, used_bytes

_LOCK_WAIT_S = 2.0
_STEPS = 20_000  # of SQLite's virtual machine between two looks at the clock


@dataclass(frozen=True, slots=True)
class Process:
    """A process that records, or did."""

    service: str
    run_id: str | None
    heartbeat_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreHealth:
    """The result of `examine`. Times are ns since the epoch; `used_bytes` is what is not free inside the file.

    `damage` is SQLite's message, None where it found none; `checked` is whether it looked at all of the file.
    """

    layout: int
    used_bytes: int
    traces: int
    spans: int
    incomplete: int
    oldest_ns: int | None
    newest_ns: int | None
    writing: tuple[Process, ...]
    died: tuple[Process, ...]
    dropped: tuple[Dropped, ...]
    withheld: int
    redacted: Mapping[str, int]
    damage: str | None
    checked: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreStats(StoreHealth):
    """The state of a store, with the sizes of its files and its destinations."""

    path: Path
    file_bytes: int
    wal_bytes: int
    open_spans: int
    messages: int
    destinations: tuple[DestinationStatus, ...]


def drops_of(path: str | os.PathLike[str]) -> list[Dropped]:
    """Spans and contents that recording processes dropped, by reason. Raises StoreError."""
    with reading(Path(path)), closing(open_for_reading(Path(path), _LOCK_WAIT_S)) as connection:
        return read_dropped(connection)


def examine(
    path: str | os.PathLike[str],
    *,
    clock: Callable[[], int] = time.time_ns,
    check_s: float = 2.0,
) -> StoreHealth:
    """Look at the store.

    Args:
        clock: now; decides which processes count as alive.
        check_s: how long to look for damage; a large file is then not looked at to its end.

    Raises:
        NotAStore, StoreTooNew, StoreReadOnly, StoreLocked, StoreCorrupt, StoreError
    """
    path = Path(path).expanduser()
    with closing(open_for_reading(path, _LOCK_WAIT_S)) as connection, reading(path):
        connection.execute("BEGIN")
        return _examined(connection, clock() - FRESH_NS, check_s)


def read_stats(path: str | os.PathLike[str]) -> StoreStats:
    """Count what is in the store. Raises what `examine` raises."""
    path = Path(path).expanduser()
    health = examine(path, check_s=0.0)
    with closing(open_for_reading(path)) as connection, reading(path):
        (messages,) = connection.execute("SELECT count(*) FROM messages").fetchone()
        (opened,) = connection.execute("SELECT count(*) FROM open_spans").fetchone()
    with closing(LogReader(path)) as log:
        destinations = log.destinations()
    return StoreStats(
        **{each.name: getattr(health, each.name) for each in fields(health)},
        path=path,
        file_bytes=path.stat().st_size,
        wal_bytes=journal_bytes(path),
        open_spans=opened,
        messages=messages,
        destinations=tuple(destinations),
    )


def _examined(connection: sqlite3.Connection, fresh_ns: int, check_s: float) -> StoreHealth:
    traces, spans, incomplete, oldest, newest = connection.execute(
        "SELECT count(*), coalesce(sum(spans), 0), "
        "sum(incomplete IS NOT NULL OR EXISTS (SELECT 1 FROM trace_drops WHERE trace = traces.id)), "
        "min(start_ns), max(start_ns) FROM traces"
    ).fetchone()
    (withheld,) = connection.execute("SELECT coalesce(sum(withheld), 0) FROM instances").fetchone()
    unfinished = [
        Process(*row)
        for row in connection.execute(
            "SELECT service, run_id, heartbeat_ns FROM instances WHERE finished_ns IS NULL ORDER BY heartbeat_ns DESC"
        )
    ]
    damage, checked = _damage(connection, check_s)
    return StoreHealth(
        layout=pragma(connection, "user_version"),
        used_bytes=used_bytes(connection),
        traces=traces,
        spans=spans,
        incomplete=incomplete or 0,
        oldest_ns=oldest,
        newest_ns=newest,
        writing=tuple(one for one in unfinished if one.heartbeat_ns >= fresh_ns),
        died=tuple(one for one in unfinished if one.heartbeat_ns < fresh_ns),
        dropped=tuple(read_dropped(connection)),
        withheld=withheld,
        redacted=read_redacted(connection),
        damage=damage,
        checked=checked,
    )


def _damage(connection: sqlite3.Connection, check_s: float) -> tuple[str | None, bool]:
    """The first problem that `quick_check` finds, and whether it had the time for the whole file."""
    deadline = time.monotonic() + check_s
    connection.set_progress_handler(lambda: time.monotonic() > deadline, _STEPS)
    try:
        problem = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
        return (None if problem == "ok" else " ".join(str(problem).split())), True
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode != sqlite3.SQLITE_INTERRUPT:
            raise
        return None, False
    finally:
        connection.set_progress_handler(None, 0)
