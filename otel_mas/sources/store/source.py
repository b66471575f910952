"""The local store as a source."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

from otel_mas.model import Content, Message, MessageRef, Query, RunSummary, Trace, TraceSummary
from otel_mas.sources.base import Capabilities
from otel_mas.store import StoreReader
from otel_mas.store.header import SQLITE_MAGIC, header


class StoreSource:
    """Reads the SQLite file that recording writes; opens it read-only."""

    reads: ClassVar[str] = "a local store (SQLite file)"
    capabilities = Capabilities(
        filters=frozenset({"service", "agent", "status", "conversation_id", "run_id", "min_duration_ns", "since_ns"}),
        id_prefixes=True,
        conversations=True,
        content=True,
        runs=True,
    )

    def __init__(self, path: str | Path) -> None:
        self.location = str(path)
        self._reader = StoreReader(path)

    @classmethod
    def recognises(cls, path: Path) -> bool:
        try:
            return header(path) == SQLITE_MAGIC
        except OSError:
            return False

    @classmethod
    def open(cls, target: str) -> StoreSource:
        return cls(Path(target).expanduser())

    def traces(self, query: Query) -> Sequence[TraceSummary]:
        return self._reader.traces(query)

    def trace(self, trace_id: str) -> Trace:
        return self._reader.trace(trace_id)

    def conversation(self, thread: str, service: str | None = None) -> Sequence[Trace]:
        return self._reader.conversation(thread, service)

    def message_refs(self, trace_id: str) -> Sequence[MessageRef]:
        return self._reader.message_refs(trace_id)

    def messages(self, digests: Sequence[str]) -> Mapping[str, Message]:
        return self._reader.messages(digests)

    def contents(self, trace_id: str, span_id: str | None = None) -> Sequence[Content]:
        return self._reader.contents(trace_id, span_id)

    def run(self, run_id: str) -> RunSummary:
        return self._reader.run(run_id)

    def close(self) -> None:
        self._reader.close()
