"""Start of a segment in a running app: from the checkpoints of the app's saver, else by a replay up to there.

The app's saver is read only. Runs of the segment's graph write to a private copy, as do updates of their threads, so
that the conversations in the app's saver stay as they are.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from otel_mas.fork import ForkLock
from otel_mas.instrumentation.langgraph import graphs, spans
from otel_mas.instrumentation.langgraph.hooks import schedule_of
from otel_mas.record import recorder
from otel_mas.replay.place import current_place, run_name
from otel_mas.semconv import attributes as names

if TYPE_CHECKING:
    from otel_mas.instrumentation.langgraph.runs import GraphRun
    from otel_mas.replay.checkpoints import RunOrigin, SegmentOrigins
    from otel_mas.replay.private_saver import PrivateSaver
    from otel_mas.replay.recording import RecordedRun

_CONF: Final = "configurable"
_THREAD: Final = "thread_id"
_ID: Final = "checkpoint_id"
_lock = ForkLock()


class StateSource(StrEnum):
    """Source of the state before a segment."""

    TASK = "task"
    """The checkpoint that the first task ran from."""
    RUN = "run"
    """A replay up to there, of the run that it is in, from the checkpoint that this had started from."""
    APP = "app"
    """A replay up to there, with the saver that the app has."""


@dataclass(slots=True, eq=False)
class SegmentStart:
    """Source of the state before a segment.

    Args:
        origins: the recorded checkpoints.
    """

    origins: SegmentOrigins
    source: StateSource | None = field(init=False, default=None)
    """None until it is known."""
    reason: str = field(init=False, default="")
    """Why it is not the checkpoint of the first task, in words."""
    _savers: dict[int, tuple[Any, PrivateSaver]] = field(init=False, default_factory=dict)
    _taken: set[int] = field(init=False, default_factory=set)

    def __post_init__(self) -> None:
        self.reason = self.origins.missing

    @property
    def is_private(self) -> bool:
        """Whether runs of the segment's graph write to a private copy."""
        return self.source in (StateSource.TASK, StateSource.RUN)

    @property
    def state(self) -> str:
        """Source of the state, in words; empty until a run of the segment's graph has begun."""
        if self.source is None or self.origins.run is None:
            return ""
        if self.source is not StateSource.TASK:
            return f"a replay up to there: {self.reason}"
        origin, inside = self.origins.of(self.origins.run), self.origins.replayed_inside
        assert origin is not None
        assert origin.outer is not None
        found = f"checkpoint {origin.outer.checkpoint_id} of thread {origin.thread}"
        return f"{found}; inside of {inside}, where nothing is saved, a replay up to there" if inside else found

    def replay(self, reason: str) -> None:
        """Let the app run up to the segment, unless it is settled already.

        Args:
            reason: why there is no checkpoint, in words.
        """
        if self.source is None:
            self.source, self.reason = StateSource.APP, self.reason or reason

    def beginning(self, loop: Any, changed: str) -> SegmentBeginning | None:
        """How a run begins that is about to; None where it begins as the app has it.

        Args:
            loop: LangGraph's loop of the run.
            changed: label of a thing outside of the segment that a change is of; empty where there is none.
        """
        here = current_place().place.runs
        if len(here) > 1 or self.origins.place is None:
            return None
        graph = graphs.graph_of(loop)
        name = run_name(spans.run_attributes(graph, loop.config)[1].get(names.GEN_AI_AGENT_NAME))
        if (here[-1].levels, name) != self.origins.place:
            return None
        with _lock:
            if changed:
                self.replay(f"{changed} is changed, which is not in the segment")
            return SegmentBeginning(self, loop, graph, self._recorded(loop))

    def _recorded(self, loop: Any) -> RecordedRun | None:
        """The recorded run that a run repeats: the next one, of its thread where that was recorded."""
        assert self.origins.place is not None
        runs = self.origins.recording.root.runs[self.origins.place]
        thread = spans.conversation(loop)
        same = [run for run in runs if run.span is not None and run.span.conversation_id == thread]
        if not same and any(self.origins.same_time(run) for run in runs):
            self.replay("runs of its graph went on beside it, in other threads than now, and cannot be told apart")
        resumes = getattr(loop.input, "resume", None) is not None
        found = [run for run in same or runs if id(run) not in self._taken]
        found = [run for run in found if bool(run.resumed) == resumes] or found
        if not found:
            return None
        self._taken.add(id(found[0]))
        return found[0]

    def settle(self, held: bool, start_held: bool) -> None:
        """Note what the app's saver has.

        Args:
            held: whether the checkpoint of the first task.
            start_held: whether the one that its run had started from.
        """
        run = self.origins.run
        if self.source is not None or run is None:
            return
        origin, start = self.origins.of(run), self.origins.start_of(run)
        if held:
            self.source = StateSource.TASK
            return
        if origin is not None and origin.outer is not None:
            self.reason = f"the saver of the app's graph does not have checkpoint {origin.outer.checkpoint_id}"
        self.source = StateSource.RUN if start_held or start.outer is None else StateSource.APP

    def origin_of(self, run: RecordedRun | None) -> RunOrigin | None:
        """The checkpoints that a run starts from; None where it starts as it had when it was recorded."""
        if run is None or (run is self.origins.run and self.source is StateSource.RUN):
            return None
        return self.origins.of(run)

    def copy_of(self, saver: Any, *, make: bool = False) -> PrivateSaver | None:
        """The private copy of a saver of the app; None where no run has used it.

        Args:
            saver: the app's.
            make: make it.
        """
        with _lock:
            found = self._savers.get(id(saver))
            if found is None and make:
                from otel_mas.replay.private_saver import PrivateSaver

                found = self._savers[id(saver)] = saver, PrivateSaver(saver)
        return None if found is None else found[1]

    def copied_for(self, graph: Any) -> PrivateSaver | None:
        """The private copy of a graph's own saver; None where it is used as it is."""
        return self.copy_of(getattr(graph, "checkpointer", None)) if self.is_private else None


