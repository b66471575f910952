"""Figures of the receiver itself, as OTel metrics: accepted, refused, queued, commits, disk, shipping."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from otel_mas.errors import StoreError
from otel_mas.receiver.otlp.outcome import Outcome, Refused
from otel_mas.semconv import attributes as names
from otel_mas.semconv import metrics
from otel_mas.store.log_reader import LogReader

if TYPE_CHECKING:
    from opentelemetry.metrics import CallbackOptions, Counter, Histogram, Meter, Observation

    from otel_mas.receiver.otlp.decode import Signal
    from otel_mas.semconv.metrics import Metric
    from otel_mas.store.log_reader import DestinationStatus


class Figures:
    """Instruments of one meter: those of the table of metrics that a receiver has.

    Args:
        meter: of the process's own provider.
    """

    def __init__(self, meter: Meter) -> None:
        self._meter = meter
        self._accepted = _counter(meter, metrics.MAS_RECEIVER_ACCEPTED)
        self._rejected = _counter(meter, metrics.MAS_RECEIVER_REJECTED)
        self._refused = _counter(meter, metrics.MAS_RECEIVER_REFUSED)
        self._answer = _histogram(meter, metrics.MAS_RECEIVER_REQUEST_DURATION)
        self._commit = _histogram(meter, metrics.MAS_RECEIVER_COMMIT_DURATION)

    def observe(self, queued_bytes: Callable[[], int], store: Path) -> None:
        """Report the queue, the store's files, and how far its destinations are."""
        from opentelemetry.metrics import Observation

        def queue(_: CallbackOptions) -> Iterable[Observation]:
            yield Observation(queued_bytes())

        def size(_: CallbackOptions) -> Iterable[Observation]:
            yield Observation(sum(_size(store.with_name(store.name + end)) for end in ("", "-wal", "-shm")))

        def free(_: CallbackOptions) -> Iterable[Observation]:
            yield Observation(shutil.disk_usage(store.parent).free)

        def pending(_: CallbackOptions) -> Iterable[Observation]:
            for one in _destinations(store):
                yield Observation(one.waiting, {names.MAS_DESTINATION: one.name})

        def lag(_: CallbackOptions) -> Iterable[Observation]:
            for one in _destinations(store):
                yield Observation(one.behind_ns / 1e9 if one.waiting else 0.0, {names.MAS_DESTINATION: one.name})

        for metric, callback in (
            (metrics.MAS_RECEIVER_QUEUE_SIZE, queue),
            (metrics.MAS_STORE_SIZE, size),
            (metrics.MAS_STORE_DISK_FREE, free),
            (metrics.MAS_DESTINATION_PENDING, pending),
            (metrics.MAS_DESTINATION_LAG, lag),
        ):
            self._meter.create_observable_gauge(metric.name, [callback], metric.unit, metric.brief)

    def answered(self, signal: Signal, answer: Outcome | Refused, seconds: float) -> None:
        """Count a request that was queued."""
        attributes = {names.MAS_RECEIVER_SIGNAL: signal.value}
        self._answer.record(seconds, attributes)
        if isinstance(answer, Refused):
            self.refused(signal, answer)
            return
        self._accepted.add(answer.accepted, attributes)
        if answer.rejected:
            self._rejected.add(answer.rejected, attributes)

    def refused(self, signal: Signal, status_error: Refused) -> None:
        """Count a request of which nothing is stored."""
        self._refused.add(
            1, {names.MAS_RECEIVER_SIGNAL: signal.value, names.MAS_RECEIVER_REASON: status_error.reason.value}
        )

    def committed(self, seconds: float) -> None:
        """Count a commit."""
        self._commit.record(seconds)


def _counter(meter: Meter, metric: Metric) -> Counter:
    return meter.create_counter(metric.name, metric.unit, metric.brief)


def _histogram(meter: Meter, metric: Metric) -> Histogram:
    return meter.create_histogram(
        metric.name, metric.unit, metric.brief, explicit_bucket_boundaries_advisory=metric.buckets
    )


def _destinations(store: Path) -> list[DestinationStatus]:
    try:
        with closing(LogReader(store)) as log:
            return list(log.destinations())
    except StoreError:  # of which readiness tells
        return []


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


__all__ = ["Figures"]
