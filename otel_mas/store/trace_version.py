"""Versions of traces: a value that changes with everything that is added to one, found without reading its spans."""

from __future__ import annotations

import sqlite3
from typing import Any

_VERSION = """
SELECT t.spans, t.incomplete, (SELECT max(id) FROM spans WHERE trace = :trace),
  (SELECT max(id) FROM contents WHERE trace = :trace), (SELECT max(id) FROM message_lists WHERE trace = :trace),
  (SELECT group_concat(drops.spans) FROM trace_drops drops WHERE drops.trace = :trace),
  (SELECT count(*) FROM open_spans WHERE trace = :trace), (SELECT sum(id) FROM open_spans WHERE trace = :trace),
  (SELECT sum(i.finished_ns IS NOT NULL OR i.heartbeat_ns < :fresh_ns) FROM open_spans o
   JOIN instances i ON i.id = o.instance WHERE o.trace = :trace)
FROM traces t WHERE t.id = :trace
"""


def trace_version(connection: sqlite3.Connection, trace: int, fresh_ns: int) -> tuple[Any, ...]:
    """The version of a trace by its key.

    Args:
        fresh_ns: a process whose last heartbeat is older is gone.
    """
    found: tuple[Any, ...] = connection.execute(_VERSION, {"trace": trace, "fresh_ns": fresh_ns}).fetchone()
    return found


__all__ = ["trace_version"]
