"""Statistics of a store: sizes, counts, recording processes, drops, how far its destinations are."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from otel_mas.model.dropped import Dropped
from otel_mas.store.connection import open_for_reading, reading
from otel_mas.store.health import Process, examine
from otel_mas.store.log import DestinationStatus, LogReader


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreStats:
    """Sizes are bytes; `used_bytes` is what is not free inside the file. Times are ns since the epoch."""

    path: Path
    layout: int
    file_bytes: int
    wal_bytes: int
    used_bytes: int
    traces: int
    incomplete: int
    spans: int
    open_spans: int
    messages: int
    oldest_ns: int | None
    newest_ns: int | None
    recording: tuple[Process, ...]
    dropped: tuple[Dropped, ...]
    withheld: int
    redacted: Mapping[str, int]
    destinations: tuple[DestinationStatus, ...]


def read_stats(path: str | os.PathLike[str], *, clock: Callable[[], int] = time.time_ns) -> StoreStats:
    """Count what is in the store.

    Raises:
        NotAStore, StoreTooNew, StoreReadOnly, StoreLocked, StoreCorrupt, StoreError
    """
    path = Path(path).expanduser()
    health = examine(path, clock=clock, check_s=0.0)
    with closing(open_for_reading(path)) as connection, reading(path):
        (messages,) = connection.execute("SELECT count(*) FROM messages").fetchone()
        (opened,) = connection.execute("SELECT count(*) FROM open_spans").fetchone()
    with closing(LogReader(path, clock=clock)) as log:
        destinations = log.destinations()
    wal = path.with_name(path.name + "-wal")
    return StoreStats(
        path=path,
        layout=health.layout,
        file_bytes=path.stat().st_size,
        wal_bytes=wal.stat().st_size if wal.exists() else 0,
        used_bytes=health.used_bytes,
        traces=health.traces,
        incomplete=health.incomplete,
        spans=health.spans,
        open_spans=opened,
        messages=messages,
        oldest_ns=health.oldest_ns,
        newest_ns=health.newest_ns,
        recording=health.writing,
        dropped=health.dropped,
        withheld=health.withheld,
        redacted=health.redacted,
        destinations=tuple(destinations),
    )
