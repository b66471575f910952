"""Measurements of a time for alert rules: of spans, findings, open questions, dropped spans, and the store's disk."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from otel_mas.api.metering import dropped, has_ended, in_order, judgements, measured, overdue
from otel_mas.api.queries import list_traces
from otel_mas.metrics import Measure, Rules
from otel_mas.model import PartialList, Query, TraceSummary
from otel_mas.semconv import RunOutcome, metrics
from otel_mas.semconv import attributes as names
from otel_mas.semconv.metrics import Metric
from otel_mas.sources import KnowsProcesses, Versioned
from otel_mas.sources.server import download_once

if TYPE_CHECKING:
    from otel_mas.api.source import Source
    from otel_mas.api.trace import Trace

_MOST_TRACES: Final = 10_000
_MOST_KEPT: Final = 1_000_000
"""Measurements that are kept from one look to the next."""


@dataclass(frozen=True, slots=True)
class AlertMeasurement:
    """One value of a metric at a time, in ns since the epoch. Labels are by the names of attributes, with `user.id`."""

    metric: Metric
    labels: Mapping[str, str]
    value: float
    time_ns: int


class AlertMeasurements:
    """Measurements of a source, again and again: a trace that has not changed is not read again.

    Each trace is measured by itself: what a metric needs of another one of its conversation (how long a question
    waited) is not there.

    Args:
        source: any.
        findings: whether runs are looked through for findings.
    """

    def __init__(self, source: Source, *, findings: bool = True) -> None:
        self._source = source
        self._port = source._port
        self._findings = findings
        self._kept: OrderedDict[Hashable, Sequence[AlertMeasurement]] = OrderedDict()
        self.incomplete: str | None = None
        """The parts that the last look left out, in words."""

    def since(self, since_ns: int, now_ns: int) -> list[AlertMeasurement]:
        """The measurements of the spans that ended since then, and of what there is now.

        Raises:
            UnsupportedQuery, SourceError, StoreError: The source cannot be read.
        """
        found: list[AlertMeasurement] = []
        waiting: list[Trace] = []
        used: set[Hashable] = set()
        with download_once(listed=True):
            for summary in self._summaries(since_ns):
                found += self._of_trace(summary, used)
                if summary.status == RunOutcome.INTERRUPTED:
                    waiting.append(self._source.trace(summary.trace_id))
            found += _now(metrics.MAS_INTERRUPT_OVERDUE, overdue(waiting), now_ns)
        self._forget(used)
        return [*(one for one in found if one.time_ns > since_ns), *self._of_store(since_ns, now_ns)]

    def _summaries(self, since_ns: int) -> Sequence[TraceSummary]:
        """Traces that ended since then, and those that wait for a person."""
        filters = self._port.capabilities.filters
        limit = _MOST_TRACES
        ended = Query(ended_since_ns=since_ns, limit=limit)
        found = list_traces(self._port, ended if "ended_since_ns" in filters else Query(since_ns=since_ns, limit=limit))
        self.incomplete = found.incomplete
        if len(found) == limit:
            self.incomplete = f"only the newest {limit:,} traces were read"
        if "status" not in filters:
            return found
        known = {one.trace_id for one in found}
        paused: PartialList[TraceSummary] = list_traces(self._port, Query(status=RunOutcome.INTERRUPTED, limit=limit))
        return [*found, *(one for one in paused if one.trace_id not in known)]

    def _of_trace(self, summary: TraceSummary, used: set[Hashable]) -> Sequence[AlertMeasurement]:
        version = self._port.version(summary.trace_id) if isinstance(self._port, Versioned) else None
        key = summary.trace_id, version
        if version is None or key not in self._kept:
            self._kept[key] = list(self._measured(self._source.trace(summary.trace_id), summary.status))
        used.add(key)
        self._kept.move_to_end(key)
        return self._kept[key]

    def _measured(self, trace: Trace, status: str) -> Iterator[AlertMeasurement]:
        spans = in_order(trace._data.spans)
        user = next((str(span.get(names.USER_ID)) for span in spans if span.get(names.USER_ID)), None)
        for measures in measured(spans, Rules()):
            yield from (_measurement(one, one.span.last_ns, user) for one in measures)
        if self._findings and has_ended(status):
            last_ns = max((span.last_ns for span in spans), default=0)
            yield from (_measurement(one, last_ns, user) for one in judgements(trace))

    def _forget(self, used: set[Hashable]) -> None:
        for key in [key for key in self._kept if key not in used or not isinstance(self._port, Versioned)]:
            del self._kept[key]
        while self._kept and sum(map(len, self._kept.values())) > _MOST_KEPT:
            self._kept.popitem(last=False)

    def _of_store(self, since_ns: int, now_ns: int) -> Iterator[AlertMeasurement]:
        if not isinstance(self._port, KnowsProcesses):
            return
        disk = self._port.disk(0)
        yield AlertMeasurement(metrics.MAS_STORE_DISK_FREE, {}, disk.free_bytes, now_ns)
        yield AlertMeasurement(metrics.MAS_STORE_SIZE, {}, disk.store_bytes, now_ns)
        # When each was dropped is not known: those of processes that were alive in this time.
        lost = sum(one.dropped for one in self._port.processes(since_ns))
        if lost:
            times = {one.heartbeat_ns for one in self._port.processes(since_ns) if one.dropped}
            for labels, count in dropped(self._port):
                if count:
                    yield _measurement(Measure(metrics.MAS_SPANS_DROPPED, labels, count), max(times), None)


def _now(metric: Metric, values: Sequence[tuple[tuple[str | None, ...], float]], now_ns: int) -> list[AlertMeasurement]:
    return [_measurement(Measure(metric, labels, value), now_ns, None) for labels, value in values]


def _measurement(one: Measure, time_ns: int, user: str | None) -> AlertMeasurement:
    labels = {name: str(value) for name, value in zip(one.metric.labels, one.labels, strict=True) if value is not None}
    if user is not None:
        labels[names.USER_ID] = user
    return AlertMeasurement(one.metric, labels, one.value, time_ns)


__all__ = ["AlertMeasurement", "AlertMeasurements"]
