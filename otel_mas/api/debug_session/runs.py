"""The runs of a store in the order in which they began, and the end of the one that is followed. No I/O."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass

from otel_mas.api.debug_session.states import SessionEvent
from otel_mas.model import Changes, Span

_SETTLED_NS = 300_000_000
"""A trace of which nothing is open has ended if nothing more is stored for this time: batches come apart."""
_REMOTE_SETTLED_NS = 2_000_000_000
"""The same for a trace whose root is elsewhere, which can call this service once more."""


@dataclass(slots=True)
class _Run:
    last_ns: int
    rooted: bool = False
    """Its root, a span without a parent, has ended."""


class Runs:
    """Traces of a store as runs, to be followed one after the other; none is left out.

    Of traces that began before the session those count that are running. A trace that goes on after its end is a run
    again: after a quiet time, or since something in it went on behind its root.

    Args:
        quiet_ns: time after its last record at which a run that is open counts as quiet.
        since_ns: when the session began, in ns since the epoch.
    """

    def __init__(self, quiet_ns: int, since_ns: int) -> None:
        self._quiet_ns = quiet_ns
        self._since_ns = since_ns
        self._runs: dict[str, _Run] = {}
        self._quiet: set[str] = set()
        self._running: Set[str] = frozenset()
        self._stopped: Set[str] = frozenset()
        self.current: str | None = None

    @property
    def waiting(self) -> int:
        """Number of runs that began after the one that is followed, and are to be followed."""
        return len(self._runs) - (self.current is not None)

    def add(self, changes: Changes, now_ns: int) -> None:
        """Take note of spans that have begun or ended."""
        self._running, self._stopped = changes.running, changes.stopped
        for span in (*changes.opened, *changes.ended):
            if not self._counts(span):
                continue
            run = self._runs.setdefault(span.trace_id, _Run(now_ns))
            run.last_ns = now_ns
            run.rooted = run.rooted or (span.end_ns is not None and span.parent_span_id is None)
        for trace_id in self._quiet & changes.stopped - changes.running:
            self._runs.setdefault(trace_id, _Run(now_ns))
        self._quiet &= changes.running

    def _counts(self, span: Span) -> bool:
        """Whether a span is of a run to be followed: not of one that was over before, or is imported."""
        trace_id = span.trace_id
        known = trace_id in self._runs or trace_id in self._quiet or trace_id in self._running
        return known or span.start_ns >= self._since_ns

    def begin(self) -> str | None:
        """Take the run that began first of those that wait; None where none does."""
        self.current = next(iter(self._runs), None)
        return self.current

    def ending(self, now_ns: int) -> SessionEvent | None:
        """How the run that is followed has ended; None while it goes on."""
        if self.current is None:
            return None
        run = self._runs[self.current]
        since = now_ns - run.last_ns
        if self.current in self._running:
            return SessionEvent.RUN_QUIET if since >= self._quiet_ns else None
        if self.current in self._stopped:
            return SessionEvent.RUN_STOPPED
        settled = _SETTLED_NS if run.rooted else _REMOTE_SETTLED_NS
        return SessionEvent.RUN_CLOSED if since >= settled else None

    def end(self) -> None:
        """Be done with the run that is followed."""
        if self.current is not None:
            del self._runs[self.current]
            if self.current in self._running:
                self._quiet.add(self.current)
            self.current = None


__all__ = ["Runs"]
