"""Sending again what a destination has accepted: a backend may lose its data."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass

from otel_mas.errors import DestinationError, TraceNotFound
from otel_mas.store.log import Lease, Log, LogChunk, Progress

_FOREVER_NS = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Selection:
    """Spans that were open at any time from `since_ns` to `until_ns`, of traces whose id begins with `trace`."""

    since_ns: int = 0
    until_ns: int = _FOREVER_NS
    trace: str = ""


class Resend(Log):
    """The log before the cursor of a destination, without the spans that it refused. Cursor, counts and lease stay."""

    def __init__(
        self, path: str | os.PathLike[str], selection: Selection, *, clock: Callable[[], int] = time.time_ns
    ) -> None:
        super().__init__(path, clock=clock)
        self._selection = selection
        self._after = 0

    def lease(self, destination: str, owner: str, seconds: float) -> Lease:
        return Lease(destination, owner, 0)

    def renew(self, lease: Lease, seconds: float) -> None: ...

    def give_back(self, lease: Lease) -> None: ...

    def failed(self, lease: Lease, reason: str) -> None: ...

    def advance(self, lease: Lease, chunk: LogChunk, upto: int, progress: Progress) -> None:
        self._after = upto

    def read(self, destination: str, server: str, spans: int, size: int, content: int = 0) -> LogChunk | None:
        chosen = self._selection
        with self.transaction("DEFERRED") as connection:
            found = connection.execute(
                "SELECT id, cursor, start, history FROM destinations WHERE name = ?", (destination,)
            ).fetchone()
            if found is None:
                raise DestinationError(f"nothing was ever shipped from {self.path} to {destination}")
            key, cursor, start, history = found
            pattern = f"{chosen.trace.lower()}%"
            traces = "SELECT id FROM traces WHERE lower(hex(trace_id)) LIKE ?"
            if chosen.trace and connection.execute(f"{traces} LIMIT 1", (pattern,)).fetchone() is None:
                raise TraceNotFound(f"there is no trace {chosen.trace} in {self.path}: `otel-mas traces` lists them")
            return self.chunk(
                connection,
                server,
                self._after,
                cursor,
                (spans, size, content),
                "(id > ? OR id <= ?) AND end_ns >= ? AND start_ns <= ? "
                "AND id NOT IN (SELECT span FROM rejections WHERE destination = ?)"
                + (f" AND trace IN ({traces})" if chosen.trace else ""),
                (start, history or 0, chosen.since_ns, chosen.until_ns, key, *([pattern] if chosen.trace else [])),
            )
