"""The writer thread: takes batches from the queue, by count or interval, and commits them to the store."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from contextvars import copy_context
from functools import partial
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from opentelemetry.context import attach, set_value

from otel_mas.errors import StoreCorrupt, StoreError, StoreLocked, StoreReadOnly
from otel_mas.record.guard import caught
from otel_mas.record.queue import Drained, SpanQueue

if TYPE_CHECKING:
    # Loaded by the thread itself, so that the app's first span does not wait for it.
    from otel_mas.record.batches import BatchBuilder
    from otel_mas.store.rows import Batch

# The API's own key for it, under which OpenTelemetry's instrumentations (of sqlite3, say) stay silent.
_SUPPRESS = "suppress_instrumentation"
_BEAT_S = 1.0  # what is known of a span that a killed process left open is as exact as this
_RETAIN_S = 60.0
_WARN_S = 60.0
_ALIVE_S = 0.05  # how often whoever waits looks whether the thread is still there
_RETRY_S = (0.05, 1.0)  # first and longest pause
_HOPELESS = (StoreCorrupt, StoreReadOnly)

T = TypeVar("T")
logger = logging.getLogger("otel_mas")


class Store(Protocol):
    """What the writer needs of `otel_mas.store.StoreWriter`."""

    digest_key: bytes
    store_id: str

    def resource(self, attributes: Mapping[str, Any], schema_url: str, body: bytes) -> int: ...
    def scope(self, name: str, version: str, attributes: Mapping[str, Any], schema_url: str) -> int: ...
    def write(self, batch: Batch) -> None: ...
    def forgotten(self) -> frozenset[bytes]: ...
    def retain(self) -> int: ...
    def finish(self, dropped: int, withheld: int) -> None: ...
    def release(self) -> None: ...
    def close(self) -> None: ...


class _Request:
    """Somebody waits until what was queued before is written."""

    __slots__ = ("deadline", "done", "stop", "written")

    def __init__(self, deadline: float, stop: bool) -> None:
        self.deadline = deadline
        self.stop = stop
        self.done = threading.Event()
        self.written = False


class _GivenUp(Exception):
    """The store stayed locked until the process had to end."""


class Writer:
    """One daemon thread that owns the store's connection.

    Args:
        queue: what it writes.
        open_store: opens the store, given the service's name, and makes what builds batches for it; raises StoreError.
        interval_s: how long a span waits at most while more may come.
        batch_spans: spans in one transaction.
        resend: called where the store has lost messages that were sent before.
        thread_started: called with the id of the thread.
    """

    def __init__(
        self,
        queue: SpanQueue,
        open_store: Callable[[str], tuple[Store, BatchBuilder]],
        *,
        interval_s: float,
        batch_spans: int,
        resend: Callable[[], None],
        thread_started: Callable[[int], None],
    ) -> None:
        self._queue = queue
        self._open_store = open_store
        self._interval_s = interval_s
        self._batch_spans = batch_spans
        self._resend = resend
        self._thread_started = thread_started
        self._bell: SimpleQueue[_Request | None] = SimpleQueue()  # reentrant, unlike threading's events
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()
        self._requests: list[_Request] = []
        self._stop: _Request | None = None
        self._parts: tuple[Store, BatchBuilder] | None = None
        self._warned: dict[str, float] = {}
        self._reported = 0
        self._using_store = threading.Lock()
        self._held = False
        self._finished = False
        self.lost = 0  # spans taken from the queue that could not be written
        self.failed = False

    # -- for other threads -----------------------------------------------------------------------------------------

    def wake(self) -> None:
        """Something has been queued. Starts the thread the first time."""
        self._queue.idle = False
        if self._thread is None:
            if not self._starting.acquire(blocking=False):
                return  # another thread is at it
            try:
                if self._thread is None:
                    thread = threading.Thread(target=self._run, name="otel-mas writer", daemon=True)
                    thread.start()
                    self._thread = thread
            except RuntimeError:  # the interpreter is ending, and from Python 3.12 on starts none: `stop` writes it all
                pass
            finally:
                self._starting.release()
        self._bell.put(None)

    def flush(self, timeout_s: float) -> bool:
        """Wait until all that is queued now is written; False where it was not in time."""
        return self._ask(timeout_s, stop=False)

    def stop(self, timeout_s: float) -> bool:
        """Write all that is queued, tell the store that this process is done, end the thread."""
        return self._ask(timeout_s, stop=True)

    def hold(self, timeout_s: float) -> bool:
        """Wait until the thread is between two uses of the store, close the connection, and keep it so until `resume`.

        Returns:
            False where that took longer than `timeout_s`: the thread has not been stopped.
        """
        self._held = True
        if not self._using_store.acquire(timeout=timeout_s):
            self._held = False
            return False
        if self._parts is not None:
            self._parts[0].release()
        return True

    def resume(self) -> None:
        """Go on after `hold`; the next use of the store opens it again."""
        self._held = False
        self._using_store.release()

    def _ask(self, timeout_s: float, stop: bool) -> bool:
        thread = self._thread
        if thread is threading.current_thread():
            return False
        if thread is None and stop and len(self._queue):
            self._stop = _Request(time.monotonic() + timeout_s, stop)
            copy_context().run(self._run)
        elif thread is not None and thread.is_alive() and not self._finished:
            request = _Request(time.monotonic() + timeout_s, stop)
            self._bell.put(request)
            while not request.done.wait(max(0.0, min(_ALIVE_S, request.deadline - time.monotonic()))):
                if time.monotonic() >= request.deadline or self._finished or not thread.is_alive():
                    break
            if not self._finished:  # which may have come before it heard of this request
                return request.written
        return not len(self._queue) and not self.failed

    # -- the thread ------------------------------------------------------------------------------------------------

    def _run(self) -> None:
        attach(set_value(_SUPPRESS, True))
        self._thread_started(threading.get_ident())
        try:
            service = self._queue.service() or "unknown_service"
            self._parts = self._insist(partial(self._open_store, service))
            self._work(*self._parts)
        except _GivenUp:
            self.lost += self._queue.waiting_spans
        except StoreError as error:
            self._give_up(error)
        except Exception as error:
            self._give_up(error)
            caught("writer: thread", error)
        finally:
            self._answer(self._requests, False)

    def _give_up(self, error: Exception) -> None:
        self.lost += self._queue.waiting_spans
        lost = f"; spans lost: {self.lost}" if self.lost else ""
        logger.warning("otel-mas: nothing is recorded: %s%s", error, lost)
        self.failed = True
        self._queue.closed = True
        self._queue.clear()

    def _work(self, store: Store, builder: BatchBuilder) -> None:
        retained = time.monotonic()
        while self._stop is None:
            self._wait()
            asked, self._requests = self._requests, []
            self._write_all(store, builder)
            if self._stop is None:
                self._answer(asked, True)
            else:
                self._requests += asked
            if time.monotonic() - retained > _RETAIN_S:
                self._retain(store)
                retained = time.monotonic()
        self._finish(store, builder)

    def _wait(self) -> None:
        """Until something is queued; then as long as more may come to the same batch."""
        queue = self._queue
        queue.idle = True
        if not len(queue) and not self._requests:
            self._listen(_BEAT_S if queue.open else None)
        queue.idle = False
        if not self._requests:
            self._listen(self._interval_s)

    def _listen(self, timeout_s: float | None) -> None:
        try:
            self._heard(self._bell.get(timeout=timeout_s))
            while True:
                self._heard(self._bell.get_nowait())
        except Empty:
            pass

    def _heard(self, request: _Request | None) -> None:
        if request is not None:
            self._requests.append(request)
            if request.stop:
                self._stop = request

    def _write_all(self, store: Store, builder: BatchBuilder) -> None:
        while True:
            drained = self._queue.drain(self._batch_spans)
            try:
                self._write(drained, store, builder)
            except (_GivenUp, *_HOPELESS):
                self.lost += len(drained.ended)
                raise
            except StoreError as error:  # a full disk, say: it may have room again for the next one
                self.lost += len(drained.ended)
                self._warn("write", "otel-mas: %d spans lost so far: %s", self.lost, error)
            except Exception as error:
                self.lost += len(drained.ended)
                caught("writer: batch", error)
            self._report()
            if not self._queue.waiting_spans:
                return

    def _write(self, drained: Drained, store: Store, builder: BatchBuilder) -> None:
        batch = self._insist(partial(builder.batch, drained, store))
        self._insist(partial(store.write, batch))
        if store.forgotten():
            self._resend()

    def _insist(self, action: Callable[[], T]) -> T:
        """Do it, trying again for as long as another process keeps the store locked."""
        pause, longest = _RETRY_S
        while True:
            while self._held:  # a lock goes to whoever asks first after it is free, which would be this thread
                time.sleep(0.001)
            try:
                with self._using_store:
                    return action()
            except StoreLocked as error:
                if self._stop is not None and time.monotonic() > self._stop.deadline:
                    raise _GivenUp from error
                self._warn("locked", "otel-mas: what is recorded waits in memory: %s", error)
                self._report()
            self._listen(pause)
            pause = min(2 * pause, longest)

    def _retain(self, store: Store) -> None:
        try:
            with self._using_store:
                store.retain()
        except StoreLocked:  # by another process, which may be at the same
            pass

    def _finish(self, store: Store, builder: BatchBuilder) -> None:
        self._write_all(store, builder)
        self._retain(store)
        self._insist(partial(store.finish, self._queue.dropped + self.lost, builder.withheld))
        with self._using_store:
            store.close()
        self._finished = True
        self._answer(self._requests, True)

    @staticmethod
    def _answer(requests: list[_Request], written: bool) -> None:
        for request in requests:
            request.written = written
            request.done.set()
        requests.clear()

    # -- what is said ----------------------------------------------------------------------------------------------

    def _report(self) -> None:
        dropped = self._queue.dropped
        if dropped > self._reported and self._warn(
            "dropped",
            "otel-mas: the recording queue is full: %d spans or contents dropped so far; their traces are marked. "
            "Raise OTEL_MAS_QUEUE_SPANS or OTEL_MAS_QUEUE_BYTES",
            dropped,
        ):
            self._reported = dropped

    def _warn(self, what: str, message: str, *values: object) -> bool:
        """Once a minute for each kind of trouble."""
        now = time.monotonic()
        if now - self._warned.get(what, -_WARN_S) < _WARN_S:
            return False
        self._warned[what] = now
        logger.warning(message, *values)
        return True


__all__ = ["Store", "Writer"]
