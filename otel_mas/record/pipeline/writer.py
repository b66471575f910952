"""The writer thread: takes batches from the queue, by count or interval, and commits them to the store."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from contextvars import copy_context
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from opentelemetry.context import attach, set_value

from otel_mas.errors import (
    StoreClosed,
    StoreCorrupt,
    StoreError,
    StoreJournalFull,
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
from otel_mas.record.pipeline.store_port import Store

if TYPE_CHECKING:
    # Loaded by the thread itself, so that the app's first span does not wait for it.
    from otel_mas.record.pipeline.batches import BatchBuilder
    from otel_mas.store.rows import Batch

# The API's own key for it, under which OpenTelemetry's instrumentations (of sqlite3, say) stay silent.
_SUPPRESS = "suppress_instrumentation"
_BEAT_S = 1.0  # of the heartbeat: how exactly the end of a killed process is known
_RETAIN_S = 60.0
_MAX_INTERVALS = 5  # that a batch is waited for
_BUSY_SPANS = 8  # in one interval: a larger batch is cheaper by the span, and interrupts the app's threads less often
_WARN_S = 60.0
_SETTLE_POLL_S = 0.05
_RETRY_S = (0.05, 1.0)  # first and longest pause
_COMMIT_S = 0.02  # how long a fork waits for a commit before it has it rolled back
_INTERRUPT_S = 0.05
_MAX_INTERRUPTIONS = 3  # of the same batch
_UNRECOVERABLE = (StoreClosed, StoreCorrupt, StoreReadOnly, StoreReplaced)
_SETTLE_S = 5.0  # how long a file that is being copied to the store's path is waited for
_MAX_REPLACEMENTS = 5  # of the store's file, while the same batch is written

T = TypeVar("T")


class _LockedKeys:
    """A store's keys, in use only while one is looked up: building a batch takes long."""

    def __init__(self, store: Store, using_store: threading.Lock) -> None:
        self._store = store
        self._using_store = using_store

    def resource(self, attributes: Mapping[str, Any], schema_url: str, body: bytes) -> int:
        with self._using_store:
            return self._store.resource(attributes, schema_url, body)

    def scope(self, name: str, version: str, attributes: Mapping[str, Any], schema_url: str) -> int:
        with self._using_store:
            return self._store.scope(name, version, attributes, schema_url)