@dataclass(slots=True, eq=False)
class SegmentBeginning:
    """How a run of the segment's graph begins.

    Args:
        start: of the segment.
        loop: LangGraph's loop of the run.
        graph: that it runs.
        recorded: the recorded run that it repeats; None where it repeats none.
    """

    start: SegmentStart
    loop: Any
    graph: Any
    recorded: RecordedRun | None

    @property
    def is_segments(self) -> bool:
        """Whether it is the run that the segment is in."""
        return self.recorded is not None and self.recorded is self.start.origins.run

    def wanted(self) -> list[Any]:
        """Configurations of checkpoints to look for in the app's saver.

        The segment's, the one that its run had started from, and this run's own.
        """
        start, saver = self.start, self.loop.checkpointer
        if not saver:
            start.replay("the app's graph has no checkpointer")
        elif self.loop.checkpoint_config[_CONF].get(_ID) and self.is_segments:
            start.replay("the app has its run start from a checkpoint that it names")
        run = start.origins.run
        if start.source is StateSource.APP or not saver or run is None:
            return []
        own = None if self.recorded is None else start.origins.of(self.recorded)
        return [_config(origin) for origin in (start.origins.of(run), start.origins.start_of(run), own)]

    def read(self) -> list[bool]:
        """Whether the app's saver has each of the wanted checkpoints."""
        try:
            return [one is not None and self.loop.checkpointer.get_tuple(one) is not None for one in self.wanted()]
        except Exception as error:
            return self._unreadable(error)

    async def aread(self) -> list[bool]:
        """The same."""
        try:
            return [
                one is not None and await self.loop.checkpointer.aget_tuple(one) is not None for one in self.wanted()
            ]
        except Exception as error:
            return self._unreadable(error)

    def _unreadable(self, error: Exception) -> list[bool]:
        self.start.replay(f"the saver of the app's graph cannot be read: {type(error).__name__}")
        return []

    def begin(self, held: list[bool]) -> None:
        """Let the loop start from where it is to.

        Args:
            held: of `read`.
        """
        if not held:
            return
        self.start.settle(held[0], held[1])
        if not self.start.is_private:
            return
        own = getattr(self.graph, "checkpointer", None)
        saver = self.loop.checkpointer
        copied = self.start.copy_of(own if hasattr(own, "get_tuple") else saver, make=True)
        assert copied is not None
        if self.recorded is not None:
            self._position(copied, self.recorded, held[2])
        self._use(copied)

    def _position(self, copied: PrivateSaver, recorded: RecordedRun, held: bool) -> None:
        configurable = self.loop.checkpoint_config[_CONF]
        if configurable.get(_ID):
            return
        thread, origins = str(configurable[_THREAD]), self.start.origins
        origin = self.start.origin_of(recorded)
        if origin is None or origin.outer is None or not held:
            start = origins.start_of(recorded)
            if not copied.has(thread) or (self.is_segments and not copied.is_at(thread, start.before or "")):
                copied.position(thread, start)
        elif not origin.takes_input:
            self.loop.input = None
            copied.position(thread, origin)
        elif not copied.is_at(thread, origin.outer.checkpoint_id):
            copied.position(thread, origin)

    def _use(self, copied: PrivateSaver) -> None:
        loop, saver = self.loop, self.loop.checkpointer
        is_sync = loop.checkpointer_put_writes == saver.put_writes
        loop.checkpointer = copied
        loop.checkpointer_put_writes = copied.put_writes if is_sync else copied.aput_writes
        parameters = inspect.signature(copied.put_writes).parameters
        loop.checkpointer_put_writes_accepts_task_path = "task_path" in parameters

    def begun(self, bind: Callable[[GraphRun, RecordedRun], None]) -> None:
        """Note the run that has begun.

        Args:
            bind: binds it to the recorded one that it repeats.
        """
        schedule = schedule_of(self.loop)
        if schedule is None:
            return
        start, run = self.start, schedule.run
        if start.is_private and self.recorded is not None:
            bind(run, self.recorded)
        if not self.is_segments:
            return
        origin = start.origin_of(self.recorded)
        if start.source is StateSource.TASK and origin is not None and origin.outer is not None:
            found = {names.MAS_REPLAY_CHECKPOINT_ID: origin.outer.checkpoint_id}
        else:
            found = {names.MAS_REPLAY_CHECKPOINT_MISSING: start.reason}
        recorder().set_attributes(run.span, found)


def _config(origin: RunOrigin | None) -> Any:
    """The configuration of the checkpoint that a run starts from; None where it starts from none."""
    if origin is None or origin.outer is None:
        return None
    return {_CONF: {_THREAD: origin.thread, "checkpoint_ns": "", _ID: origin.outer.checkpoint_id}}


__all__ = ["SegmentBeginning", "SegmentStart"]
