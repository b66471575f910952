"""The local store as a source."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import ClassVar, Final

from otel_mas.model import Trace
from otel_mas.model.processes import RecordingProcess, StoreDisk
from otel_mas.sources.base import Capabilities
from otel_mas.sources.spans_only import FILTERS
from otel_mas.store import StoreReader
from otel_mas.store.files import SQLITE_MAGIC, header
from otel_mas.store.liveness import FRESH_NS
from otel_mas.store.many import read_some
from otel_mas.store.migrations import APPLICATION_ID
from otel_mas.store.processes import read_disk, read_processes
from otel_mas.store.tail import StoreTail

_APPLICATION_ID: Final = slice(68, 72)
"""Bytes of it in the header of an SQLite file."""


class StoreSource(StoreReader):
    """Reads the SQLite file that recording writes; opens it read-only."""

    reads: ClassVar[str] = "a local store (SQLite file)"
    capabilities = Capabilities(
        filters=FILTERS, id_prefixes=True, conversations=True, content=True, runs=True, local=True
    )

    def __init__(self, path: str | Path) -> None:
        super().__init__(path)
        self.location = str(path)

    def processes(self, since_ns: int) -> Sequence[RecordingProcess]:
        """The processes that showed a sign of life since a time, the latest first."""
        with self._snapshot() as connection:
            return read_processes(connection, since_ns, self._clock())

    def disk(self, cap_bytes: int) -> StoreDisk:
        """Sizes of the store and of its disk."""
        with self._snapshot() as connection:
            return read_disk(connection, self.path, cap_bytes)

    def tail(self, trace_id: str | None = None, *, from_start: bool = False, after: str | None = None) -> StoreTail:
        """Spans that are committed from now on, after those of the running traces, of one trace, or all so far."""
        return StoreTail(self.path, trace_id, from_start=from_start, after=after)

    def columns_of(self, trace_ids: Sequence[str]) -> Iterator[Trace]:
        """These traces, in this order; those that are gone are left out. Other reads may come in between."""
        left = list(trace_ids)
        while left:
            with self._snapshot() as connection:
                found = list(read_some(connection, left, self._body, self._clock() - FRESH_NS))
            yield from (trace for trace in found if trace is not None)
            del left[: len(found)]

    @classmethod
    def recognises(cls, path: Path) -> bool:
        try:
            head = header(path, _APPLICATION_ID.stop)
        except OSError:
            return False
        return head.startswith(SQLITE_MAGIC) and int.from_bytes(head[_APPLICATION_ID]) == APPLICATION_ID

    @classmethod
    def open(cls, target: str) -> StoreSource:
        return cls(Path(target).expanduser())
