"""The writer thread: takes batches from the queue, by count or interval, and commits them to the store."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from contextvars import copy_context
from functools import partial
from typing import TYPE_CHECKING

from opentelemetry.context import attach, set_value

from otel_mas.errors import (
    StoreClosed,
    StoreCorrupt,
    StoreError,
    StoreLocked,
    StoreReadOnly,
    StoreReplaced,
)
from otel_mas.errors.log import logger
from otel_mas.model.dropped import DropReason
from otel_mas.record.guard import caught
from otel_mas.record.pipeline.content_lane import ContentLane
from otel_mas.record.pipeline.losses import reason_of
from otel_mas.record.pipeline.queue import Drained, SpanQueue
from otel_mas.record.pipeline.requests import Request, Requests, answer
from otel_mas.record.pipeline.store_access import GivenUp, LockedKeys, StoreAccess
from otel_mas.record.pipeline.store_port import Store
from otel_mas.record.pipeline.warnings import Warnings
from otel_mas.record.recording_context import SUPPRESSED

if TYPE_CHECKING:
    # Loaded by the thread itself, so that the app's first span does not wait for it.
    from otel_mas.record.pipeline.batches import BatchBuilder
    from otel_mas.record.pipeline.span_data import SpanData
    from otel_mas.store.rows import Batch

_BEAT_S = 1.0  # of the heartbeat: how exactly the end of a killed process is known
_IDLE_BEAT_S = 5.0  # a third of the time after which a process counts as dead
_RETAIN_S = 60.0
_START_S = 5.0  # that a thread may take to start
_MAX_INTERVALS = 5  # that a batch is waited for
_BUSY_SPANS = 8  # in one interval: a larger batch is cheaper by the span, and interrupts the app's threads less often
_UNRECOVERABLE = (StoreClosed, StoreCorrupt, StoreReadOnly, StoreReplaced)
_MAX_REPLACEMENTS = 5  # of the store's file, while the same batch is written


class Writer:
    """One daemon thread that owns the store's connection.

    Args:
        queue: of the recording.
        prepare: given the service's name, returns the function that opens the store; may raise StoreError.
        opened: given an open store, returns the builder of its batches.
        interval_s: how long a span waits at most while more may come.
        batch_spans: spans in one transaction.
        resend: called once the store has lost messages that it had.
        content_leaves: content is shipped with its span, so that small content is committed with it at exit as well.
        thread_started: called with the id of the thread.
        before_commit: called before spans are committed; may raise StoreLocked, to be called again later.
        after_commit: called after spans were committed.
        ended: called with ended spans, once they are committed or dropped.
    """

    def __init__(
        self,
        queue: SpanQueue,
        prepare: Callable[[str], Callable[[], Store]],
        opened: Callable[[Store], BatchBuilder],
        *,
        interval_s: float,
        batch_spans: int,
        resend: Callable[[], None],
        thread_started: Callable[[int], None],
        before_commit: Callable[[], None] = lambda: None,
        after_commit: Callable[[], None] = lambda: None,
        ended: Callable[[Sequence[SpanData]], None] = lambda _: None,
        content_leaves: bool = False,
    ) -> None:
        self._queue = queue
        self._content_leaves = content_leaves
        self._prepare = prepare
        self._interval_s = interval_s
        self._batch_spans = batch_spans
        self._resend = resend
        self._thread_started = thread_started
        self._before_commit = before_commit
        self._after_commit = after_commit
        self._ended = ended
        self._requests = Requests()
        self._warnings = Warnings(queue)
        self._access = StoreAccess(opened, queue, self._requests, self._warnings)
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()
        self._contents = ContentLane(queue, self._write_meanwhile, lambda: self._requests.is_over)
        self._contents_left = False  # there was no time or room for all of them in the last batch
        self.finished = False
        self._writing = 0  # spans taken from the queue whose batch is not committed yet
        self._dropped = 0  # batches that could not be written
        self._reported = threading.local()  # of these, by the last flush of each thread
        self.failed = False

    @property
    def unwritten_spans(self) -> int:
        """Number of ended spans that are not committed yet."""
        return self._queue.waiting_spans + self._writing

    # -- for other threads -----------------------------------------------------------------------------------------

    def wake(self) -> None:
        """Wake the thread: something has been queued. Starts it the first time."""
        self._queue.idle = False
        if self._thread is None:
            if not self._starting.acquire(blocking=False):
                return  # another thread is starting it
            try:
                if self._thread is None:
                    thread = threading.Thread(target=self._run, name="otel-mas writer", daemon=True)
                    thread.start()
                    self._thread = thread
            except RuntimeError:  # the interpreter is ending, and from Python 3.12 on starts none: `stop` writes it all
                pass
            finally:
                self._starting.release()
        self._requests.wake()

    def flush(self, timeout_s: float) -> bool:
        """Wait until all that is queued now is written.

        Returns:
            False where it was not in time, or a batch was dropped since the last flush of this thread.
        """
        written = self._ask(Request(timeout_s, False))
        reported, self._reported.batches = getattr(self._reported, "batches", 0), self._dropped
        return written and self._reported.batches == reported

    def stop(self, timeout_s: float, cpu_s: float | None = None) -> bool:
        """Write all that is queued, tell the store that this process is done, end the thread.

        Args:
            timeout_s: of the clock: for content, and for locks.
            cpu_s: of this process's CPU time, for spans; as long as `timeout_s` by default.
        """
        return self._ask(Request(timeout_s, True, cpu_s))

    def hold(self, timeout_s: float) -> bool:
        """Close the store for a fork, until `resume`; False where it is still in use after `timeout_s`."""
        return self._access.hold(timeout_s)

    def resume(self) -> None:
        """Go on after `hold`."""
        self._access.resume()

    def _ask(self, request: Request) -> bool:
        if self._thread is None and self._starting.acquire(timeout=min(request.timeout_s, _START_S)):
            self._starting.release()  # another thread has been starting it
        thread = self._thread
        if thread is threading.current_thread():
            return False
        if thread is None and request.stop and len(self._queue):
            self._requests.stop = request
            copy_context().run(self._run)
        elif thread is not None and self._is_alive():
            written = self._requests.wait(request, self._is_alive, self._is_working)
            if not self.finished:  # which it may have done before it got this request
                return written
        late = self._queue.losses.spans[DropReason.EXIT_TIMEOUT]
        return not (len(self._queue) or self.failed or self._access.lost or late)

    def _is_alive(self) -> bool:
        return self._thread is not None and self._thread.is_alive() and not self.finished

    def _is_working(self) -> bool:
        return not self._access.locked

    # -- the thread ------------------------------------------------------------------------------------------------

    def _run(self) -> None:
        attach(set_value(SUPPRESSED, True))
        self._thread_started(threading.get_ident())
        try:
            service = self._queue.service() or "unknown_service"
            with self._access.lock:  # a child that is forked amid an import never gets the module
                self._access.open_store = self._prepare(service)
            self._access.parts = self._access.open()
            self._work()
        except GivenUp as error:
            self._drop_waiting(error.reason)
        except StoreError as error:
            self._give_up(error)
        except Exception as error:
            self._give_up(error)
            caught("writer: thread", error)
        finally:
            answer(self._requests.open, False)

    def _give_up(self, error: Exception) -> None:
        logger.warning("otel-mas: nothing is recorded: %s", error)
        self.failed = True
        self._queue.drop_reason = reason_of(error)
        self._queue.closed = True
        self._drop_waiting(self._queue.drop_reason)
        self._queue.clear()

    def _drop_waiting(self, reason: DropReason) -> None:
        """Count all that waits as dropped."""
        self._contents.drop_waiting(reason)
        self._drop(self._queue.drain(self._queue.waiting_spans), reason)

    def _drop(self, drained: Drained, reason: DropReason) -> None:
        self._dropped += 1
        losses = self._queue.losses
        for span in drained.ended:
            losses.span(span.context[:2], reason)
        for part in drained.row_parts:
            losses.content(part.key, reason)
        self._contents.drop_uncommitted(reason)

    def _work(self) -> None:
        retained = beaten = time.monotonic()
        while self._requests.stop is None:
            self._wait()
            if not (len(self._queue) or self._requests.open or self._queue.open_spans):
                if time.monotonic() - beaten < _IDLE_BEAT_S:
                    self._access.verify()
                else:
                    self._write_next()  # nothing: the heart beats
                    beaten = time.monotonic()
                continue
            requests, self._requests.open = self._requests.open, []
            self._write_batches(all_of_them=bool(requests))
            if self._requests.stop is None:
                self._confirm(requests)
            else:
                self._requests.open += requests
            if time.monotonic() - retained > _RETAIN_S:
                self._retain()
                retained = time.monotonic()
        self._finish()

    def _wait(self) -> None:
        """Wait until something is queued, then one interval for more; several intervals while many spans end."""
        queue, requests = self._queue, self._requests
        queue.idle = True
        if not len(queue) and not requests.open:
            requests.listen(_BEAT_S)
        queue.idle = False
        requests.hear_all()  # what has woken it does not cut the interval short
        for _ in range(_MAX_INTERVALS):
            before = queue.waiting_spans
            if requests.open or before >= self._batch_spans:
                return
            requests.listen(self._interval_s)
            if queue.waiting_spans < before + _BUSY_SPANS:
                return

    def _write_batches(self, *, all_of_them: bool) -> None:
        """Write what waits, spans first: content waits for all of them, and none of them for much content.

        Args:
            all_of_them: whether spans and content that come meanwhile are written too. Otherwise they wait for the next
                batch: a busy app would be given many small ones.
        """
        queue = self._queue
        while True:
            self._write_next()
            self._warnings.report_drops()
            if all_of_them:
                more = queue.waiting_spans or queue.waiting_contents
            else:
                more = queue.waiting_spans >= self._batch_spans or self._contents_left
            if not more:
                return
            self._requests.hear_all()
            if queue.waiting_spans and self._requests.is_over_for_spans:
                self._drop_waiting(DropReason.EXIT_TIMEOUT)

    def _write_next(self, *, contents: bool = True) -> None:
        """Write one batch, or count it as dropped."""
        self._access.verify()
        if self._access.parts is None:
            if not (len(self._queue) or self._queue.open_spans):
                return  # no store is made for nothing
            # Before anything is taken from the queue, where open spans are added.
            self._access.parts = self._access.reopen()
        drained = self._queue.drain(self._batch_spans)
        self._writing = len(drained.ended)
        try:
            self._write(drained, contents=contents)
        except GivenUp as error:
            self._drop(drained, error.reason)
            raise
        except _UNRECOVERABLE as error:
            self._drop(drained, reason_of(error))
            raise
        except StoreError as error:  # a full disk, say: it may have room again for the next one
            self._drop(drained, reason_of(error))
            self._warnings.warn("write", "otel-mas: %d spans dropped just now: %s", len(drained.ended), error)
        except Exception as error:
            self._drop(drained, DropReason.FAILED_BATCH)
            caught("writer: batch", error)
        finally:
            self._ended(drained.ended)
        self._writing = 0

    def _write(self, drained: Drained, *, contents: bool) -> None:
        """Commit a batch; where the store is replaced meanwhile, to the next one."""
        failed: Batch | None = None
        for _ in range(_MAX_REPLACEMENTS):
            if self._access.parts is None:
                self._access.parts = self._access.reopen()
            store, builder = self._access.parts
            try:
                batch = self._access.retry(
                    partial(builder.batch, drained, LockedKeys(store, self._access.lock)), uses_store=False
                )
                if failed is not None:
                    batch.take_over(failed)
                failed = batch
                for value in builder.values:
                    self._queue.keep_value(value)
                builder.values.clear()
                if contents and (self._content_leaves or not (drained.ended and self._requests.stop)):
                    self._contents.fill(batch, builder.contents, alone=not drained.ended)
                self._contents_left = self._queue.waiting_contents > 0
                batch.add_redacted(builder.redacted())
                self._contents.tell(batch)
                self._commit(batch, store)
            except StoreReplaced as error:
                self._access.replaced(store, error)
                continue
            if contents and not self._queue.waiting_contents and store.forgotten():
                self._resend()
            return
        raise self._access.replacement or StoreReplaced("the store's file is replaced again and again")

    def _commit(self, batch: Batch, store: Store) -> None:
        try:
            self._access.retry(partial(self._commit_once, batch, store))
        except BaseException:
            self._queue.losses.restore(batch.drops, batch.dropped_spans)
            raise
        self._access.committed(len(batch.spans))
        self._contents.committed()

    def _commit_once(self, batch: Batch, store: Store) -> None:
        if batch.spans:
            self._before_commit()
        store.write(batch)
        if batch.spans:
            self._after_commit()

    def _write_meanwhile(self) -> None:
        """Write the spans that have ended while content is redacted; without any, the heart beats."""
        try:
            self._write_next(contents=False)
        finally:
            self._requests.hear_all()

    def _retain(self) -> None:
        if self._access.parts is None:
            return
        store = self._access.parts[0]
        try:
            with self._access.lock:
                store.retain()
        except StoreLocked:  # by another process, which may be doing the same
            pass
        except StoreReplaced as error:
            self._access.replaced(store, error)

    def _finish(self) -> None:
        self._write_batches(all_of_them=True)
        if not self._requests.is_over:
            self._retain()
        if self._access.parts is not None:
            store, builder = self._access.parts
            try:
                self._access.retry(partial(store.finish, self._queue.losses.totals(), builder.withheld))
            except StoreReplaced as error:
                self._access.replaced(store, error)
            with self._access.lock:
                store.close()
        self.finished = True
        answer(self._requests.open, not self._access.lost)

    def _confirm(self, requests: list[Request]) -> None:
        """Answer whether all that was recorded since the last flush is in the store."""
        if requests:
            answer(requests, self._access.confirm())


__all__ = ["Writer"]
