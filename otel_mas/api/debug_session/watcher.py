"""Looks at a store, step by step: the runs that begin, the log of the one that is followed, its analysis."""

from __future__ import annotations

import os
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from otel_mas.analyse.log import Entry
from otel_mas.api.debug_session.runs import Runs
from otel_mas.api.debug_session.states import SessionEvent, SessionState, following
from otel_mas.api.follow import Follower
from otel_mas.api.source import Source
from otel_mas.errors import StoreError, TraceNotFound
from otel_mas.model import SummaryBuilder
from otel_mas.sources import Tail
from otel_mas.sources.store.source import StoreSource

if TYPE_CHECKING:
    from otel_mas.analyse.error_report import ErrorReport
    from otel_mas.api.graph import Graph
    from otel_mas.api.records import Records
    from otel_mas.api.trace import Trace

_CREATED_WITHIN_NS = 3_000_000_000
"""A file that is no store yet may become one within this time."""
_CHECK_NS = 500_000_000
"""Between two looks whether the store is still the file that was opened."""
_MOST_LOGS = 4
"""Logs that can go on where they ended, if their run goes on after it was analysed."""


@dataclass(frozen=True, slots=True)
class Transition:
    """A change of the state of a session."""

    state: SessionState
    event: SessionEvent
    time_ns: int
    """Nanoseconds since the Unix epoch."""
    trace_id: str | None = None
    """The run that it is about."""
    waiting: int = 0
    """Number of runs that have begun since, and are followed after it."""


@dataclass(frozen=True, slots=True)
class FollowedRun:
    """A run as it was when it was read. Everything is read: nothing of it waits for a file."""

    trace: Trace
    ended: SessionEvent | None
    """RUN_CLOSED, RUN_STOPPED or RUN_QUIET; None while it is recorded."""
    status: str
    """A `TraceStatus`."""
    records: Records
    final_output: str | None
    """The last answer or change of the state; None where it was not kept, and of a run that failed."""

    errors: tuple[ErrorReport, ...] = ()
    """A report of each error; those that ended the run come first."""

    @property
    def graph(self) -> Graph:
        """The causal graph, with critical path and cost."""
        return self.trace.graph()


News = Transition | Entry | FollowedRun


class Watcher:
    """A debug session without threads: `look()` is one step of it, and waits for nothing but the disk.

    Args:
        path: of a store, which may come later.
        quiet_after_s: seconds after the last record of a run, at which it is analysed though it is open.
        clock: in ns.
    """

    def __init__(
        self, path: str | os.PathLike[str], quiet_after_s: float, clock: Callable[[], int] = time.monotonic_ns
    ) -> None:
        self.path = Path(path).expanduser()
        self.state = SessionState.IDLE
        self.changed = False
        """Something of the run that is followed was stored since it was read."""
        self.quiet_after_s = quiet_after_s
        self._quiet_ns = round(quiet_after_s * 1e9)
        self._clock = clock
        self._since_ns = time.time_ns()
        self._was_missing = False
        self._runs = Runs(self._quiet_ns, self._since_ns)
        self._source: Source | None = None
        self._tail: Tail | None = None
        self._port: StoreSource
        self._file: tuple[int, int] | None = None
        self._checked_ns = 0
        self._unreadable_since: int | None = None
        self._logs: OrderedDict[str, Follower] = OrderedDict()
        self._ended: SessionEvent | None = None

    def close(self) -> list[News]:
        """Let go of the store."""
        self._release()
        return [] if self.state is SessionState.IDLE else [self._change(SessionEvent.DETACHED)]

    def look(self) -> list[News]:
        """Do what is due, and return what is new.

        Raises:
            StoreError: The file is no store, or cannot be read.
        """
        if self.state is SessionState.IDLE:
            return self._open()
        if self._is_lost():
            self._release()
            self._was_missing = True
            return [self._change(SessionEvent.STORE_LOST)]
        if self.state is SessionState.ANALYZING:
            return self._analyse()
        self._take_changes()
        return self._begin() if self.state is SessionState.ATTACHED else self._follow()

    def read(self) -> FollowedRun | None:
        """The run that is followed, as it is now; None where there is none, or it was deleted."""
        trace_id = self._runs.current
        if trace_id is None or self._source is None:
            return None
        self.changed = False
        try:
            trace = self._source.trace(trace_id)
            graph = trace.graph()
            graph.critical_path(), graph.cost()  # which are kept
            status = SummaryBuilder.of(trace._data).status
            output, errors = trace.final_output(), trace.error_reports()
            return FollowedRun(trace, self._ended, status, trace.records(), output, errors)
        except TraceNotFound:
            return None

    def _open(self) -> list[News]:
        """Open the store, once there is one."""
        file = _identity(self.path)
        if file is None:
            self._unreadable_since, self._was_missing = None, True
            return []
        now = self._clock()
        try:
            port = StoreSource(self.path)
            try:
                self._tail = port.tail(from_start=self._was_missing)
            except BaseException:
                port.close()
                raise
        except StoreError:
            self._unreadable_since = self._unreadable_since or now
            if now - self._unreadable_since < _CREATED_WITHIN_NS:
                return []
            raise
        self._source, self._port, self._file = Source(port), port, file
        self._runs = Runs(self._quiet_ns, self._since_ns)
        self._take_changes()  # from here on: the first look decides where a tail begins
        return [self._change(SessionEvent.STORE_OPENED)]

    def _take_changes(self) -> None:
        changes = None if self._tail is None else self._tail.changes()
        if changes is not None:
            self._runs.add(changes, self._clock())
            self.changed = True

    def _begin(self) -> list[News]:
        trace_id = self._runs.begin()
        if trace_id is None:
            return []
        log = self._logs.pop(trace_id, None)
        try:
            self._logs[trace_id] = log or Follower(self._port.tail(trace_id), trace_id)
        except TraceNotFound:  # it was deleted while it waited
            self._runs.end()
            return []
        if len(self._logs) > _MOST_LOGS:
            self._logs.popitem(last=False)[1].close()
        self._ended, self.changed = None, True
        return [self._change(SessionEvent.RUN_BEGAN)]

    def _follow(self) -> list[News]:
        assert self._runs.current is not None
        log = self._logs[self._runs.current]
        news: list[News] = list(log.poll())
        ended = self._runs.ending(self._clock())
        if ended is not None and (log.ended or ended is SessionEvent.RUN_QUIET):
            self._ended = ended
            news.append(self._change(ended))
        return news

    def _analyse(self) -> list[News]:
        run = self.read()
        trace_id = self._runs.current
        self._runs.end()
        change = self._change(SessionEvent.ANALYZED, trace_id)
        return [change] if run is None else [run, change]

    def _change(self, event: SessionEvent, trace_id: str | None = None) -> Transition:
        self.state = following(self.state, event)
        return Transition(self.state, event, time.time_ns(), trace_id or self._runs.current, self._runs.waiting)

    def _is_lost(self) -> bool:
        """Whether the store at the path is not the one that was opened."""
        now = self._clock()
        if now - self._checked_ns < _CHECK_NS:
            return False
        self._checked_ns = now
        return _identity(self.path) != self._file

    def _release(self) -> None:
        for log in self._logs.values():
            log.close()
        self._logs.clear()
        if self._tail is not None:
            self._tail.close()
        if self._source is not None:
            self._source.close()
        self._tail = self._source = self._unreadable_since = None


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


__all__ = ["FollowedRun", "News", "Transition", "Watcher"]
