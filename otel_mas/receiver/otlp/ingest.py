"""Received requests → commits: a bounded queue, a thread that decodes, and a thread that commits.

A request is answered once its rows are on the disk. Everything that is decoded while a commit is under way goes into
the next one, so that many requests share a commit without waiting for each other. SQLite inserts without the
interpreter's lock: meanwhile the next requests are decoded.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import closing
from dataclasses import dataclass, field
from typing import Final

from otel_mas.config import Settings
from otel_mas.errors import StoreError, StoreReplaced
from otel_mas.errors.log import logger
from otel_mas.receiver.otlp.decode import Decoded, Decoder, Signal
from otel_mas.receiver.otlp.figures import Figures
from otel_mas.receiver.otlp.outcome import Outcome, Reason, Refused
from otel_mas.store.connection import open_for_reading, open_for_writing
from otel_mas.store.journal import Checkpointer
from otel_mas.store.otlp_rows import RunWriter, RunWriters, privacy_of
from otel_mas.store.own_figures import OwnFigures
from otel_mas.store.retention import Caps, retain
from otel_mas.store.rows import Batch

_RETRY_S: Final = 1.0
_STORE_RETRY_S: Final = 5.0
_GROUP_ROWS: Final = 4096  # of a commit: what comes later waits for the next one
_MAX_DECODED_ROWS: Final = 2 * _GROUP_ROWS
_LEAST_BYTES: Final = 1024  # that a request counts for: its objects
_IDLE_S: Final = 5.0  # between heartbeats
_RETAIN_EVERY_S: Final = 60.0
_DAY_NS: Final = 86_400 * 10**9


@dataclass(slots=True, eq=False)
class _Request:
    signal: Signal
    body: bytes
    encoding: str
    is_json: bool
    size: int
    arrived_ns: int
    future: Future[Outcome] = field(default_factory=Future)


class Ingest:
    """Takes requests from any thread, and stores them.

    Args:
        settings: the store, its caps, the bounds of requests and queue, and privacy.
        figures: counts what happens.
        store_lost: called, on a thread of the receiver, where the store's file is another one by now.

    Raises:
        StoreError: the store cannot be written.
    """

    def __init__(
        self, settings: Settings, figures: Figures, store_lost: Callable[[StoreReplaced], object] = lambda _: None
    ) -> None:
        self._settings = settings
        self._figures = figures
        self._store_lost = store_lost
        self._runs = RunWriters(
            settings.store, max_bytes=0, max_age_ns=0, durable=True, autocheckpoint=False, figures=OwnFigures()
        )
        writer = self._runs.of(None).writer
        self.path = writer.path
        privacy = privacy_of(settings, writer.digest_key)
        self._reading = open_for_reading(self.path)
        self._checkpointer = Checkpointer(self.path)
        self._decoder = Decoder(settings, self._runs, self._reading, privacy)
        self._waiting: deque[_Request] = deque()
        self._decoded: deque[tuple[_Request, Decoded]] = deque()
        self._decoded_rows = 0
        self._bytes = 0
        self._changed = threading.Condition()
        self._closed = self._drained = False
        self._failure: str | None = None
        self._ended = threading.Event()
        self._threads = [
            threading.Thread(target=work, name=f"otel-mas receive {name}", daemon=True)
            for name, work in (("decode", self._decode), ("commit", self._commit), ("retain", self._retain))
        ]
        figures.observe(lambda: self._bytes, self.path)
        for thread in self._threads:
            thread.start()

    @property
    def failure(self) -> str | None:
        """Reason for which requests cannot be stored now; None where they can."""
        return "it is stopping" if self._closed else self._failure

    def reserve(self, size: int) -> None:
        """Count bytes that are being received. Raises Refused where the queue has no room for them."""
        with self._changed:
            self._refuse_more(size)
            self._bytes += size

    def release(self, size: int) -> None:
        """Count bytes no more."""
        with self._changed:
            self._bytes -= size

    def submit(self, signal: Signal, body: bytes, encoding: str = "", *, is_json: bool = False) -> Future[Outcome]:
        """Queue a request.

        Returns:
            Its outcome once it is stored; or the future raises Refused.

        Raises:
            Refused: the queue is full, or it is stopping.
        """
        request = _Request(signal, body, encoding, is_json, max(len(body), _LEAST_BYTES), time.monotonic_ns())
        with self._changed:
            self._refuse_more(request.size)
            self._bytes += request.size
            self._waiting.append(request)
            self._changed.notify_all()
        return request.future

    def stop(self, timeout_s: float) -> bool:
        """Accept nothing more, and store what was accepted; returns whether all of it was within the time."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._ended.set()
        deadline = time.monotonic() + timeout_s
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        done = not any(thread.is_alive() for thread in self._threads)
        self._checkpointer.close(max(0.0, deadline - time.monotonic()))
        if done:
            self._reading.close()
            self._runs.close()
        return done

    def _refuse_more(self, size: int) -> None:
        if self._closed:
            raise Refused(Reason.UNAVAILABLE, "the receiver is stopping: send to its successor", _RETRY_S)
        most = self._settings.receive_queue_bytes
        if self._bytes and self._bytes + size > most:
            raise Refused(Reason.BUSY, f"{self._bytes:,} bytes wait to be stored: try again later", _RETRY_S)

    def _decode(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(
                    lambda: self._decoded_rows < _MAX_DECODED_ROWS and (self._waiting or self._closed)
                )
                if not self._waiting:
                    self._drained = True
                    self._changed.notify_all()
                    return
                request = self._waiting.popleft()
            try:
                decoded = self._decoder.decode(request.signal, request.body, request.encoding, is_json=request.is_json)
            except Exception as error:
                self._answer([(request, self._status_error(error))])
                continue
            request.body = b""
            with self._changed:
                self._decoded.append((request, decoded))
                self._decoded_rows += decoded.rows
                self._changed.notify_all()

    def _commit(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._decoded or self._drained, _IDLE_S)
                group = self._next_group()
                if not group and self._drained:
                    return
            try:
                self._write(group)
                answers: list[tuple[_Request, Outcome | Refused]] = [(one, done.outcome) for one, done in group]
            except Exception as error:
                status_error = self._status_error(error)
                answers = [(one, status_error) for one, _ in group]
            self._answer(answers)

    def _next_group(self) -> list[tuple[_Request, Decoded]]:
        group: list[tuple[_Request, Decoded]] = []
        rows = 0
        while self._decoded and rows < _GROUP_ROWS:
            group.append(self._decoded.popleft())
            rows += group[-1][1].rows
        self._decoded_rows -= rows
        self._changed.notify_all()
        return group

    def _write(self, group: list[tuple[_Request, Decoded]]) -> None:
        """Commit a group, or a heartbeat."""
        began = time.perf_counter()
        batches: dict[RunWriter, Batch] = {} if group else {self._runs.of(None): Batch()}
        for _, decoded in group:
            for run, batch in decoded.batches.items():
                known = batches.setdefault(run, batch)
                if known is not batch:
                    known.spans += batch.spans
                    known.contents += batch.contents
                    known.add_redacted(batch.redacted)
        for run, batch in batches.items():
            with run.lock:
                run.writer.write(batch)
        self._failure = None
        if group:
            self._figures.committed(time.perf_counter() - began)
            self._checkpointer.committed(sum(decoded.size for _, decoded in group))

    def _status_error(self, error: Exception) -> Refused:
        if isinstance(error, Refused):
            return error
        if isinstance(error, StoreError):
            before, self._failure = self._failure, str(error)
            if self._failure != before:  # not with each request that is sent again
                logger.warning("otel-mas: received spans cannot be stored: %s", error)
            if isinstance(error, StoreReplaced):
                self._store_lost(error)
            return Refused(Reason.UNAVAILABLE, str(error), _STORE_RETRY_S)
        logger.exception("otel-mas: a received request failed")
        return Refused(Reason.MALFORMED, f"the request cannot be read ({type(error).__name__})")

    def _answer(self, answers: list[tuple[_Request, Outcome | Refused]]) -> None:
        with self._changed:
            self._bytes -= sum(request.size for request, _ in answers)
        for request, answer in answers:
            self._figures.answered(request.signal, answer, (time.monotonic_ns() - request.arrived_ns) / 1e9)
            if not request.future.set_running_or_notify_cancel():
                continue  # the client has gone
            if isinstance(answer, Refused):
                request.future.set_exception(answer)
            else:
                request.future.set_result(answer)

    def _retain(self) -> None:
        """Keep the store within its caps, on a connection of its own: no commit waits for the whole of it."""
        settings = self._settings
        caps = Caps(settings.max_store_bytes, int(settings.max_age_days * _DAY_NS))
        while not self._ended.wait(_RETAIN_EVERY_S):
            try:
                with closing(open_for_writing(self.path)) as connection:
                    retain(connection, caps, 0, time.time_ns())
            except Exception as error:
                logger.warning("otel-mas: the store could not be kept within its caps: %s", error)


__all__ = ["Ingest"]