class _GivenUp(Exception):
    """The store stayed locked until the process had to end."""

    def __init__(self, reason: DropReason) -> None:
        self.reason = reason


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
        content_leaves: bool = False,
    ) -> None:
        self._queue = queue
        self._content_leaves = content_leaves
        self._prepare = prepare
        self._opened = opened
        self._interval_s = interval_s
        self._batch_spans = batch_spans
        self._resend = resend
        self._thread_started = thread_started
        self._before_commit = before_commit
        self._after_commit = after_commit
        self._requests = Requests()
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()
        self._contents = ContentLane(queue, self._write_meanwhile, lambda: self._requests.is_over)
        self._contents_left = False  # there was no time or room for all of them in the last batch
        self._parts: tuple[Store, BatchBuilder] | None = None
        self._store: Store | None = None  # opened last, also while its builder is still being made
        self._warned: dict[str, float] = {}
        self._reported = 0
        self._using_store = threading.Lock()
        self._held = False
        self._locked = False  # the store, by another process
        self._interrupted = False  # for a fork, which may be over when the thread finds out
        self._interruptions = 0  # since the last commit
        self._replacement: StoreReplaced | None = None  # the last one
        self._unconfirmed = 0  # spans written since the last confirmed flush
        self._lost = False  # some of these are in a file that is not at the store's path any more
        self.finished = False
        self._writing = 0  # spans taken from the queue whose batch is not committed yet
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
        """Wait until all that is queued now is written; False where it was not in time."""
        return self._ask(Request(timeout_s, False))

    def stop(self, timeout_s: float, cpu_s: float | None = None) -> bool:
        """Write all that is queued, tell the store that this process is done, end the thread.

        Args:
            timeout_s: of the clock: for content, and for locks.
            cpu_s: of this process's CPU time, for spans; as long as `timeout_s` by default.
        """
        return self._ask(Request(timeout_s, True, cpu_s))

    def hold(self, timeout_s: float) -> bool:
        """Wait until the thread is between two uses of the store, close the connection, and keep it so until `resume`.

        Returns:
            False where that took longer than `timeout_s`: the thread has not been stopped.
        """
        self._held = True
        self._held = self._interrupt_until_held(timeout_s)
        if self._held and self._store is not None:
            self._store.release()
        return self._held

    def _interrupt_until_held(self, timeout_s: float) -> bool:
        """Have a long commit rolled back and repeated; the same one a few times only, so that it succeeds.

        The thread itself looks at the time: among busy threads it takes long until this one runs again to tell it.
        """
        if self._using_store.acquire(blocking=False):
            return True
        deadline = time.monotonic() + timeout_s
        patience = _COMMIT_S if self._interruptions < _MAX_INTERRUPTIONS else timeout_s / 2
        if self._store is not None:
            self._interrupted = True
            self._store.interrupt(patience)
        if self._using_store.acquire(timeout=min(timeout_s, patience + _INTERRUPT_S)):
            return True
        while time.monotonic() < deadline:
            if self._store is not None:
                self._store.interrupt()
            if self._using_store.acquire(timeout=_INTERRUPT_S):
                return True
        return False

    def resume(self) -> None:
        """Go on after `hold`; the next use of the store opens it again."""
        self._held = False
        self._using_store.release()

    def _ask(self, request: Request) -> bool:
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
        return not (len(self._queue) or self.failed or self._lost or self._queue.losses.spans[DropReason.EXIT_TIMEOUT])

    def _is_alive(self) -> bool:
        return self._thread is not None and self._thread.is_alive() and not self.finished

    def _is_working(self) -> bool:
        return not self._locked

    # -- the thread ------------------------------------------------------------------------------------------------

    def _run(self) -> None:
        attach(set_value(_SUPPRESS, True))
        self._thread_started(threading.get_ident())
        try:
            service = self._queue.service() or "unknown_service"
            with self._using_store:  # a child that is forked amid an import never gets the module
                self._open_store = self._prepare(service)
            self._parts = self._open()
            self._work()
        except _GivenUp as error:
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
        losses = self._queue.losses
        for span in drained.ended:
            losses.span(span.context[:2], reason)
        for part in drained.row_parts:
            losses.content(part.key, reason)
        self._contents.drop_uncommitted(reason)

    def _work(self) -> None:
        retained = time.monotonic()
        while self._requests.stop is None:
            self._wait()
            if not (len(self._queue) or self._requests.open or self._queue.open_spans):
                self._verify()
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
            self._report()
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
        self._verify()
        if self._parts is None:
            if not (len(self._queue) or self._queue.open_spans):
                return  # no store is made for nothing
            self._parts = self._reopen()  # before anything is taken from the queue, where open spans are added
        drained = self._queue.drain(self._batch_spans)
        self._writing = len(drained.ended)
        try:
            self._write(drained, contents=contents)
        except _GivenUp as error:
            self._drop(drained, error.reason)
            raise
        except _UNRECOVERABLE as error:
            self._drop(drained, reason_of(error))
            raise
        except StoreError as error:  # a full disk, say: it may have room again for the next one
            self._drop(drained, reason_of(error))
            self._warn("write", "otel-mas: %d spans dropped just now: %s", len(drained.ended), error)
        except Exception as error:
            self._drop(drained, DropReason.FAILED_BATCH)
            caught("writer: batch", error)
        self._writing = 0

    def _write(self, drained: Drained, *, contents: bool) -> None:
        """Commit a batch; where the store is replaced meanwhile, to the next one."""
        failed: Batch | None = None
        for _ in range(_MAX_REPLACEMENTS):
            if self._parts is None:
                self._parts = self._reopen()
            store, builder = self._parts
            try:
                batch = self._retry(
                    partial(builder.batch, drained, _LockedKeys(store, self._using_store)), uses_store=False
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
                self._replaced(store, error)
                continue
            if contents and not self._queue.waiting_contents and store.forgotten():
                self._resend()
            return
        raise self._replacement or StoreReplaced("the store's file is replaced again and again")

    def _commit(self, batch: Batch, store: Store) -> None:
        try:
            self._retry(partial(self._commit_once, batch, store))
        except BaseException:
            self._queue.losses.restore(batch.drops, batch.dropped_spans)
            raise
        self._unconfirmed += len(batch.spans)
        self._interruptions = 0
        self._contents.committed()

    def _commit_once(self, batch: Batch, store: Store) -> None:
        if batch.spans:
            self._before_commit()
        store.write(batch)
        if batch.spans:
            self._after_commit()

    def _open(self) -> tuple[Store, BatchBuilder]:
        store = self._retry(self._connect)
        return store, self._opened(store)

    def _connect(self) -> Store:
        """Open the store, known to a fork from then on: it must not be forked with the connection open."""
        self._store = self._open_store()
        return self._store

    def _verify(self) -> None:
        """Stop using a store whose files are not at its path any more."""
        if self._parts is not None:
            store = self._parts[0]
            try:
                self._retry(store.verify)
            except StoreReplaced as error:
                self._replaced(store, error)

    def _replaced(self, store: Store, error: StoreReplaced) -> None:
        if self._parts is not None and self._parts[0] is store:
            self._parts = None
            self._replacement = error
            self._lost = self._lost or self._unconfirmed > 0
            self._unconfirmed = 0

    def _reopen(self) -> tuple[Store, BatchBuilder]:
        """Go on in the store that is at the path now, or in a new one."""
        settled_by = time.monotonic() + _SETTLE_S
        if self._requests.stop is not None:
            settled_by = min(settled_by, self._requests.stop.last_moment)
        while self._store is not None and not self._store.is_settled() and time.monotonic() < settled_by:
            self._requests.listen(_SETTLE_POLL_S)
        try:
            parts = self._open()
        except StoreError as error:
            raise StoreReplaced(f"{self._replacement}, and {error}") from error
        self._warn("replaced", "otel-mas: %s: recording goes on in the file that is there now", self._replacement)
        return parts

    def _write_meanwhile(self) -> None:
        """Write the spans that have ended while content is redacted; without any, the heart beats."""
        try:
            self._write_next(contents=False)
        finally:
            self._requests.hear_all()

    def _retry(self, action: Callable[[], T], *, uses_store: bool = True) -> T:
        """Perform an action, again and again while another process keeps the store locked.

        Args:
            uses_store: whether a fork has to wait for the action.
        """
        pause, longest = _RETRY_S
        while True:
            while self._held:  # a free lock goes to the thread that asks first, which would be this one
                time.sleep(0.001)
            try:
                with self._using_store if uses_store else nullcontext():
                    done = action()
                self._queue.full_reason = DropReason.QUEUE_FULL
                self._locked = False
                return done
            except StoreLocked as error:
                self._locked = True
                stop = self._requests.stop
                if stop is not None and time.monotonic() > stop.deadline:
                    raise _GivenUp(reason_of(error)) from error
                if isinstance(error, StoreJournalFull):
                    self._queue.full_reason = DropReason.JOURNAL_FULL
                if self._interrupted:
                    self._interrupted = False
                    self._interruptions += 1
                else:
                    self._warn("locked", "otel-mas: what is recorded waits in memory: %s", error)
                self._report()
            self._requests.listen(pause)
            pause = min(2 * pause, longest)

    def _retain(self) -> None:
        if self._parts is None:
            return
        store = self._parts[0]
        try:
            with self._using_store:
                store.retain()
        except StoreLocked:  # by another process, which may be doing the same
            pass
        except StoreReplaced as error:
            self._replaced(store, error)

    def _finish(self) -> None:
        self._write_batches(all_of_them=True)
        if not self._requests.is_over:
            self._retain()
        if self._parts is not None:
            store, builder = self._parts
            try:
                self._retry(partial(store.finish, self._queue.losses.totals(), builder.withheld))
            except StoreReplaced as error:
                self._replaced(store, error)
            with self._using_store:
                store.close()
        self.finished = True
        answer(self._requests.open, not self._lost)

    def _confirm(self, requests: list[Request]) -> None:
        """Answer whether all that was recorded since the last flush is in the store."""
        if requests:
            answer(requests, not self._lost)
            self._lost = False
            self._unconfirmed = 0

    # -- warnings --------------------------------------------------------------------------------------------------

    def _report(self) -> None:
        losses = self._queue.losses
        full = (DropReason.QUEUE_FULL, DropReason.JOURNAL_FULL)
        dropped = sum(losses.spans[reason] + losses.contents[reason] for reason in full)
        if dropped > self._reported and self._warn(
            "dropped",
            "otel-mas: the recording queue is full: %d spans or contents dropped so far; their traces are marked. "
            "Raise OTEL_MAS_QUEUE_SPANS or OTEL_MAS_QUEUE_BYTES",
            dropped,
        ):
            self._reported = dropped

    def _warn(self, trouble: str, message: str, *values: object) -> bool:
        """Warn, once a minute for each kind of trouble; returns whether it did."""
        now = time.monotonic()
        if now - self._warned.get(trouble, -_WARN_S) < _WARN_S:
            return False
        self._warned[trouble] = now
        logger.warning(message, *values)
        return True


__all__ = ["Writer"]
