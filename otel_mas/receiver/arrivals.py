"""Records that arrive one by one, held back until the records that they depend on are there.

Programs write a record when its work has ended, so that what encloses it, and may be its causal parent, comes later.
"""

from __future__ import annotations

from collections import ChainMap, OrderedDict, defaultdict
from collections.abc import Sequence
from typing import Final

from otel_mas.model import Span
from otel_mas.trace_records.ids import otel_span_id, otel_trace_id
from otel_mas.trace_records.record import OCCURRENCES, TraceRecord
from otel_mas.trace_records.spans import parent_in_trace, spans_of

_MAX_KNOWN: Final = 20_000
"""Written records that are remembered, without content."""
_MOST_ABOVE: Final = 1_000

_Key = tuple[str, str]
_ById = dict[str, TraceRecord]


class Arrivals:
    """Turns records into spans, each once the records that its place depends on have come.

    A record waits that names a causal parent alone which has not come, and an error or a change of state whose span has
    not; no longer than `wait_ns`, and no more of them than `most`.
    """

    def __init__(self, wait_ns: int, most: int) -> None:
        self._wait_ns = wait_ns
        self._most = most
        self._count = 0
        self._waiting: OrderedDict[int, tuple[int, TraceRecord]] = OrderedDict()
        self._blocked: dict[_Key, list[int]] = defaultdict(list)
        """By the key of a record that has not come, the numbers of those that wait for it."""
        self._here: dict[str, _ById] = defaultdict(dict)
        """Records that wait, by trace and span id."""
        self._written: OrderedDict[str, _ById] = OrderedDict()
        self._remembered = 0

    def __len__(self) -> int:
        """The number of records that wait."""
        return len(self._waiting)

    def add(self, records: Sequence[TraceRecord], now_ns: int, *, all_of_them: bool = False) -> list[Span]:
        """The spans that can be told now.

        Args:
            records: that have come.
            now_ns: of a clock that goes on.
            all_of_them: leave none waiting.
        """
        ready: dict[int, TraceRecord] = {}
        to_place: list[int] = []
        for record in records:
            self._count += 1
            self._waiting[self._count] = now_ns, record
            to_place.append(self._count)
            if record.event_type not in OCCURRENCES:
                trace_id, span_id = _key(record)
                self._here[trace_id][span_id] = record
                to_place += self._blocked.pop((trace_id, span_id), ())
        for number in to_place:
            if number in self._waiting:
                record = self._waiting[number][1]
                missing = self._missing(record)
                if missing is None:
                    ready[number] = record
                else:
                    self._blocked[missing].append(number)
        for number, (came_ns, record) in self._waiting.items():
            surplus = len(self._waiting) - len(ready) > self._most
            if not (all_of_them or surplus or came_ns <= now_ns - self._wait_ns):
                break
            ready.setdefault(number, record)
        return self._spans(dict(sorted(ready.items())))

    def _missing(self, record: TraceRecord) -> _Key | None:
        """The key of a record that has not come, and that this one's place depends on."""
        trace_id, span_id = _key(record)
        known = ChainMap(self._here[trace_id], self._written.get(trace_id, {}))
        if record.event_type in OCCURRENCES and not record.complete:
            span = self._here[trace_id].get(span_id)
            if span is not None:
                return self._missing(span)
            return None if span_id in known else (trace_id, span_id)
        above = record
        for _ in range(_MOST_ABOVE):
            named = parent_in_trace(above)
            if above.complete or above.parent_span_id is not None or named is None:
                return None
            parent_id = otel_span_id(trace_id, named)
            parent = known.get(parent_id)
            if parent is None:
                return trace_id, parent_id
            above = parent
        return None

    def _spans(self, ready: dict[int, TraceRecord]) -> list[Span]:
        by_trace: dict[str, list[TraceRecord]] = defaultdict(list)
        for number, record in ready.items():
            del self._waiting[number]
            by_trace[otel_trace_id(record.trace_id)].append(record)
        found: list[Span] = []
        for trace_id, records in by_trace.items():
            written, here = self._written.setdefault(trace_id, {}), self._here[trace_id]
            self._written.move_to_end(trace_id)
            apart = [_apart(record, written, trace_id) for record in records]
            found += spans_of(trace_id, apart, ChainMap(here, written))
            self._remember(trace_id, apart)
        return found

    def _remember(self, trace_id: str, records: Sequence[TraceRecord]) -> None:
        written, here = self._written[trace_id], self._here[trace_id]
        self._remembered -= len(written)
        for record in records:
            span_id = otel_span_id(trace_id, record.span_id)
            if record.event_type in OCCURRENCES and (span_id in here or span_id in written):
                continue
            written[span_id] = record.model_copy(update={"payload": None, "events": (), "attributes": {}})
            here.pop(span_id, None)
        self._remembered += len(written)
        if not here:
            del self._here[trace_id]
        while self._remembered > _MAX_KNOWN and len(self._written) > 1:
            self._remembered -= len(self._written.popitem(last=False)[1])


def _apart(record: TraceRecord, written: _ById, trace_id: str) -> TraceRecord:
    """An error or a change of state whose span has been written already is a span inside of it."""
    if record.event_type not in OCCURRENCES or otel_span_id(trace_id, record.span_id) not in written:
        return record
    own = f"{record.span_id}/{record.event_type}/{record.timestamp}"[-256:]
    return record.model_copy(update={"span_id": own, "parent_span_id": record.span_id})


def _key(record: TraceRecord) -> _Key:
    trace_id = otel_trace_id(record.trace_id)
    return trace_id, otel_span_id(trace_id, record.span_id)


__all__ = ["Arrivals"]
