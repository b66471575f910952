"""The local store as a source."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from otel_mas.sources.base import Capabilities
from otel_mas.sources.spans_only import FILTERS
from otel_mas.store import StoreReader
from otel_mas.store.files import SQLITE_MAGIC, header
from otel_mas.store.tail import StoreTail


class StoreSource(StoreReader):
    """Reads the SQLite file that recording writes; opens it read-only."""

    reads: ClassVar[str] = "a local store (SQLite file)"
    capabilities = Capabilities(
        filters=FILTERS, id_prefixes=True, conversations=True, content=True, runs=True, local=True
    )

    def __init__(self, path: str | Path) -> None:
        super().__init__(path)
        self.location = str(path)

    def tail(self, trace_id: str | None = None, *, from_start: bool = False) -> StoreTail:
        """Spans that are committed from now on, after those of the running traces, of one trace, or all so far."""
        return StoreTail(self.path, trace_id, from_start=from_start)

    @classmethod
    def recognises(cls, path: Path) -> bool:
        try:
            return header(path) == SQLITE_MAGIC
        except OSError:
            return False

    @classmethod
    def open(cls, target: str) -> StoreSource:
        return cls(Path(target).expanduser())
