"""Targets of received records: a store, which gets spans, or a file, which gets the records as they are."""

from __future__ import annotations

import gzip
import os
import secrets
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final, Protocol, TypeVar

from otel_mas.config import Settings
from otel_mas.model import Span
from otel_mas.otlp.spans import encode_span
from otel_mas.receiver.arrivals import Arrivals
from otel_mas.store import StoreWriter
from otel_mas.store.columns import column_values
from otel_mas.store.rows import Batch, SpanRow
from otel_mas.trace_records.encoded import encoded, is_message_pack
from otel_mas.trace_records.formats import packed
from otel_mas.trace_records.record import TraceRecord

T = TypeVar("T")
_AT_ONCE: Final = 8
_DAY_NS: Final = 86_400 * 10**9
_RETAIN_EVERY_NS: Final = 60 * 10**9


class Target(Protocol):
    """Takes records, on one thread."""

    def write(self, records: Sequence[TraceRecord], *, all_of_them: bool) -> None:
        """Keep them, those that waited for others too if `all_of_them`. Raises OSError or StoreError."""

    def take_lost(self) -> int:
        """The number of records that could not be kept, since the last call."""

    def close(self) -> None: ...


def unhurried(items: Iterable[T]) -> Iterator[T]:
    """The items; every few of them another thread may go on, which else would wait 5 ms for the interpreter's lock."""
    for number, item in enumerate(items, 1):
        yield item
        if not number % _AT_ONCE:
            time.sleep(0)


class FileTarget:
    """Adds records to a file: JSON lines or MessagePack by its name; with .gz after it each batch gzipped by itself."""

    def __init__(self, path: Path) -> None:
        self._gzipped = path.suffix == ".gz"
        self._packed = is_message_pack(path)
        if self._packed:
            packed({})  # to fail here without the package
        handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        self._file = os.fdopen(handle, "ab")
        self._lost = 0

    def write(self, records: Sequence[TraceRecord], *, all_of_them: bool) -> None:
        if not records:
            return
        self._lost += len(records)
        found = b"".join(encoded(unhurried(records), self._packed))
        self._file.write(gzip.compress(found) if self._gzipped else found)
        self._file.flush()
        self._lost -= len(records)

    def take_lost(self) -> int:
        lost, self._lost = self._lost, 0
        return lost

    def close(self) -> None:
        self._file.close()


class StoreTarget:
    """Writes the spans that records tell of into a store."""

    def __init__(
        self,
        settings: Settings,
        wait_s: float,
        most_waiting: int,
        may_ship: bool,
        redacted: Callable[[], dict[str, int]] = dict,
    ) -> None:
        """
        Args:
            settings: of the store.
            wait_s: seconds that a record may wait for others.
            most_waiting: number of records that may.
            may_ship: whether the spans may leave the machine.
            redacted: gives the numbers of values taken out since it was last asked, by rule.
        """
        self._redacted = redacted
        self._writer = StoreWriter(
            settings.store,
            instance_id=secrets.token_bytes(16),
            run_id=settings.run_id,
            service="",
            max_bytes=settings.max_store_bytes,
            max_age_ns=int(settings.max_age_days * _DAY_NS),
        )
        self._arrivals = Arrivals(int(wait_s * 1e9), most_waiting)
        self._may_ship = may_ship
        self._counts: Counter[str] = Counter()
        self._rows: list[SpanRow] = []  # after an error they are written with the next ones
        self._most_rows = max(most_waiting, 10_000)
        self._lost = 0
        self._retained_ns = time.monotonic_ns()

    def write(self, records: Sequence[TraceRecord], *, all_of_them: bool) -> None:
        now_ns = time.monotonic_ns()
        self._rows += map(self._row, unhurried(self._arrivals.add(records, now_ns, all_of_them=all_of_them)))
        surplus = len(self._rows) - self._most_rows
        if surplus > 0:  # the store could not be written for long
            self._lost += surplus
            del self._rows[:surplus]
        self._counts.update(self._redacted())
        self._writer.write(Batch(spans=self._rows, redacted=dict(self._counts)))
        self._counts.clear()
        self._rows = []
        if now_ns - self._retained_ns > _RETAIN_EVERY_NS:
            self._retained_ns = now_ns
            self._writer.retain()

    @property
    def digest_key(self) -> bytes:
        """The store's own key."""
        return self._writer.digest_key

    def take_lost(self) -> int:
        lost, self._lost = self._lost, 0
        return lost

    def close(self) -> None:
        self._lost += len(self._rows)
        try:
            self._writer.finish((), 0)
        finally:
            self._writer.close()

    def _row(self, span: Span) -> SpanRow:
        attributes = span.attributes
        return SpanRow(
            trace_id=bytes.fromhex(span.trace_id),
            span_id=bytes.fromhex(span.span_id),
            parent_span_id=None if span.parent_span_id is None else bytes.fromhex(span.parent_span_id),
            name=span.name,
            kind=span.kind,
            start_ns=span.start_ns,
            end_ns=span.start_ns if span.end_ns is None else span.end_ns,
            status=span.status,
            columns=column_values(attributes),
            links=tuple((bytes.fromhex(link.trace_id), bytes.fromhex(link.span_id), link.kind) for link in span.links),
            body=encode_span(span),
            resource=self._writer.resource(span.resource.attributes, "", b""),
            scope=self._writer.scope(span.scope.name, span.scope.version, {}, ""),
            may_ship=self._may_ship,
        )


__all__ = ["FileTarget", "StoreTarget", "Target"]
