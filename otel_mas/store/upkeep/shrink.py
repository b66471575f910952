"""Making a store smaller: deleting traces, and giving back the space."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

from otel_mas.errors import NotAStore, StoreFull
from otel_mas.model import TraceSummary
from otel_mas.store.connection import open_for_reading, open_for_writing, translated_errors
from otel_mas.store.liveness import refuse_while_recording
from otel_mas.store.retention import delete_traces

WAL, SHM = "-wal", "-shm"


def size_on_disk(path: Path) -> int:
    """Bytes of the store's file and of its write-ahead log."""
    files = [path.with_name(path.name + suffix) for suffix in ("", WAL)]
    return sum(one.stat().st_size for one in files if one.exists())


def compact(path: str | os.PathLike[str], *, clock: Callable[[], int] = time.time_ns) -> tuple[int, int]:
    """Write the file anew without its free pages (`VACUUM`), and empty the write-ahead log.

    Returns:
        Bytes on the disk before and after.

    Raises:
        StoreLocked: a process records into it, or reads from it all the while.
        StoreFull: the disk has no room for the copy that is made meanwhile.
        NotAStore, StoreTooNew, StoreReadOnly, StoreCorrupt, StoreError
    """
    path = _existing(path)
    before = size_on_disk(path)
    with closing(open_for_writing(path)) as connection, translated_errors(path):
        refuse_while_recording(connection, path, clock())
        needed = 2 * before
        if shutil.disk_usage(path.parent).free < needed:
            raise StoreFull(f"compacting the store at {path} takes {needed:,} bytes of free disk: free some")
        connection.execute("VACUUM")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    return before, size_on_disk(path)


def prune(
    path: str | os.PathLike[str], traces: Sequence[TraceSummary], *, clock: Callable[[], int] = time.time_ns
) -> int:
    """Delete these traces, with all that only they need, and shorten the file. A trace that still runs stays.

    Returns:
        How many were deleted.

    Raises:
        StoreLocked: a process records into it.
        NotAStore, StoreTooNew, StoreReadOnly, StoreCorrupt, StoreError
    """
    path = _existing(path)
    with closing(open_for_writing(path)) as connection, translated_errors(path):
        refuse_while_recording(connection, path, clock())
        return delete_traces(connection, [bytes.fromhex(one.trace_id) for one in traces], clock())


def used_per_trace(path: str | os.PathLike[str]) -> dict[str, int]:
    """About how many bytes each trace takes: of its spans' bodies and contents."""
    path = Path(path).expanduser()
    with closing(open_for_reading(path)) as connection, translated_errors(path):
        rows = connection.execute(
            "SELECT t.trace_id, (SELECT coalesce(sum(length(body) + 400), 0) FROM spans s WHERE s.trace = t.id) + "
            "(SELECT coalesce(sum(length(value) + 40), 0) FROM contents c WHERE c.trace = t.id) FROM traces t"
        )
        return {trace_id.hex(): size for trace_id, size in rows}


def _existing(path: str | os.PathLike[str]) -> Path:
    path = Path(path).expanduser()
    if not path.exists():
        raise NotAStore(f"there is no store at {path}: record one with `otel-mas run -- python app.py`")
    return path
