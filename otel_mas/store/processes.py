"""Recording processes by their heartbeats, and the store's disk."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Sequence
from pathlib import Path

from otel_mas.model.processes import ProcessFigures, RecordingProcess, StoreDisk
from otel_mas.store.journal import journal_bytes
from otel_mas.store.liveness import FRESH_NS
from otel_mas.store.retention import used_bytes

_PROCESSES = """
SELECT service, run_id, started_ns, heartbeat_ns, finished_ns, rss_bytes, cpu, queue_spans, queue_limit, loop_lag_ns,
       (SELECT count(*) FROM open_spans o WHERE o.instance = i.id),
       (SELECT coalesce(sum(spans), 0) FROM drops d WHERE d.instance = i.id)
FROM instances i WHERE coalesce(finished_ns, heartbeat_ns) >= ? ORDER BY heartbeat_ns DESC
"""


def read_processes(connection: sqlite3.Connection, since_ns: int, now_ns: int) -> Sequence[RecordingProcess]:
    """The processes that showed a sign of life since a time, the latest first."""
    return [
        RecordingProcess(
            service=service,
            run_id=run_id,
            started_ns=started_ns,
            heartbeat_ns=heartbeat_ns,
            alive=finished_ns is None and heartbeat_ns >= now_ns - FRESH_NS,
            finished=finished_ns is not None,
            open_spans=open_spans,
            dropped=dropped,
            figures=ProcessFigures(
                rss_bytes=rss, cpu=cpu, queue_spans=queue, queue_limit=queue_limit, loop_lag_ns=loop_lag_ns
            ),
        )
        for (service, run_id, started_ns, heartbeat_ns, finished_ns), (rss, cpu, queue, queue_limit, loop_lag_ns), (
            open_spans,
            dropped,
        ) in ((row[:5], row[5:10], row[10:]) for row in connection.execute(_PROCESSES, (since_ns,)))
    ]


def read_disk(connection: sqlite3.Connection, path: Path, cap_bytes: int) -> StoreDisk:
    """Sizes of the store at a path, and of its disk."""
    usage = shutil.disk_usage(path.parent)
    return StoreDisk(
        store_bytes=used_bytes(connection) + journal_bytes(path),
        cap_bytes=cap_bytes,
        free_bytes=usage.free,
        total_bytes=usage.total,
    )


__all__ = ["read_disk", "read_processes"]
