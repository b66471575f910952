"""Ships the store from this process, where OTEL_MAS_EXPORT says so: a thread for each destination, from the first
commit.

The log is in the store, so nothing is handed over: a commit wakes the threads, and what they do not get done waits.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from opentelemetry.context import attach, detach, set_value

from otel_mas.config import Settings
from otel_mas.errors import OtelMasError, StoreLocked
from otel_mas.errors.log import logger
from otel_mas.record.guard import caught
from otel_mas.record.sdk.own_exports import own_servers

if TYPE_CHECKING:
    from otel_mas.shipping import Destination, Loop, Shipper
    from otel_mas.store.log import Log

_SUPPRESS = "suppress_instrumentation"  # as in the writer: what we send is not to be traced
_LOCK_WAIT_S = 1.0
_FORK_WAIT_S = 2 * _LOCK_WAIT_S


class Shipping:
    """Ships the commits of a recording.

    Args:
        settings: of the recording.
        instance_id: of the recording.
        servers: those that the app exports to by itself.
        environ: where destinations read the standard variables.
    """

    def __init__(
        self,
        settings: Settings,
        instance_id: bytes,
        *,
        servers: Callable[[], set[str]] = own_servers,
        environ: Mapping[str, str] = os.environ,
    ) -> None:
        self._settings = settings
        self._instance_id = instance_id
        self._servers = servers
        self._environ = environ
        self._noted: set[str] = set()
        self._lines: list[_Line] | None = None
        self._hindered = False

    @property
    def started(self) -> bool:
        """Whether there are threads that ship."""
        return any(line.started for line in self._lines or ())

    def store_opened(self) -> None:
        """Begin with a store, which knows nothing yet of what the app exports."""
        self._noted.clear()

    def stop(self, timeout_s: float) -> None:
        """Ship what is there, as far as that goes in so many seconds, and end."""
        deadline = time.monotonic() + timeout_s
        for line in self._lines or ():
            line.stop(deadline)
        for line in self._lines or ():
            line.join(deadline)

    def before_fork(self) -> bool:
        """Close the connections; False where one is busy for too long."""
        return all(line.hold() for line in self._lines or ())

    def after_fork_in_parent(self) -> None:
        """Go on."""
        for line in self._lines or ():
            line.let_go()

    def before_commit(self) -> None:
        """Make destinations, and what the app exports itself, known to the store in time for this batch.

        Raises:
            StoreLocked: the same batch is to be tried again.
        """
        if self._hindered:
            return
        try:
            found = self._servers()
            if not found <= self._noted:
                self._note(found)
            if self._settings.export and self._lines is None:
                self._lines = self._open()
                self._warn_of_doubles(found)
        except StoreLocked:
            raise
        except OtelMasError as error:
            self._hindered = True
            logger.warning("otel-mas: this process does not ship: %s", error)
        except Exception as error:
            self._hindered = True
            caught("shipping: begin", error)

    def after_commit(self) -> None:
        """Wake the shippers."""
        for line in self._lines or ():
            line.wake()

    def _note(self, found: set[str]) -> None:
        from otel_mas.store.log import Log

        log = Log(self._settings.store, timeout_s=_LOCK_WAIT_S)
        try:
            log.exports_itself(self._instance_id, found - self._noted)
        finally:
            log.close()
        self._noted |= found
        self._warn_of_doubles(found)

    def _open(self) -> list[_Line]:
        from otel_mas.shipping import open_destination
        from otel_mas.store.log import Log

        lines: list[_Line] = []
        log = Log(self._settings.store, timeout_s=_LOCK_WAIT_S)
        try:
            for wanted in self._settings.export:
                destination = open_destination(wanted, self._settings, self._environ)
                log.add(destination.name)
                lines.append(_Line(self._settings, destination))
        finally:
            log.close()
        return lines

    def _warn_of_doubles(self, found: set[str]) -> None:
        for line in self._lines or ():
            line.warn_of_double(found)


class _Line:
    """One destination, and the thread that ships to it."""

    def __init__(self, settings: Settings, destination: Destination) -> None:
        self._settings = settings
        self._destination = destination
        self._deadline = 0.0
        self._parts: tuple[Log, Shipper, Loop] | None = None
        self._thread: threading.Thread | None = None
        self._held = False
        self._warned = False
        self._said = ""

    @property
    def started(self) -> bool:
        return self._parts is not None

    def wake(self) -> None:
        if self._parts is None:
            self._parts = self._begin()
            thread = threading.Thread(target=self._run, name="otel-mas shipper", daemon=True)
            try:
                thread.start()
                self._thread = thread
            except RuntimeError:  # the interpreter is ending: what there is to ship is shipped by `join`
                pass
        self._parts[2].wake()

    def stop(self, deadline: float) -> None:
        self._deadline = deadline
        if self._parts is not None:
            self._parts[2].stop()

    def join(self, deadline: float) -> None:
        if self._parts is None:
            return
        if self._thread is None:
            token = attach(set_value(_SUPPRESS, True))
            try:
                self._end(*self._parts)
            finally:
                detach(token)
        else:
            self._thread.join(max(0.0, deadline - time.monotonic()))

    def hold(self) -> bool:
        if self._parts is None:
            return True
        self._held = self._parts[0].in_use.acquire(timeout=_FORK_WAIT_S)
        if self._held:
            self._parts[0].release()
        return self._held

    def let_go(self) -> None:
        if self._held and self._parts is not None:
            self._held = False
            self._parts[0].in_use.release()

    def warn_of_double(self, servers: set[str]) -> None:
        if self._destination.server in servers and not self._warned:
            self._warned = True
            logger.warning(
                "otel-mas: the app sends its spans to %s itself: otel-mas does not ship them there again "
                "(OTEL_TRACES_EXPORTER=none leaves it to otel-mas, which also sends what is recorded while it is down)",
                self._destination.name,
            )

    def _begin(self) -> tuple[Log, Shipper, Loop]:
        from otel_mas.shipping import Loop, Shipper
        from otel_mas.store.log import Log

        log = Log(self._settings.store, timeout_s=_LOCK_WAIT_S)
        log.add(self._destination.name)
        shipper = Shipper(log, self._destination, content=self._settings.shipped_content)
        return log, shipper, Loop(shipper, said=self._say)

    def _run(self) -> None:
        attach(set_value(_SUPPRESS, True))
        assert self._parts is not None
        try:
            self._parts[2].for_ever()
        except OtelMasError as error:
            self._say(str(error))
        except Exception as error:
            caught("shipping: thread", error)
        self._end(*self._parts)

    def _end(self, log: Log, shipper: Shipper, loop: Loop) -> None:
        try:
            reason = loop.drain(self._deadline)
            if reason is not None:
                logger.warning(
                    "otel-mas: not all has reached %s (%s): it waits in the store for the next process that ships, "
                    "or for `otel-mas ship`",
                    self._destination.name,
                    reason,
                )
        except OtelMasError as error:
            self._say(str(error))
        except Exception as error:
            caught("shipping: end", error)
        finally:
            try:
                shipper.close()
                log.close()
            except OtelMasError as error:
                self._say(str(error))
            except Exception as error:
                caught("shipping: close", error)

    def _say(self, reason: str) -> None:
        if reason != self._said:
            self._said = reason
            logger.warning("otel-mas: what is recorded waits in the store: %s", reason)


__all__ = ["Shipping"]
