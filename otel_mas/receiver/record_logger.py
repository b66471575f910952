"""`MASTraceLogger`: a bounded queue of records, and a thread that writes them."""

from __future__ import annotations

import asyncio
import atexit
import os
import secrets
import threading
from collections import deque
from collections.abc import Awaitable, Generator
from types import TracebackType
from typing import Final, Self

from otel_mas.config import Content, Settings
from otel_mas.errors import ConfigError, OtelMasError, arguments
from otel_mas.errors.log import logger
from otel_mas.fork import ForkLock
from otel_mas.receiver.redacted import RecordPrivacy
from otel_mas.receiver.targets import FileTarget, StoreTarget, Target, unhurried
from otel_mas.trace_records.record import MAX_PAYLOAD_BYTES, TraceRecord

_BATCH: Final = 100
_EXIT_TIMEOUT_S: Final = 5.0
_KEY_BYTES: Final = 32


class _Emitted(Awaitable[bool]):
    """The answer of `emit`: true where the record was taken. It may be awaited, which does not wait."""

    __slots__ = ("_taken",)

    def __init__(self, taken: bool) -> None:
        self._taken = taken

    def __bool__(self) -> bool:
        return self._taken

    def __await__(self) -> Generator[None, None, bool]:
        return self._taken
        yield  # makes it a generator, which ends at once


_TAKEN, _DROPPED = _Emitted(True), _Emitted(False)


