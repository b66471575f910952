"""Counts of dropped spans and contents by reason, and the traces that are incomplete for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from otel_mas.errors import StoreError, StoreFull, StoreJournalFull, StoreLocked, StoreReplaced
from otel_mas.model.dropped import Dropped, DropReason

if TYPE_CHECKING:
    from otel_mas.store.rows import DropRow

_MAX_TRACES = 10_000
_MAX_SPANS = 10_000

Key = tuple[int, int]


class Losses:
    """Losses of one process. Threads count without a lock, as in the queue: each step is one operation of a dict.

    `spans` and `contents` are the totals. `take` returns those that the store does not have yet, by trace.
    """

    __slots__ = ("_spans", "_traces", "contents", "spans")

    def __init__(self) -> None:
        self.spans = dict.fromkeys(DropReason, 0)
        self.contents = dict.fromkeys(DropReason, 0)
        self._traces: dict[tuple[int, DropReason, bool], int] = {}
        self._spans: list[Key] = []

    def __bool__(self) -> bool:
        """Whether there is anything to take."""
        return bool(self._traces)

    def span(self, key: Key, reason: DropReason) -> None:
        """Count an ended span."""
        self.spans[reason] += 1
        self._mark((key[0], reason, True), 1)
        if len(self._spans) < _MAX_SPANS:
            self._spans.append(key)

    def content(self, key: Key, reason: DropReason) -> None:
        """Count a content, or a part of a span's rows."""
        self.contents[reason] += 1
        self._mark((key[0], reason, False), 1)

    def totals(self, unwritten: int = 0) -> list[Dropped]:
        """Return the drops so far, reason by reason.

        Args:
            unwritten: spans that still wait while the process ends.
        """
        extra = {DropReason.EXIT_TIMEOUT: unwritten}
        found = [Dropped(one.value, self.spans[one] + extra.get(one, 0), self.contents[one]) for one in DropReason]
        return [one for one in found if one.spans or one.contents]

    def take(self) -> tuple[list[DropRow], list[tuple[bytes, bytes]]]:
        """Rows for the losses since the last call, and the ids of the spans among them."""
        if not self._traces:
            return [], []
        from otel_mas.store.rows import DropRow  # on the writer's thread

        traces, self._traces = self._traces, {}
        spans, self._spans = self._spans, []
        rows = [
            DropRow(trace.to_bytes(16, "big"), reason, count if is_span else 0, 0 if is_span else count)
            for (trace, reason, is_span), count in list(traces.items())  # other threads may be at it still
        ]
        return rows, [(trace.to_bytes(16, "big"), span.to_bytes(8, "big")) for trace, span in spans]

    def restore(self, rows: list[DropRow], spans: list[tuple[bytes, bytes]]) -> None:
        """Put back taken losses that could not be stored."""
        for row in rows:
            reason, trace = DropReason(row.reason), int.from_bytes(row.trace_id, "big")
            self._mark((trace, reason, bool(row.spans)), row.spans or row.contents)
        self._spans += [(int.from_bytes(trace, "big"), int.from_bytes(span, "big")) for trace, span in spans]

    def _mark(self, key: tuple[int, DropReason, bool], count: int) -> None:
        traces = self._traces
        if key in traces:
            traces[key] += count
        elif len(traces) < _MAX_TRACES:
            traces[key] = count


def reason_of(error: Exception) -> DropReason:
    """The reason for a loss, by the error that caused it."""
    if isinstance(error, StoreFull):
        return DropReason.DISK_FULL
    if isinstance(error, StoreJournalFull):
        return DropReason.JOURNAL_FULL
    if isinstance(error, StoreReplaced):
        return DropReason.STORE_GONE
    if isinstance(error, StoreLocked):
        return DropReason.STORE_LOCKED
    return DropReason.STORE_UNUSABLE if isinstance(error, StoreError) else DropReason.FAILED_BATCH


__all__ = ["Losses", "reason_of"]
