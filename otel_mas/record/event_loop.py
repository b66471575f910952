"""Lag of asyncio's event loops while tasks of ours run in them.

A timer that is late by some time shows that the loop was blocked for as long. Each loop has one timer, which is set
anew only while tasks are open: at most one handle per loop, and none 50 ms after the last task has ended. Nothing here
holds a loop, keeps one running, or loads asyncio. A block is measured to within the timer's interval.
"""

from __future__ import annotations

import sys
import weakref
from bisect import bisect_left
from time import monotonic
from typing import TYPE_CHECKING, Any, Final

from otel_mas.semconv import attributes as names

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop

INTERVAL_S: Final = 0.05
"""Between two timers. To wake a process for one costs up to 90 µs: 0.2 % of a processor while a task waits."""
LEAST_S: Final = 0.005
"""Shorter lags do not count: timers are up to 1 ms late in a loop that has nothing to do, and other threads may hold
the interpreter for 5 ms at a time."""
_MOST_LAGS = 256

_monitors: dict[int, LoopMonitor] = {}


class LoopMonitor:
    """Measures one loop, on that loop's thread."""

    __slots__ = ("_lags", "_numbers", "count", "due", "loop", "open", "total", "untold")

    def __init__(self, loop: AbstractEventLoop) -> None:
        number = id(loop)
        self.loop = weakref.ref(loop, lambda _: _monitors.pop(number, None))
        self.due: float | None = None
        """When the timer is to fire, by `monotonic`; None without one. Not the loop's time, which uvloop caches."""
        self.open: dict[int, None] = {}
        """Ids of the watches that have not ended; those that are dropped instead leave by themselves."""
        self.total = 0.0
        """Lag in seconds since the monitor was made."""
        self.count = 0
        """Number of lags since then."""
        self.untold = 0.0
        """The longest lag in seconds since `take_longest_lag` was called."""
        # Number and length of the lags that are longer than all after them.
        self._numbers: list[int] = []
        self._lags: list[float] = []

    def watch(self, loop: AbstractEventLoop) -> LoopWatch:
        """Begin to watch, in a callback of the loop."""
        if self.due is None:
            self.due = monotonic() + INTERVAL_S
            loop.call_later(INTERVAL_S, self._fire)
        else:
            self.note()
        watch = LoopWatch(self)
        self.open[id(watch)] = None
        return watch

    def note(self) -> None:
        """Count the lag so far of a timer that should have fired by now."""
        now = monotonic()
        lag = now - (self.due or now)
        if lag < LEAST_S or _running_loop() is not self.loop():  # no lag: another thread asks, or the loop has stopped
            return
        self.due = now
        self.total += lag
        self.count += 1
        self.untold = max(self.untold, lag)
        while self._lags and self._lags[-1] <= lag:
            self._lags.pop()
            self._numbers.pop()
        if len(self._lags) < _MOST_LAGS:
            self._lags.append(lag)
            self._numbers.append(self.count)

    def longest(self, since: int) -> float:
        """The longest lag in seconds, of those after the first `since`."""
        at = bisect_left(self._numbers, since + 1)
        return self._lags[at] if at < len(self._lags) else 0.0

    def _fire(self) -> None:
        self.note()
        loop = self.loop()
        if self.open and loop is not None:
            self.due = monotonic() + INTERVAL_S
            loop.call_later(INTERVAL_S, self._fire)
        else:
            self.due = None
            self._lags.clear()
            self._numbers.clear()


Moment = tuple[int, float]
"""Number and sum of the lags of a loop until then."""


class LoopWatch:
    """The time for which one run or task is open, in the loop that it began in. Dropped, it ends."""

    __slots__ = ("_began", "_monitor")

    def __init__(self, monitor: LoopMonitor) -> None:
        self._monitor = monitor
        self._began = monitor.count, monitor.total

    def now(self) -> Moment:
        """The present moment, for `lag_since`."""
        self._monitor.note()
        return self._monitor.count, self._monitor.total

    def lag_since(self, moment: Moment) -> dict[str, Any]:
        """Attributes for a span that began at this moment; none where the loop was not blocked since."""
        monitor = self._monitor
        monitor.note()
        count, total = moment
        if monitor.count == count:
            return _NOT_BLOCKED
        return {
            names.MAS_EVENT_LOOP_LAG_MAX: monitor.longest(count),
            names.MAS_EVENT_LOOP_LAG_TOTAL: monitor.total - total,
        }

    def end(self) -> dict[str, Any]:
        """Stop watching; return the attributes as `lag_since` does, for all the time."""
        self._monitor.open.pop(id(self), None)
        return self.lag_since(self._began)

    def __del__(self) -> None:
        self._monitor.open.pop(id(self), None)


_NOT_BLOCKED: dict[str, Any] = {}


def _running_loop() -> AbstractEventLoop | None:
    asyncio = sys.modules.get("asyncio")
    found: AbstractEventLoop | None = None if asyncio is None else asyncio._get_running_loop()
    return found


def take_longest_lag() -> float:
    """The longest lag in seconds of any loop since the call before, on whichever thread; also one that lasts."""
    longest = 0.0
    for monitor in list(_monitors.values()):
        due, loop = monitor.due, monitor.loop()
        lasting = 0.0 if due is None or loop is None or not loop.is_running() else monotonic() - due
        longest = max(longest, monitor.untold, lasting if lasting >= LEAST_S else 0.0)
        monitor.untold = 0.0
    return longest


def watch_loop() -> LoopWatch | None:
    """Watch the event loop that runs this code; None where none does."""
    loop = _running_loop()
    if loop is None:
        return None
    monitor = _monitors.get(id(loop))
    if monitor is None or monitor.loop() is not loop:
        monitor = _monitors[id(loop)] = LoopMonitor(loop)
    return monitor.watch(loop)


__all__ = ["LoopWatch", "take_longest_lag", "watch_loop"]
