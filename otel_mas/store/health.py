"""How a store is: what is in it, who records into it, what was lost, and whether it is damaged. Reads only."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from otel_mas.model.dropped import Dropped
from otel_mas.store.connection import open_for_reading, reading
from otel_mas.store.drops import read_dropped
from otel_mas.store.liveness import FRESH_NS
from otel_mas.store.redacted import read_redacted

_STEPS = 20_000  # of SQLite's virtual machine between two looks at the clock


@dataclass(frozen=True, slots=True)
class Process:
    """One that records, or did."""

    service: str
    run_id: str | None
    heartbeat_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreHealth:
    """What `examine` found. Times are ns since the epoch.

    `damage` is what SQLite says of it, None where it says nothing; `checked` is whether all of the file was looked at.
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


def examine(
    path: str | os.PathLike[str],
    *,
    clock: Callable[[], int] = time.time_ns,
    timeout_s: float = 2.0,
    check_s: float = 2.0,
) -> StoreHealth:
    """Look at the store.

    Args:
        clock: now; decides which processes count as alive.
        timeout_s: how long to wait for a lock.
        check_s: how long to look for damage; a large file is then not looked at to its end.

    Raises:
        NotAStore, StoreTooNew, StoreReadOnly, StoreLocked, StoreCorrupt, StoreError
    """
    path = Path(path).expanduser()
    connection = open_for_reading(path, timeout_s)
    try:
        with reading(path):
            connection.execute("BEGIN")
            return _examined(connection, clock() - FRESH_NS, check_s)
    finally:
        connection.close()


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
    pages = _pragma(connection, "page_count") - _pragma(connection, "freelist_count")
    return StoreHealth(
        layout=_pragma(connection, "user_version"),
        used_bytes=pages * _pragma(connection, "page_size"),
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
    """What `quick_check` finds in the time there is, and whether that was enough for the whole file."""
    deadline = time.monotonic() + check_s
    connection.set_progress_handler(lambda: time.monotonic() > deadline, _STEPS)
    try:
        said = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
        return (None if said == "ok" else " ".join(str(said).split())), True
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode != sqlite3.SQLITE_INTERRUPT:
            raise
        return None, False
    finally:
        connection.set_progress_handler(None, 0)


def _pragma(connection: sqlite3.Connection, name: str) -> int:
    return int(connection.execute(f"PRAGMA {name}").fetchone()[0])
