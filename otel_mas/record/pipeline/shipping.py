"""Shipping from the app's process, where OTEL_MAS_EXPORT names destinations: a thread for each, from the first commit.

The log is in the store, so no spans are handed over: a commit wakes the threads; spans that they leave wait there.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from opentelemetry.context import attach, detach, set_value

from otel_mas.config import Settings
from otel_mas.errors import OtelMasError, StoreLocked
from otel_mas.errors.log import logger
from otel_mas.record.guard import caught
from otel_mas.record.recording_context import SUPPRESSED
from otel_mas.record.sdk.own_exports import own_servers

if TYPE_CHECKING:
    from otel_mas.shipping import Destination, Shipper, ShippingLoop
    from otel_mas.store.log import Log

_LOCK_WAIT_S = 1.0
_FORK_WAIT_S = 2 * _LOCK_WAIT_S


class Shipping:
    """Ships the commits of a recording.

    Args:
        settings: of the recording.
        instance_id: of the recording.
    """

    def __init__(self, settings: Settings, instance_id: bytes) -> None:
        self._settings = settings
        self._instance_id = instance_id
        self._known_servers: set[str] = set()
        self._threads: list[_DestinationThread] | None = None
        self._failed = False

    @property
    def started(self) -> bool:
        """Whether there are threads that ship."""
        return any(thread.started for thread in self._threads or ())

    def store_opened(self) -> None:
        """Begin with a store, which has no servers yet that the app exports to."""
        self._known_servers.clear()

    def stop(self, timeout_s: float) -> None:
        """Ship what is there, for so many seconds at most, and end."""
        deadline = time.monotonic() + timeout_s
        for thread in self._threads or ():
            thread.stop(deadline)
        for thread in self._threads or ():
            thread.join(deadline)

    def before_fork(self) -> bool:
        """Close the connections to the store; False where one is busy for too long."""
        return all(thread.pause_for_fork() for thread in self._threads or ())

    def after_fork_in_parent(self) -> None:
        """Ship on."""
        for thread in self._threads or ():
            thread.resume()

    def before_commit(self) -> None:
        """Add destinations, and the servers that the app exports to, to the store in time for this batch.

        Raises:
            StoreLocked: the same batch is to be tried again.
        """
        if self._failed:
            return
        try:
            found = own_servers()
            if not found <= self._known_servers:
                self._add_servers(found)
            if self._settings.export and self._threads is None:
                self._threads = self._open()
                self._warn_of_duplicates(found)
        except StoreLocked:
            raise
        except OtelMasError as error:
            self._failed = True
            logger.warning("otel-mas: this process does not ship: %s", error)
        except Exception as error:
            self._failed = True
            caught("shipping: begin", error)

    def after_commit(self) -> None:
        """Wake the shippers."""
        for thread in self._threads or ():
            thread.wake()

    def _add_servers(self, found: set[str]) -> None:
        from otel_mas.store.log import Log

        log = Log(self._settings.store, timeout_s=_LOCK_WAIT_S)
        try:
            log.exports_itself(self._instance_id, found - self._known_servers)
        finally:
            log.close()
        self._known_servers |= found
        self._warn_of_duplicates(found)

    def _open(self) -> list[_DestinationThread]:
        from otel_mas.shipping import open_destination
        from otel_mas.store.log import Log

        threads: list[_DestinationThread] = []
        log = Log(self._settings.store, timeout_s=_LOCK_WAIT_S)
        try:
            for wanted in self._settings.export:
                destination = open_destination(wanted, self._settings, os.environ)
                log.add(destination.name)
                threads.append(_DestinationThread(self._settings, destination))
        finally:
            log.close()
        return threads

    def _warn_of_duplicates(self, found: set[str]) -> None:
        for thread in self._threads or ():
            thread.warn_of_duplicates(found)


class _DestinationThread:
    """Ships to one destination, from the first commit on."""

    def __init__(self, settings: Settings, destination: Destination) -> None:
        self._settings = settings
        self._destination = destination
        self._deadline = 0.0
        self._opened: tuple[Log, Shipper, ShippingLoop] | None = None
        self._thread: threading.Thread | None = None
        self._paused = False
        self._warned_of_duplicates = False
        self._last_warning = ""

    @property
    def started(self) -> bool:
        return self._opened is not None

    def wake(self) -> None:
        if self._opened is None:
            self._opened = self._open()
            thread = threading.Thread(target=self._run, name="otel-mas shipper", daemon=True)
            try:
                thread.start()
                self._thread = thread
            except RuntimeError:  # the interpreter is ending: `join` ships instead
                pass
        self._opened[2].wake()

    def stop(self, deadline: float) -> None:
        self._deadline = deadline
        if self._opened is not None:
            self._opened[2].stop()

    def join(self, deadline: float) -> None:
        if self._thread is not None:
            self._thread.join(max(0.0, deadline - time.monotonic()))
        elif self._opened is not None:
            token = attach(set_value(SUPPRESSED, True))
            try:
                self._finish(*self._opened)
            finally:
                detach(token)

    def pause_for_fork(self) -> bool:
        """Close the connection to the store; False where it is busy for too long."""
        if self._opened is None:
            return True
        log = self._opened[0]
        self._paused = log.in_use.acquire(timeout=_FORK_WAIT_S)
        if self._paused:
            log.release()
        return self._paused

    def resume(self) -> None:
        if self._paused and self._opened is not None:
            self._paused = False
            self._opened[0].in_use.release()

    def warn_of_duplicates(self, servers: set[str]) -> None:
        if self._destination.server in servers and not self._warned_of_duplicates:
            self._warned_of_duplicates = True
            logger.warning(
                "otel-mas: the app sends its spans to %s itself: otel-mas does not ship them there again "
                "(OTEL_TRACES_EXPORTER=none leaves it to otel-mas, which also sends what is recorded while it is down)",
                self._destination.name,
            )

    def _open(self) -> tuple[Log, Shipper, ShippingLoop]:
        from otel_mas.shipping import Shipper, ShippingLoop
        from otel_mas.store.log import Log

        log = Log(self._settings.store, timeout_s=_LOCK_WAIT_S)
        log.add(self._destination.name)
        shipper = Shipper(log, self._destination, content=self._settings.shipped_content)
        return log, shipper, ShippingLoop(shipper, on_waiting=self._warn)

    def _run(self) -> None:
        attach(set_value(SUPPRESSED, True))
        assert self._opened is not None
        with self._guarded("shipping: thread"):
            self._opened[2].run()
        self._finish(*self._opened)

    def _finish(self, log: Log, shipper: Shipper, loop: ShippingLoop) -> None:
        with self._guarded("shipping: end"):
            reason = loop.drain(self._deadline)
            if reason is not None:
                logger.warning(
                    "otel-mas: not all has reached %s (%s): it waits in the store for the next process that ships, "
                    "or for `otel-mas ship`",
                    self._destination.name,
                    reason,
                )
        with self._guarded("shipping: close"):
            shipper.close()
            log.close()

    @contextmanager
    def _guarded(self, where: str) -> Iterator[None]:
        try:
            yield
        except OtelMasError as error:
            self._warn(str(error))
        except Exception as error:
            caught(where, error)

    def _warn(self, reason: str) -> None:
        if reason != self._last_warning:
            self._last_warning = reason
            logger.warning("otel-mas: what is recorded waits in the store: %s", reason)