class MASTraceLogger:
    """Keeps trace records that code has already: in a store, where they are spans like any other, or in a file.

    Code that has none needs the marks (docs/marking.md) instead. `emit` never blocks, whichever thread or event loop
    calls it: a thread writes. Records that do not fit into the queue are dropped, counted, and said once. Secrets are
    taken out as in recording (`OTEL_MAS_CONTENT`).

    Args:
        store: the store to write into; without `file`, by default the one of the settings.
        file: a file to add records to: `.jsonl` or `.msgpack`, with `.gz` after it gzipped.
        queue_records: number of records that may wait to be written.
        flush_interval_s: seconds between writes.
        wait_s: seconds that a record waits, on its way into a store, for the one that encloses it, which a program
            writes later. One that names its `parent_span_id` does not wait.
        max_payload_bytes: of the JSON of one payload; a longer one is shortened.
        content: "full", "redacted" or "none"; by default what `OTEL_MAS_CONTENT` says, or "redacted".
        may_ship: whether `otel-mas ship` may send the spans on.

    Raises:
        ConfigError: One of them means nothing.
        SourceError: No file can be called `file`.
    """

    def __init__(
        self,
        store: str | os.PathLike[str] | None = None,
        *,
        file: str | os.PathLike[str] | None = None,
        queue_records: int = 10_000,
        flush_interval_s: float = 0.2,
        wait_s: float = 300.0,
        max_payload_bytes: int = MAX_PAYLOAD_BYTES,
        content: Content | None = None,
        may_ship: bool = False,
    ) -> None:
        if store is not None:
            arguments.path("store", store)
        self._settings = Settings.from_env(store=store, content=content)
        self._into_store = file is None or store is not None
        self._file = None if file is None else arguments.path("file", file).expanduser()
        self._most = arguments.number_of("queue_records", queue_records, ConfigError)
        self._soon = max(queue_records // 4, 1)
        self._interval_s = arguments.seconds("flush_interval_s", flush_interval_s, ConfigError)
        self._wait_s = arguments.seconds("wait_s", wait_s, ConfigError)
        arguments.number_of("max_payload_bytes", max_payload_bytes, ConfigError)
        self._may_ship = may_ship
        self._privacy = RecordPrivacy(self._settings, max_payload_bytes)
        self._queue: deque[TraceRecord] = deque()
        self._wake = threading.Event()
        self._written = threading.Condition()
        self._asked = self._answered = 0
        self._ending = False
        self._thread: threading.Thread | None = None
        self._pid = 0
        self._targets: list[Target] = []
        self._warned: set[str] = set()
        self._dropped = 0
        self._counting = ForkLock()

    def __repr__(self) -> str:
        state = "stopped" if self._thread is None else "running"
        return f"<MASTraceLogger {state}, {len(self._queue)} waiting, {self.dropped} dropped>"

    @property
    def dropped(self) -> int:
        """Number of records that were dropped."""
        return self._dropped

    async def start(self) -> None:
        """Open the store or the file, and begin to write.

        Raises:
            StoreError: the store cannot be written.
            OSError: the file cannot be written.
            MissingExtra: MessagePack is asked for, and the package msgpack is not installed.
        """
        await asyncio.to_thread(self._start)

    def emit(self, record: TraceRecord) -> _Emitted:
        """Take a record. Never blocks and never raises; awaiting the answer is allowed, and does not wait.

        Returns:
            Whether the record was taken; false where the queue is full, or nothing is started.
        """
        if self._thread is None or self._pid != os.getpid():
            return self._drop("it is not started: `await logger.start()`")
        if len(self._queue) >= self._most:
            self._wake.set()
            return self._drop(f"its queue of {self._most:,} records is full")
        if not isinstance(record, TraceRecord):
            return self._drop(f"it was given a {type(record).__name__}, which is no TraceRecord")
        self._queue.append(record)
        if len(self._queue) == self._soon:
            self._wake.set()
        return _TAKEN

    async def flush(self, timeout: float = 5.0) -> bool:
        """Write what was emitted so far, also what waits for other records.

        Args:
            timeout: seconds to wait at most.

        Returns:
            Whether all of it is written.
        """
        return await asyncio.to_thread(self._flush, timeout)

    async def stop(self, timeout: float = 5.0) -> bool:
        """Write what was emitted, and end the thread. The logger may be started again.

        Args:
            timeout: seconds to wait at most.

        Returns:
            Whether all of it is written.
        """
        return await asyncio.to_thread(self._stop, timeout)

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    def _start(self) -> None:
        if self._thread is not None and self._pid == os.getpid():
            return
        self._targets = []
        key = secrets.token_bytes(_KEY_BYTES)
        if self._file is not None:
            self._targets.append(FileTarget(self._file))
        if self._into_store:
            counts = self._privacy.drain_counts
            store = StoreTarget(self._settings, self._wait_s, self._most, self._may_ship, counts)
            self._targets.append(store)
            key = store.digest_key
        self._privacy.set_key(self._settings.digest_key or key)
        self._ending, self._pid = False, os.getpid()
        self._thread = threading.Thread(target=self._run, name="otel-mas records", daemon=True)
        self._thread.start()
        atexit.register(self._stop, _EXIT_TIMEOUT_S)

    def _flush(self, timeout: float) -> bool:
        thread = self._thread
        if thread is None:
            return not self._queue
        with self._written:
            self._asked += 1
            asked = self._asked
            self._wake.set()
            self._written.wait_for(lambda: self._answered >= asked or not thread.is_alive(), timeout)
            return self._answered >= asked

    def _stop(self, timeout: float) -> bool:
        thread = self._thread
        if thread is None or self._pid != os.getpid():
            return not self._queue
        self._ending = True
        self._wake.set()
        thread.join(timeout)
        self._thread = None
        atexit.unregister(self._stop)
        if self._dropped:
            logger.warning("otel-mas: MASTraceLogger dropped %s records in all", f"{self._dropped:,}")
        return not thread.is_alive() and not self._queue

    def _run(self) -> None:
        last = False
        while not last:
            self._wake.wait(self._interval_s)
            self._wake.clear()
            last = self._ending
            asked = self._asked
            self._write_waiting(all_of_them=last or asked > self._answered)
            with self._written:
                self._answered = asked
                self._written.notify_all()
        for target in self._targets:
            try:
                target.close()
            except (OtelMasError, OSError) as error:
                self._warn(f"cannot close what it wrote: {error}")

    def _write_waiting(self, *, all_of_them: bool) -> None:
        while True:
            batch = [self._queue.popleft() for _ in range(min(len(self._queue), _BATCH))]
            more = bool(self._queue)
            kept = [one for one in map(self._kept, unhurried(batch)) if one is not None]
            for target in self._targets:
                self._write(target, kept, all_of_them and not more)
            if not more:
                return

    def _kept(self, record: TraceRecord) -> TraceRecord | None:
        try:
            return self._privacy.kept(record)
        except Exception as error:
            self._drop(f"one could not be redacted ({type(error).__name__})")
            return None

    def _write(self, target: Target, records: list[TraceRecord], all_of_them: bool) -> None:
        try:
            target.write(records, all_of_them=all_of_them)
        except (OtelMasError, OSError) as error:
            self._warn(f"cannot write records, and goes on trying: {error}")
        except Exception as error:  # the thread must not end: it would drop all that comes
            self._drop(f"they could not be written ({type(error).__name__}: {error})", len(records))
        lost = target.take_lost()
        if lost:
            self._drop("they could not be written", lost)

    def _drop(self, reason: str, number: int = 1) -> _Emitted:
        with self._counting:
            self._dropped += number
        self._warn(f"drops records: {reason}")
        return _DROPPED

    def _warn(self, problem: str) -> None:
        if problem not in self._warned:
            self._warned.add(problem)
            logger.warning("otel-mas: MASTraceLogger %s", problem)


__all__ = ["MASTraceLogger"]
