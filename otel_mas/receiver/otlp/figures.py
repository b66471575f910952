"""Figures of the receiver itself, as OTel metrics: accepted, refused, queued, how long commits take, the disk."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from otel_mas.receiver.otlp.outcome import Outcome, Refused

if TYPE_CHECKING:
    from opentelemetry.metrics import CallbackOptions, Meter, Observation

    from otel_mas.receiver.otlp.decode import Signal

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Figures:
    """Instruments of one meter.

    Args:
        meter: of the process's own provider.
    """

    def __init__(self, meter: Meter) -> None:
        self._meter = meter
        self._accepted = meter.create_counter(
            "otel_mas.receiver.accepted", "{item}", "Spans and log records that were stored, or were stored before."
        )
        self._rejected = meter.create_counter(
            "otel_mas.receiver.rejected", "{item}", "Spans and log records of stored requests that cannot be stored."
        )
        self._refused = meter.create_counter(
            "otel_mas.receiver.refused", "{request}", "Requests of which nothing was stored."
        )
        self._answer = meter.create_histogram(
            "otel_mas.receiver.request.duration",
            "s",
            "Time from a request to its answer.",
            explicit_bucket_boundaries_advisory=_SECONDS,
        )
        self._commit = meter.create_histogram(
            "otel_mas.receiver.commit.duration",
            "s",
            "Time that a commit takes.",
            explicit_bucket_boundaries_advisory=_SECONDS,
        )

    def observe(self, queued_bytes: Callable[[], int], store: Path) -> None:
        """Report the queue, and the store's files."""
        from opentelemetry.metrics import Observation

        def queue(_: CallbackOptions) -> Iterable[Observation]:
            yield Observation(queued_bytes())

        def size(_: CallbackOptions) -> Iterable[Observation]:
            yield Observation(sum(_size(store.with_name(store.name + end)) for end in ("", "-wal", "-shm")))

        def free(_: CallbackOptions) -> Iterable[Observation]:
            yield Observation(shutil.disk_usage(store.parent).free)

        for name, unit, meaning, callback in (
            ("otel_mas.receiver.queue.size", "By", "Bytes of requests that wait for their commit.", queue),
            ("otel_mas.store.size", "By", "Bytes of the store's files.", size),
            ("otel_mas.store.disk.free", "By", "Bytes that are free on the store's disk.", free),
        ):
            self._meter.create_observable_gauge(name, [callback], unit, meaning)

    def answered(self, signal: Signal, answer: Outcome | Refused, seconds: float) -> None:
        """Count a request that was queued."""
        attributes = {"signal": signal.value}
        self._answer.record(seconds, attributes)
        if isinstance(answer, Refused):
            self.refused(signal, answer)
            return
        self._accepted.add(answer.accepted, attributes)
        if answer.rejected:
            self._rejected.add(answer.rejected, attributes)

    def refused(self, signal: Signal, status_error: Refused) -> None:
        """Count a request of which nothing is stored."""
        self._refused.add(1, {"signal": signal.value, "reason": status_error.reason.value})

    def committed(self, seconds: float) -> None:
        """Count a commit."""
        self._commit.record(seconds)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


__all__ = ["Figures"]
