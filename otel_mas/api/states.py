"""The handle on the state of a run: its changes, the state at a task or a moment, and two of these compared."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING

from otel_mas.analyse.state import StateChange, StateComparison, StateSnapshot, StateTimeline
from otel_mas.analyse.state.snapshot import compared, read_at, read_by
from otel_mas.api.when import duration_ns, instant_ns
from otel_mas.errors import UnsupportedQuery, arguments
from otel_mas.model import Span
from otel_mas.model.frame import Tabular

if TYPE_CHECKING:
    from otel_mas.report.frame import Frame

_MOST_LISTED = 20


class State(Tabular):
    """Changes of the state of a run's graphs, in the order in which they were applied."""

    def __init__(self, timeline: StateTimeline) -> None:
        self.timeline = timeline

    def __repr__(self) -> str:
        return f"<State, {len(self.changes)} changes of {len({one.channel for one in self.changes})} channels>"

    def __iter__(self) -> Iterator[StateChange]:
        return iter(self.changes)

    def __len__(self) -> int:
        return len(self.changes)

    @property
    def changes(self) -> tuple[StateChange, ...]:
        return self.timeline.changes

    def channel(self, name: str) -> State:
        """The changes of one channel."""
        changes = self.timeline.of_channel(arguments.name("name", name))
        if not changes:
            known = ", ".join(dict.fromkeys(one.channel for one in self.changes)) or "none"
            raise UnsupportedQuery(f"no change of a channel {name!r} was recorded: those written are {known}")
        return State(self.timeline.only(changes))

    def at(self, where: str | datetime | int) -> StateSnapshot:
        """The state that a task read, or that the outermost graph had at a moment.

        Args:
            where: a task by its label (`researcher#1/model#2`), by its name where that is unique, or by its span's id;
                or a time: a datetime, nanoseconds since the epoch, or "+2.5s" from the start.

        Raises:
            UnsupportedQuery: No task is called that, or several are.
        """
        if isinstance(where, datetime | int):
            time_ns = instant_ns(where) if isinstance(where, datetime) else where
            return read_at(self.timeline, time_ns, str(where))
        if arguments.name("where", where).startswith("+"):
            try:
                offset_ns = duration_ns(where[1:])
            except ValueError as error:
                raise UnsupportedQuery(str(error)) from None
            start_ns = min((span.start_ns for span in self.timeline.causal.roots), default=0)
            return read_at(self.timeline, start_ns + offset_ns, where)
        return read_by(self.timeline, self._task(where))

    def compare(self, first: str | datetime | int, second: str | datetime | int) -> StateComparison:
        """Two states, each as `at` finds it, channel by channel. Raises as `at`."""
        return compared(self.at(first), self.at(second))

    def _task(self, where: str) -> Span:
        """The task of this name. Of one that paused and went on, the span that went on."""
        causal, labels = self.timeline.causal, self.timeline.labels
        found = [span for span in causal.spans if labels.get(span.span_id) == where or span.span_id == where]
        if not found:
            named = {
                labels[span.span_id]: span
                for span in causal.spans
                if span.span_id in labels
                and where in (span.task_name, span.agent, labels[span.span_id].rpartition("/")[2])
            }
            if len(named) > 1:
                listed = ", ".join(list(named)[:_MOST_LISTED])
                raise UnsupportedQuery(f"several tasks are called {where!r}: say which of {listed}")
            found = list(named.values())
        if not found:
            listed = ", ".join(list(dict.fromkeys(labels.values()))[:_MOST_LISTED]) or "none"
            raise UnsupportedQuery(f"no task is called {where!r}, nor is it a time like +2.5s: the tasks are {listed}")
        return found[-1]

    def _frame(self) -> Frame:
        from otel_mas.report import frame

        return frame.state(self.changes)

    def _repr_html_(self) -> str:
        from otel_mas.report.html import notebook

        return notebook.state(self.changes)


__all__ = ["State"]
