"""OTLP messages → a store. Importing twice changes nothing."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from otel_mas.config import Settings
from otel_mas.otlp.split import split_resource
from otel_mas.store.connection import open_for_reading
from otel_mas.store.otlp_rows import OtlpRows, RunWriter, RunWriters, privacy_of
from otel_mas.store.rows import Batch

if TYPE_CHECKING:
    from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans

_BATCH_SPANS = 2000
_STORED = "SELECT count(*), coalesce(sum(duplicates), 0) FROM spans"


@dataclass(slots=True)
class Imported:
    """The result of an import, in spans."""

    added: int = 0
    duplicates: int = 0
    """Spans that were in the store already, byte for byte, or were recorded there."""
    without_ids: int = 0
    """Spans of no trace, which were left out."""
    oldest_ns: int | None = None


def import_spans(
    path: str | os.PathLike[str],
    messages: Iterable[ResourceSpans],
    *,
    may_ship: bool = False,
    settings: Settings | None = None,
) -> Imported:
    """Write spans into the store at `path`, which is made where there is none.

    Args:
        may_ship: whether the store's destinations get the spans, too. By default imported spans are not sent on.
        settings: where they ask for personal data to be removed, spans are treated like those that are recorded;
            without, they are stored as they come.

    Raises:
        StoreError: the store cannot be written.
    """
    importing = _Import(path, may_ship, settings)
    try:
        return importing.all(messages)
    finally:
        importing.close()


class _Import:
    """One import: a batch for each run, and a connection to look for spans that are there."""

    def __init__(self, path: str | os.PathLike[str], may_ship: bool, settings: Settings | None) -> None:
        self._runs = RunWriters(path, max_bytes=0, max_age_ns=0)
        writer = self._runs.of(None).writer
        self._privacy = privacy_of(settings, writer.digest_key)
        self._reading = open_for_reading(writer.path)
        self._rows = OtlpRows(self._runs, self._reading, privacy=self._privacy, may_ship=may_ship)
        self._batches: dict[RunWriter, Batch] = {}

    def all(self, messages: Iterable[ResourceSpans]) -> Imported:
        before, duplicates_before = self._counts()
        for message in messages:
            run, rows = self._rows.add(split_resource(message.SerializeToString()))
            batch = self._batches.setdefault(run, Batch())
            batch.spans += rows
            if self._privacy is not None:
                batch.add_redacted(self._privacy.drain_counts())
            if sum(len(waiting.spans) for waiting in self._batches.values()) >= _BATCH_SPANS:
                self._write()
        self._write()
        self._runs.close()
        added, duplicates = self._counts()
        return Imported(
            added - before,
            duplicates - duplicates_before + self._rows.recorded,
            self._rows.without_ids,
            self._rows.oldest_ns,
        )

    def close(self) -> None:
        self._reading.close()
        self._runs.close(finished=False)

    def _write(self) -> None:
        for run, batch in self._batches.items():
            run.writer.write(batch)
        self._batches.clear()

    def _counts(self) -> tuple[int, int]:
        rows, duplicates = self._reading.execute(_STORED).fetchone()
        return int(rows), int(duplicates)
