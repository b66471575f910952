"""Metrics of the app's runs, where the app has set a MeterProvider.

One call of the SDK's metrics API costs more than all else that the writer's thread does for a span: it only keeps
the span, and the thread of the app's reader measures it.
"""

from __future__ import annotations

import itertools
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from opentelemetry.metrics import NoOpMeterProvider, get_meter_provider
from opentelemetry.metrics._internal import _ProxyMeterProvider
from opentelemetry.trace import StatusCode

from otel_mas.metrics import EndedSpan, Rules
from otel_mas.record.guard import caught
from otel_mas.record.pipeline.span_data import SpanData
from otel_mas.semconv import metrics

if TYPE_CHECKING:
    from otel_mas.config import Settings
    from otel_mas.metrics.instruments import Instruments
    from otel_mas.record.pipeline.queue import SpanQueue

_MOST_SPANS = 20_000
_MOST_BYTES = 32 << 20
"""That wait for a reader; where none comes, or seldom, the writer's thread measures."""
_SPANS_PER_YIELD = 32
_NONE = (_ProxyMeterProvider, NoOpMeterProvider)


class AppMetrics:
    """Keeps ended spans, and measures them when a reader of the app's metrics collects, on its thread.

    Args:
        settings: the bounds.
        queue: of the recording, whose state is observed.
        clean: redacts a label, as what is stored is.
    """

    def __init__(self, settings: Settings, queue: SpanQueue, clean: Callable[[str], str]) -> None:
        self._enabled = True
        self._max_labels = settings.metrics_max_labels
        self._queue = queue
        self._rules = Rules()
        self._clean = clean
        self._instruments: Instruments | None = None
        self._waiting: deque[SpanData] = deque()
        self._bytes = 0
        self._measuring = threading.Lock()

    def keep(self, spans: Sequence[SpanData]) -> None:
        """Keep spans until they are measured, on the writer's thread. Without a MeterProvider nothing is done."""
        if not self._enabled or not spans or not self._ready():
            return
        self._waiting.extend(spans)
        self._bytes += sum([span.size for span in spans])
        if len(self._waiting) > _MOST_SPANS or self._bytes > _MOST_BYTES:
            self.measure()

    def measure(self) -> None:
        """Measure the spans that wait."""
        rules, instruments, waiting = self._rules, self._instruments, self._waiting
        if instruments is None:
            return
        with self._measuring:
            for number in itertools.count():
                if not waiting:
                    break
                span = waiting.popleft()
                self._bytes = max(0, self._bytes - span.size)
                try:
                    instruments.add(rules.measures(_ended(span)))
                except Exception as error:
                    caught("metrics: span", error)
                if number % _SPANS_PER_YIELD == 0:
                    time.sleep(0)  # lets the app's threads have the interpreter

    def after_fork_in_child(self) -> None:
        """Forget what the parent is going to measure."""
        self._waiting.clear()
        self._bytes = 0
        self._measuring = threading.Lock()

    def _ready(self) -> bool:
        if self._instruments is None:
            provider = get_meter_provider()
            if isinstance(provider, _NONE):
                return False
            try:
                self._instruments = self._made(provider)
            except Exception as error:
                self._enabled = False
                caught("writer: meter provider", error)
        return self._instruments is not None

    def _made(self, provider: Any) -> Instruments:
        from otel_mas.metrics.instruments import Instruments

        observed = {metrics.MAS_QUEUE_SPANS: self._queued, metrics.MAS_SPANS_DROPPED: self._dropped}
        return Instruments(provider.get_meter("otel_mas"), self._max_labels, self._clean, self.measure, observed)

    def _queued(self) -> Iterable[tuple[tuple[str | None, ...], float]]:
        yield (), self._queue.waiting_spans

    def _dropped(self) -> Iterator[tuple[tuple[str | None, ...], float]]:
        for reason, count in self._queue.losses.spans.copy().items():
            yield (reason.value,), count


def _ended(span: SpanData) -> EndedSpan:
    columns = span.columns
    attributes = {**span.attributes, **columns} if columns else span.attributes
    parent = span.parent
    return EndedSpan(
        span.context[:2],
        None if parent is None or parent.is_remote else parent[:2],
        span.start_time,
        span.end_time,
        span.status.status_code is StatusCode.ERROR,
        attributes.get,
        [(context[:2], kind._value_) for context, kind in span.causes],
        span.context,
    )


__all__ = ["AppMetrics"]
