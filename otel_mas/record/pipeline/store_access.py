"""The writer's store: opened by its thread, held by a fork meanwhile, opened again after it was replaced."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any, TypeVar

from otel_mas.errors import StoreError, StoreJournalFull, StoreLocked, StoreReplaced
from otel_mas.model.dropped import DropReason
from otel_mas.record.pipeline.losses import reason_of
from otel_mas.record.pipeline.queue import SpanQueue
from otel_mas.record.pipeline.requests import Requests
from otel_mas.record.pipeline.store_port import Store
from otel_mas.record.pipeline.warnings import Warnings

if TYPE_CHECKING:
    # Loaded by the thread itself, so that the app's first span does not wait for it.
    from otel_mas.record.pipeline.batches import BatchBuilder

_SETTLE_POLL_S = 0.05
_RETRY_S = (0.02, 0.2)  # first and longest pause
_COMMIT_S = 0.02  # how long a fork waits for a commit before it has it rolled back
_INTERRUPT_S = 0.05
_MAX_INTERRUPTIONS = 3  # of the same batch
_SETTLE_S = 5.0  # how long a file that is being copied to the store's path is waited for

T = TypeVar("T")


class LockedKeys:
    """A store's keys, in use only while one is looked up: building a batch takes long."""

    def __init__(self, store: Store, lock: threading.Lock) -> None:
        self._store = store
        self._lock = lock

    def resource(self, attributes: Mapping[str, Any], schema_url: str, body: bytes) -> int:
        with self._lock:
            return self._store.resource(attributes, schema_url, body)

    def scope(self, name: str, version: str, attributes: Mapping[str, Any], schema_url: str) -> int:
        with self._lock:
            return self._store.scope(name, version, attributes, schema_url)


class GivenUp(Exception):
    """The store stayed locked until the process had to end."""

    def __init__(self, reason: DropReason) -> None:
        self.reason = reason


class StoreAccess:
    """The store that one thread writes to; a fork may hold it meanwhile.

    Args:
        opened: given an open store, returns the builder of its batches.
        queue: of the recording.
        requests: of other threads, which are heard while the store is waited for.
        warnings: of the writer.
    """

    def __init__(
        self, opened: Callable[[Store], BatchBuilder], queue: SpanQueue, requests: Requests, warnings: Warnings
    ) -> None:
        self._opened = opened
        self._queue = queue
        self._requests = requests
        self._warnings = warnings
        self.open_store: Callable[[], Store]
        """Opens the store; set by the thread, once it has imported what that takes."""
        self.parts: tuple[Store, BatchBuilder] | None = None
        """The store and the builder of its batches; None before the first one, and after one was replaced."""
        self._store: Store | None = None  # opened last, also while its builder is still being made
        self.lock = threading.Lock()
        """Held by whoever uses the store."""
        self._held = False
        self.locked = False
        """Whether another process keeps the store locked."""
        self._interrupted = False  # for a fork, which may be over when the thread finds out
        self._interruptions = 0  # since the last commit
        self.replacement: StoreReplaced | None = None
        """The last one."""
        self._unconfirmed = 0  # spans written since the last confirmed flush
        self.lost = False
        """Whether some of these are in a file that is not at the store's path any more."""

    # -- around a fork ---------------------------------------------------------------------------------------------

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
        if self.lock.acquire(blocking=False):
            return True
        deadline = time.monotonic() + timeout_s
        patience = _COMMIT_S if self._interruptions < _MAX_INTERRUPTIONS else timeout_s / 2
        if self._store is not None:
            self._interrupted = True
            self._store.interrupt(patience)
        if self.lock.acquire(timeout=min(timeout_s, patience + _INTERRUPT_S)):
            return True
        while time.monotonic() < deadline:
            if self._store is not None:
                self._store.interrupt()
            if self.lock.acquire(timeout=_INTERRUPT_S):
                return True
        return False

    def resume(self) -> None:
        """Go on after `hold`; the next use of the store opens it again."""
        self._held = False
        self.lock.release()

    # -- on the writer's thread ------------------------------------------------------------------------------------

    def open(self) -> tuple[Store, BatchBuilder]:
        store = self.retry(self._connect)
        return store, self._opened(store)

    def _connect(self) -> Store:
        """Open the store, known to a fork from then on: it must not be forked with the connection open."""
        self._store = self.open_store()
        return self._store

    def verify(self) -> None:
        """Stop using a store whose files are not at its path any more."""
        if self.parts is not None:
            store = self.parts[0]
            try:
                self.retry(store.verify)
            except StoreReplaced as error:
                self.replaced(store, error)

    def replaced(self, store: Store, error: StoreReplaced) -> None:
        if self.parts is not None and self.parts[0] is store:
            self.parts = None
            self.replacement = error
            self.lost = self.lost or self._unconfirmed > 0
            self._unconfirmed = 0

    def reopen(self) -> tuple[Store, BatchBuilder]:
        """Go on in the store that is at the path now, or in a new one."""
        settled_by = time.monotonic() + _SETTLE_S
        if self._requests.stop is not None:
            settled_by = min(settled_by, self._requests.stop.last_moment)
        while self._store is not None and not self._store.is_settled() and time.monotonic() < settled_by:
            self._requests.listen(_SETTLE_POLL_S)
        try:
            parts = self.open()
        except StoreError as error:
            raise StoreReplaced(f"{self.replacement}, and {error}") from error
        self._warnings.warn(
            "replaced", "otel-mas: %s: recording goes on in the file that is there now", self.replacement
        )
        return parts

    def committed(self, spans: int) -> None:
        """Count spans that are in the store now."""
        self._unconfirmed += spans
        self._interruptions = 0

    def confirm(self) -> bool:
        """Whether all spans since the last call are in the store that is at its path."""
        lost, self.lost, self._unconfirmed = self.lost, False, 0
        return not lost

    def retry(self, action: Callable[[], T], *, uses_store: bool = True) -> T:
        """Perform an action, again and again while another process keeps the store locked.

        Args:
            uses_store: whether a fork has to wait for the action.
        """
        pause, longest = _RETRY_S
        while True:
            while self._held:  # a free lock goes to the thread that asks first, which would be this one
                time.sleep(0.001)
            try:
                with self.lock if uses_store else nullcontext():
                    done = action()
                self._queue.full_reason = DropReason.QUEUE_FULL
                self.locked = False
                return done
            except StoreLocked as error:
                self.locked = True
                stop = self._requests.stop
                if stop is not None and time.monotonic() > stop.deadline:
                    raise GivenUp(reason_of(error)) from error
                if isinstance(error, StoreJournalFull):
                    self._queue.full_reason = DropReason.JOURNAL_FULL
                if self._interrupted:
                    self._interrupted = False
                    self._interruptions += 1
                else:
                    self._warnings.warn("locked", "otel-mas: what is recorded waits in memory: %s", error)
                self._warnings.report_drops()
            self._requests.listen(pause)
            pause = min(2 * pause, longest)


__all__ = ["GivenUp", "LockedKeys", "StoreAccess"]
