"""Adds content to the writer's batches: bounded in time, with the spans that end meanwhile committed in between."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from otel_mas.model.dropped import DropReason

if TYPE_CHECKING:
    from otel_mas.record.content.rows import ContentEncoder
    from otel_mas.record.pipeline.queue import Key, SpanQueue
    from otel_mas.store.rows import Batch

_BATCH_S: Final = 0.05  # of redaction in one transaction
_PAUSE_S: Final = 0.02  # of redaction, after which spans that have ended meanwhile are committed
_LONGEST_S: Final = 10.0  # of redaction for one content
_SMALL_BYTES: Final = 1 << 14  # of a content that may be in a batch with spans: 0.05 s at worst
_NO_TIME: Final = "the process ended before it was redacted"


class ContentLane:
    """Content on its way from the queue into batches, on the writer's thread.

    Args:
        queue: holds the content.
        commit_spans: commits the spans that have ended; called within the redaction of a content.
        is_over: whether the process is about to end, with no time left for content.
    """

    def __init__(self, queue: SpanQueue, commit_spans: Callable[[], None], is_over: Callable[[], bool]) -> None:
        self._queue = queue
        self._commit_spans = commit_spans
        self._is_over = is_over
        self._uncommitted: list[Key] = []  # spans whose content is in the batch under way
        self._interrupted = 0  # contents of a batch that has to wait for one of spans
        self._pause_at = math.inf
        self._end_at = math.inf
        self._failure: Exception | None = None  # of `commit_spans`

    def fill(self, batch: Batch, encoder: ContentEncoder, *, alone: bool) -> None:
        """Add contents to a batch for a while: to one with spans only small ones, without pauses."""
        until = time.monotonic() + _BATCH_S
        while (now := time.monotonic()) < until:
            item = self._queue.next_content(None if alone else _SMALL_BYTES)
            if item is None:
                return
            self._uncommitted.append(item.key)
            if self._is_over():
                encoder.withhold(item, batch, _NO_TIME)
                continue
            self._pause_at, self._end_at = now + _PAUSE_S, now + _LONGEST_S
            encoder.add(item, batch, self._pause if alone else None)
            if self._failure is not None:
                failure, self._failure = self._failure, None
                raise failure

    def tell(self, batch: Batch) -> None:
        """Note in a batch that is about to be committed how much content there was, and how much is stored with it."""
        batch.contents_recorded = self._queue.contents_taken + self._queue.waiting_contents
        batch.contents_done = self._queue.contents_taken - self._interrupted

    def committed(self) -> None:
        """Forget what was in the batch."""
        self._uncommitted.clear()

    def drop_uncommitted(self, reason: DropReason) -> None:
        """Count what was in the batch as dropped."""
        for key in self._uncommitted:
            self._queue.losses.content(key, reason)
        self._uncommitted.clear()

    def drop_waiting(self, reason: DropReason) -> None:
        """Count all that waits, and what was in the batch, as dropped."""
        self._uncommitted += [item.key for item in iter(self._queue.next_content, None)]
        self.drop_uncommitted(reason)

    def _pause(self) -> None:
        """Commit the spans that have ended since the last pause.

        Raises:
            TimeoutError: there is no more time for this content.
        """
        if time.monotonic() < self._pause_at:
            return
        self._pause_at = math.inf  # redacting the spans comes here, too
        uncommitted, self._uncommitted = self._uncommitted, []
        self._interrupted = len(uncommitted)
        try:
            self._commit_spans()
        except Exception as error:
            self._failure = error
        finally:
            self._uncommitted = uncommitted
            self._interrupted = 0
        if self._failure is not None or self._is_over():
            raise TimeoutError(_NO_TIME)
        now = time.monotonic()
        if now > self._end_at:
            raise TimeoutError("its redaction took too long")
        self._pause_at = now + _PAUSE_S


__all__ = ["ContentLane"]
