"""Metrics of the runs in the store, kept up to date by a thread that follows its log."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from otel_mas.api.metering import dropped, has_ended, judgements, measured, overdue
from otel_mas.errors import OtelMasError
from otel_mas.errors.log import logger
from otel_mas.metrics import Rules
from otel_mas.metrics.exposition import families
from otel_mas.metrics.totals import Totals
from otel_mas.model import SummaryBuilder
from otel_mas.semconv import RunOutcome, metrics
from otel_mas.semconv import attributes as names
from otel_mas.sources import Followed

if TYPE_CHECKING:
    from prometheus_client.core import Metric as Family

    from otel_mas.api import Source
    from otel_mas.config import Settings
    from otel_mas.model import Span

_POLL_S: Final = 0.5
_SETTLE_S: Final = 3.0
"""From the end of a run until its findings are looked for: content is stored later than spans."""
_OVERDUE_EVERY_S: Final = 30.0
_MOST_RUNS: Final = 1_000
"""Runs that wait for their findings, or pause; the oldest are left out."""
_REST: Final = 2.0
"""Times as long as it has worked the thread rests: receiving comes first."""


class RunMetrics:
    """Totals of all spans of a store, from its first one on.

    They are shown once the thread has come to the end of the log, so that a counter never climbs while old spans are
    read. A collector of prometheus_client.

    Args:
        source: the one that is served. Of one without a log there are no metrics of runs.
        settings: the bounds of labels, and the namespace.
    """

    def __init__(self, source: Source, settings: Settings) -> None:
        self._source = source
        self._namespace = settings.metrics_namespace
        self._totals = Totals(settings.metrics_max_labels)
        self._rules = Rules()
        self._lock = threading.Lock()
        self._ended: deque[tuple[float, str]] = deque(maxlen=_MOST_RUNS)
        self._paused: dict[str, None] = {}
        self._overdue_at = 0.0
        self._complete = False
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="otel-mas run metrics", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        if isinstance(self._source._port, Followed):
            self._thread.start()

    def stop(self) -> None:
        """End the thread."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(timeout=10.0)

    def collect(self) -> Iterator[Family]:
        """The families; none before all of the store is read."""
        if not self._complete:
            return
        with self._lock:
            yield from list(families(self._totals, self._namespace))

    def _run(self) -> None:
        port = self._source._port
        assert isinstance(port, Followed)
        try:
            tail = port.tail(from_start=True)
        except OtelMasError as error:
            logger.warning("otel-mas: no metrics of runs: %s", error)
            return
        try:
            while not self._stopping.is_set():
                began = time.monotonic()
                changes = tail.changes()
                if changes is not None and changes.ended:
                    self._add(changes.ended)
                more = changes is not None and changes.more
                if not more:
                    self._look_at_runs()
                    self._complete = True
                self._stopping.wait(max(0.0 if more else _POLL_S, _REST * (time.monotonic() - began)))
        except OtelMasError as error:  # the store is gone: serve itself ends for it
            logger.warning("otel-mas: metrics of runs stay as they are: %s", error)
        finally:
            tail.close()

    def _add(self, spans: tuple[Span, ...]) -> None:
        with self._lock:
            for found in measured(spans, self._rules):
                self._totals.add(found)
        now = time.monotonic()
        for span in spans:
            if span.parent_span_id is None and names.MAS_RUN_OUTCOME in span.columns:
                self._ended.append((now, span.trace_id))

    def _look_at_runs(self) -> None:
        """Count findings of runs that ended a while ago, and now and then overdue questions and drops."""
        due = time.monotonic() - _SETTLE_S
        while self._ended and (self._ended[0][0] <= due or not self._complete) and not self._stopping.is_set():
            self._judge(self._ended.popleft()[1])
        if time.monotonic() < self._overdue_at:
            return
        self._overdue_at = time.monotonic() + _OVERDUE_EVERY_S
        try:
            waiting = [self._source.trace(trace_id) for trace_id in list(self._paused)]
            found, lost = overdue(waiting), dropped(self._source._port)
        except OtelMasError as error:
            logger.debug("otel-mas: overdue questions: %s", error)
            return
        for trace in waiting:
            if all(asked.ended_ns is not None for asked in trace.questions()):
                self._paused.pop(trace.trace_id, None)
        with self._lock:
            self._totals.replace(metrics.MAS_INTERRUPT_OVERDUE, found)
            self._totals.replace(metrics.MAS_SPANS_DROPPED, lost)

    def _judge(self, trace_id: str) -> None:
        try:
            trace = self._source.trace(trace_id)
            status = SummaryBuilder.of(trace._data).status
            if status == RunOutcome.INTERRUPTED:
                if len(self._paused) < _MOST_RUNS:
                    self._paused[trace_id] = None
                return
            found = judgements(trace) if has_ended(status) else []
        except OtelMasError as error:  # it was removed meanwhile
            logger.debug("otel-mas: findings of %s: %s", trace_id, error)
            return
        with self._lock:
            self._totals.add(found)


__all__ = ["RunMetrics"]
