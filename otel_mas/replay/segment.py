"""Segment of a run: a task and its causal descendants, up to another task, are run again in a replay.

The causal graph of the recording says whether a recorded call is before, in or after the segment; a call that is not
recorded is placed by what it depends on in the running app.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from otel_mas.errors import ConfigError
from otel_mas.replay.changes import unknown_label
from otel_mas.replay.checkpoints import SegmentOrigins
from otel_mas.replay.descent import Descent, descendants, inside
from otel_mas.replay.segment_start import SegmentStart

if TYPE_CHECKING:
    from otel_mas.instrumentation.langgraph.runs import TaskRun
    from otel_mas.model import Span
    from otel_mas.replay.place import HerePlace, TaskPlace
    from otel_mas.replay.recording import RecordedCall, Recording


class SegmentEnded(BaseException):
    """A call comes after the segment of a replay, and was not made: the replay stops here.

    It is no error: handlers of errors, retries and fallbacks of the app let it through.
    """


@dataclass(slots=True)
class Segment:
    """A part of a recorded run that runs again. Callers hold a lock.

    Args:
        recording: that has it.
        first: label of the task that it begins with.
        last: label of the task that it ends with; None: it goes on to the end of the run.

    Raises:
        ConfigError: The recording has no such task, or the last one does not depend on the first one.
    """

    recording: Recording
    first: str
    last: str | None = None
    reached: set[str] = field(init=False, default_factory=set)
    """The labels of the two, once the first has begun and the last has ended."""
    start: SegmentStart = field(init=False)
    """Source of the state before it."""
    ended: bool = field(init=False, default=False)
    """Whether a call that comes after it was asked for."""
    _members: frozenset[str] = field(init=False)
    _after: frozenset[str] = field(init=False, default=frozenset())
    _past: Descent = field(init=False, default_factory=Descent)

    def __post_init__(self) -> None:
        graph, spans = self.recording.graph, self._spans(self.first)
        self._members = inside(graph, spans) | descendants(graph, spans)
        self.start = SegmentStart(SegmentOrigins(self.recording, self.first, self._members))
        if self.last is None:
            return
        ending = self._spans(self.last)
        in_last = inside(graph, ending)
        if not in_last & self._members:
            raise ConfigError(f"{self.last} does not depend on {self.first}: no segment goes from this one to that one")
        self._after = descendants(graph, ending) - in_last
        self._members -= self._after

    def __str__(self) -> str:
        return f"from {self.first}" + (f" to {self.last}" if self.last is not None else "")

    def _spans(self, label: str) -> list[str]:
        if not isinstance(label, str) or label not in self.recording.tasks:
            raise ConfigError(unknown_label(str(label), list(self.recording.tasks), self.recording.what))
        return [span.span_id for span in self.recording.tasks[label].spans]

    def includes(self, span: Span) -> bool:
        """Whether a recorded span is in it."""
        return span.span_id in self._members

    def has(self, call: RecordedCall | None) -> bool:
        """Whether a recorded call is in it."""
        return call is not None and self.includes(call.span)

    def leaves_out(self, call: RecordedCall) -> bool:
        """Whether a recorded call comes after it."""
        return call.span.span_id in self._after

    def is_past(self, here: HerePlace, task: TaskRun | None, found: RecordedCall | None) -> bool:
        """Whether a call here comes after it.

        Args:
            here: place of the call.
            task: that it is made in.
            found: the recorded call that it repeats.
        """
        if self.last is None:
            return False
        same = [found] if found is not None else [one for one in self.recording.calls if one.place == here.place]
        past = {call.span.span_id in self._after for call in same}
        return past.pop() if len(past) == 1 else self._past.descends(task)

    def began(self, place: TaskPlace) -> Span | None:
        """Note a task that begins, by the place inside of it; the recorded span of the first one, if it is that."""
        return self._reach(self.first, place)

    def task_began(self, task: TaskRun) -> None:
        """Note a task that may come after the last one."""
        self._past.began(task)

    def task_ended(self, place: TaskPlace, task: TaskRun) -> Span | None:
        """Note a task that has ended well, by the place inside of it; the recorded span of the last one, if it is."""
        found = None if self.last is None else self._reach(self.last, place)
        if found is not None:
            self._past.changed(task)
        return found

    def _reach(self, label: str, place: TaskPlace) -> Span | None:
        task = self.recording.tasks[label]
        if place not in task.places:
            return None
        self.reached.add(label)
        return task.spans[task.places.index(place)]

    def not_reached(self) -> list[str]:
        """Labels of those of its two tasks that the run has not come to."""
        return [one for one in (self.first, self.last) if one is not None and one not in self.reached]


def segment_of(recording: Recording, first: str | None, last: str | None) -> Segment | None:
    """The segment that settings ask for; None where they ask for none.

    Raises:
        ConfigError: as `Segment`; or the task that it begins with is not given.
    """
    if first is None and last is not None:
        raise ConfigError(f"a segment to {last} must begin somewhere: give --from-task, or OTEL_MAS_REPLAY_FROM_TASK")
    return None if first is None else Segment(recording, first, last)


def is_segment_end(error: BaseException | None) -> bool:
    """Whether an exception is nothing but the end of a segment, also of several tasks of a group."""
    if isinstance(error, SegmentEnded):
        return True
    if isinstance(error, BaseExceptionGroup):
        return error.split(SegmentEnded)[1] is None
    return False


__all__ = ["Segment", "SegmentEnded", "is_segment_end", "segment_of"]
