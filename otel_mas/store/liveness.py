"""Recording processes that are alive: each beats at least once in `FRESH_NS`, and has not finished."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from otel_mas.errors import StoreLocked

FRESH_NS = 15_000_000_000


def refuse_while_recording(connection: sqlite3.Connection, path: Path, now_ns: int) -> None:
    """Raise `StoreLocked` where a process with a fresh heartbeat has not finished."""
    services = connection.execute(
        "SELECT service FROM instances WHERE finished_ns IS NULL AND heartbeat_ns >= ?", (now_ns - FRESH_NS,)
    ).fetchall()
    if services:
        named = ", ".join(sorted({str(service) or "otel-mas serve" for (service,) in services}))
        number = "a process records" if len(services) == 1 else f"{len(services)} processes record"
        raise StoreLocked(f"{number} into the store at {path} now ({named}): try again once that has ended")
