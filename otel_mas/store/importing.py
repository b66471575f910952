"""OTLP messages → a store. Importing twice changes nothing."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

from otel_mas.config import Settings
from otel_mas.otlp.array_parts import with_joined_arrays
from otel_mas.otlp.decode import decode_body, decode_resource, decode_scope
from otel_mas.privacy.stored import Privacy
from otel_mas.semconv import attributes as names
from otel_mas.store.columns import column_values
from otel_mas.store.connection import open_for_reading
from otel_mas.store.imported import ImportedPrivacy
from otel_mas.store.rows import Batch, SpanRow
from otel_mas.store.writer import StoreWriter

if TYPE_CHECKING:
    import sqlite3

    from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans

_BATCH_SPANS = 2000
_OPEN_WRITERS = 16
_RECORDED = (
    "SELECT 1 FROM spans s JOIN traces t ON t.id = s.trace JOIN instances i ON i.id = s.instance "
    "WHERE t.trace_id = ? AND s.span_id = ? AND s.kind = ? AND i.instance_id = ?"
)
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


class _Run:
    """Writes the spans of one `otel-mas run`, or of none, so that they can be found by their run."""

    def __init__(self, path: str | os.PathLike[str], run_id: str | None) -> None:
        # The same at each import, so that a span that comes twice is a duplicate.
        instance_id = blake2b(f"otel-mas import {run_id or ''}".encode(), digest_size=16).digest()
        self.writer = StoreWriter(path, instance_id=instance_id, run_id=run_id, service="", max_bytes=0, max_age_ns=0)
        self._rows: list[SpanRow] = []
        self._redacted: dict[str, int] = {}

    def add(self, row: SpanRow) -> None:
        self._rows.append(row)
        if len(self._rows) >= _BATCH_SPANS:
            self._write()

    def count(self, redacted: Mapping[str, int]) -> None:
        for rule, count in redacted.items():
            self._redacted[rule] = self._redacted.get(rule, 0) + count

    def finish(self) -> None:
        self._write()
        self.writer.finish((), 0)
        self.writer.close()

    def _write(self) -> None:
        if self._rows:
            self.writer.write(Batch(spans=self._rows, redacted=self._redacted))
            self._rows, self._redacted = [], {}


class _Import:
    """One import: a writer for each run, and a connection to look for spans that are there."""

    def __init__(self, path: str | os.PathLike[str], may_ship: bool, settings: Settings | None) -> None:
        self._path = path
        self._may_ship = may_ship
        self._runs: dict[str | None, _Run] = {}
        writer = self._run(None).writer
        self._store_id = writer.store_id
        self._privacy: ImportedPrivacy | None = None
        if settings is not None and settings.removes:
            privacy = Privacy.of(replace(settings, content=settings.content or "redacted"))
            if privacy.personal is not None:
                privacy.personal.key = settings.digest_key or writer.digest_key
            self._privacy = ImportedPrivacy(privacy)
        self._reading: sqlite3.Connection = open_for_reading(writer.path)
        self._done = Imported()

    def all(self, messages: Iterable[ResourceSpans]) -> Imported:
        rows, duplicates = self._counts()
        for message in messages:
            self._message(message)
        for run in self._runs.values():
            run.finish()
        rows_now, duplicates_now = self._counts()
        self._done.added += rows_now - rows
        self._done.duplicates += duplicates_now - duplicates
        return self._done

    def close(self) -> None:
        self._reading.close()
        for run in self._runs.values():
            run.writer.close()

    def _counts(self) -> tuple[int, int]:
        rows, duplicates = self._reading.execute(_STORED).fetchone()
        return int(rows), int(duplicates)

    def _run(self, run_id: str | None) -> _Run:
        found = self._runs.get(run_id)
        if found is None:
            if len(self._runs) >= _OPEN_WRITERS:
                self._runs.pop(next(iter(self._runs))).finish()
            found = self._runs[run_id] = _Run(self._path, run_id)
        return found

    def _message(self, message: ResourceSpans) -> None:
        if self._privacy is not None:
            self._privacy.resource(message.resource)
        body = message.resource.SerializeToString()
        attributes = decode_resource(body).attributes
        run_id = attributes.get(names.MAS_RUN_ID)
        run = self._run(run_id if isinstance(run_id, str) else None)
        recorded_by = self._recorder(attributes)
        resource = run.writer.resource(attributes, message.schema_url, body)
        for of_scope in message.scope_spans:
            if self._privacy is not None:
                self._privacy.scope(of_scope.scope)
            scope = decode_scope(of_scope.scope.SerializeToString())
            key = run.writer.scope(scope.name, scope.version, scope.attributes, of_scope.schema_url)
            for span in of_scope.spans:
                row = self._row(span, resource, key)
                if row is not None and not self._is_recorded(row, recorded_by):
                    run.add(row)
        if self._privacy is not None:
            run.count(self._privacy.drain_counts())

    def _recorder(self, attributes: Any) -> bytes | None:
        """The process that recorded these spans, where it recorded into this store."""
        if attributes.get(names.MAS_STORE_ID) != self._store_id:
            return None
        try:
            return bytes.fromhex(str(attributes.get(names.MAS_INSTANCE_ID)))
        except ValueError:
            return None

    def _is_recorded(self, row: SpanRow, recorded_by: bytes | None) -> bool:
        """Tell whether the store recorded the span itself: one that it shipped must not come back with less in it."""
        if recorded_by is None:
            return False
        found = self._reading.execute(_RECORDED, (row.trace_id, row.span_id, row.kind, recorded_by)).fetchone()
        if found is not None:
            self._done.duplicates += 1
        return found is not None

    def _row(self, span: Any, resource: int, scope: int) -> SpanRow | None:
        trace_id = span.trace_id.rjust(16, b"\0")
        if len(trace_id) != 16 or len(span.span_id) != 8 or not any(trace_id) or not any(span.span_id):
            self._done.without_ids += 1
            return None
        encoded = with_joined_arrays(span, span.SerializeToString())
        if self._privacy is not None:
            span = self._privacy.span(encoded)
            encoded = span.SerializeToString()
        body = decode_body(encoded)
        start_ns = span.start_time_unix_nano
        if self._done.oldest_ns is None or start_ns < self._done.oldest_ns:
            self._done.oldest_ns = start_ns
        return SpanRow(
            trace_id=trace_id,
            span_id=span.span_id,
            parent_span_id=span.parent_span_id if any(span.parent_span_id) else None,
            name=span.name,
            kind=span.kind,
            start_ns=start_ns,
            end_ns=span.end_time_unix_nano,
            status=span.status.code,
            columns=column_values(body.attributes),
            links=tuple(
                (bytes.fromhex(link.trace_id).rjust(16, b"\0"), bytes.fromhex(link.span_id), link.kind)
                for link in body.links
            ),
            body=encoded,
            resource=resource,
            scope=scope,
            sampled=True,  # or it would not have been exported; most SDKs' flags do not say so
            may_ship=self._may_ship,
        )
