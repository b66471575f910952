"""Warnings of the writer: each kind of trouble once a minute."""

from __future__ import annotations

import time

from otel_mas.errors.log import logger
from otel_mas.model.dropped import DropReason
from otel_mas.record.pipeline.queue import SpanQueue

_WARN_S = 60.0


class Warnings:
    """Warnings in the app's log.

    Args:
        queue: of the recording, which counts what is dropped.
    """

    def __init__(self, queue: SpanQueue) -> None:
        self._queue = queue
        self._warned: dict[str, float] = {}
        self._reported = 0

    def report_drops(self) -> None:
        """Warn where more was dropped since the last time because the queue was full."""
        losses = self._queue.losses
        full = (DropReason.QUEUE_FULL, DropReason.JOURNAL_FULL)
        dropped = sum(losses.spans[reason] + losses.contents[reason] for reason in full)
        if dropped > self._reported and self.warn(
            "dropped",
            "otel-mas: the recording queue is full: %d spans or contents dropped so far; their traces are marked. "
            "Raise OTEL_MAS_QUEUE_SPANS or OTEL_MAS_QUEUE_BYTES",
            dropped,
        ):
            self._reported = dropped

    def warn(self, trouble: str, message: str, *values: object) -> bool:
        """Warn, once a minute for each kind of trouble; returns whether it did."""
        now = time.monotonic()
        if now - self._warned.get(trouble, -_WARN_S) < _WARN_S:
            return False
        self._warned[trouble] = now
        logger.warning(message, *values)
        return True


__all__ = ["Warnings"]
