"""Checkpoints of a recording: from which of them each run of a graph can start, so that a segment runs alone.

The run that the segment is in starts from the checkpoint that the first task ran from, and graphs inside of it from
theirs. Runs that ended before start from the checkpoint that they ended at, where nothing is left to do. Writes that
are stored at a checkpoint are kept, but for those of tasks that are to run.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from otel_mas.replay.descent import inside
from otel_mas.semconv import LinkKind
from otel_mas.semconv import attributes as names
from otel_mas.semconv.enums import TaskOutcome

if TYPE_CHECKING:
    from otel_mas.model import Span
    from otel_mas.replay.recording import Levels, RecordedRun, Recording

_DONE: Final = (TaskOutcome.OK, TaskOutcome.HANDOFF)


@dataclass(frozen=True, slots=True)
class Origin:
    """A checkpoint that a graph starts from.

    Args:
        checkpoint_id: its id.
        undone: ids of the tasks that run from there, whose writes at the checkpoint are left out.
        not_joined: names of nodes that have not written yet to what waits for several.
    """

    checkpoint_id: str
    undone: frozenset[str] = frozenset()
    not_joined: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class RunOrigin:
    """The checkpoints that a run, and the graphs inside of it, start from.

    Args:
        thread: that they were saved in.
        origins: by namespace; empty where the run starts a new thread.
        before: the checkpoint that the recorded run had started from; None where its thread was new.
    """

    thread: str
    origins: Mapping[str, Origin]
    before: str | None = None

    @property
    def outer(self) -> Origin | None:
        """That of the run itself."""
        return self.origins.get("")

    @property
    def takes_input(self) -> bool:
        """Whether the run goes on from there with the app's input, as it did when it was recorded."""
        return self.outer is None or self.outer.checkpoint_id == self.before


@dataclass(slots=True, eq=False)
class SegmentOrigins:
    """The checkpoints that the runs of a recording start from, for a segment of it.

    Args:
        recording: that has them.
        first: label of the task that the segment begins with.
        members: ids of the spans in the segment.
    """

    recording: Recording
    first: str
    members: frozenset[str]
    run: RecordedRun | None = field(init=False, default=None)
    """The run of a graph that the first task is in, the outermost; None: it is in none."""
    place: tuple[Levels, str] | None = field(init=False, default=None)
    """The place of this run outside of graphs, and its name."""
    _by_id: dict[str, Span] = field(init=False)
    _tasks: dict[str, Span] = field(init=False)
    _below: defaultdict[str | None, list[Span]] = field(init=False)
    """The tasks directly inside of a span, by its id."""
    _task: Span = field(init=False)
    _known: dict[int, RunOrigin | None] = field(init=False, default_factory=dict)
    _around: dict[str, Span] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        tasks = self.recording.tasks
        self._by_id = {span.span_id: span for span in self.recording.spans}
        self._tasks = {span.span_id: span for task in tasks.values() for span in task.spans}
        self._below = defaultdict(list)
        for task in self._tasks.values():
            self._below[task.parent_span_id].append(task)
        self._task = tasks[self.first].spans[0]
        above = list(self._above(self._task))
        for place, runs in self.recording.root.runs.items():
            for run in runs:
                if run.span is not None and run.span in above:
                    self.run, self.place = run, place
        for span in (self._task, *above):
            self._around.update((one.span_id, one) for one in self._callers(span))

    @property
    def missing(self) -> str:
        """Why there is no checkpoint to start from, in words; empty where there is one."""
        if self.run is None:
            return f"{self.first} is a task of no graph"
        origin = self.of(self.run)
        return "" if origin is not None and origin.outer is not None else "it was recorded without checkpoints"

    @property
    def replayed_inside(self) -> str:
        """Name of the task with a checkpoint, inside of which graphs without any run up to there; empty for none."""
        saved = [one for one in self._around.values() if self._checkpoint(one) is not None]
        return str(saved[0].task_name) if saved and len(saved) < len(self._around) else ""

    def is_before(self, run: RecordedRun) -> bool:
        """Whether a run had ended when that of the segment began."""
        ours = None if self.run is None else self.run.span
        return run.span is not None and ours is not None and run.span.last_ns <= ours.start_ns

    def same_time(self, run: RecordedRun) -> bool:
        """Whether a run went on beside that of the segment."""
        ours = None if self.run is None else self.run.span
        if run is self.run or run.span is None or ours is None:
            return False
        return run.span.start_ns < ours.last_ns and ours.start_ns < run.span.last_ns

    def of(self, run: RecordedRun) -> RunOrigin | None:
        """The checkpoints for a recorded run, of which no more runs than has to; None of one that runs as a whole."""
        if id(run) not in self._known:
            before = self._left(run) if self.is_before(run) else None
            self._known[id(run)] = self._segment() if run is self.run else before
        return self._known[id(run)]

    def start_of(self, run: RecordedRun) -> RunOrigin:
        """The checkpoint that a recorded run had started from, for all of it."""
        assert run.span is not None
        started = _started(run.span)
        origins = {} if started is None else {"": self._origin("", started, run.span.start_ns)}
        return RunOrigin(_thread(run.span), origins, started)

    def _segment(self) -> RunOrigin:
        run = None if self.run is None else self.run.span
        assert run is not None
        origins = dict(self._ended(run, lambda span: span.last_ns <= self._task.start_ns))
        for task in self._around.values():
            checkpoint = self._checkpoint(task)
            if checkpoint is not None:
                origins[_namespace(task)] = self._origin(_namespace(task), checkpoint, run.last_ns, again=True)
        return RunOrigin(_thread(run), origins if "" in origins else {}, _started(run))

    def _left(self, run: RecordedRun) -> RunOrigin:
        """The checkpoints that an earlier run ended at."""
        assert run.span is not None
        origins = dict(self._ended(run.span, lambda _: True))
        last = run.span.get(names.MAS_CHECKPOINT_LAST_ID)
        if last:
            origins[""] = self._origin("", str(last), run.span.last_ns)
        return RunOrigin(_thread(run.span), origins if "" in origins else {}, _started(run.span))

    def _ended(self, run: Span, is_over: Callable[[Span], bool]) -> Iterator[tuple[str, Origin]]:
        """The checkpoints that runs inside of a run have ended at, by namespace."""
        within = inside(self.recording.graph, [run.span_id])
        found: dict[str, Span] = {}
        for span_id in within & self._tasks.keys():
            task = self._tasks[span_id]
            parent = self._by_id.get(task.parent_span_id or "")
            if parent is not None and _namespace(task) and parent.get(names.MAS_CHECKPOINT_LAST_ID):
                known = found.get(_namespace(task))
                if known is None or known.start_ns < parent.start_ns:
                    found[_namespace(task)] = parent
        for namespace, span in found.items():
            if is_over(span):
                last = str(span.get(names.MAS_CHECKPOINT_LAST_ID))
                yield namespace, self._origin(namespace, last, run.last_ns)

    def _origin(self, namespace: str, checkpoint: str, until_ns: int, *, again: bool = False) -> Origin:
        """A checkpoint, and the tasks that run from it.

        Args:
            namespace: of the graph.
            checkpoint: its id.
            until_ns: when the run ended: what is done later is not done yet.
            again: whether tasks of the segment, and those around its first one, run again.
        """
        of_graph = [one for one in self._tasks.values() if _namespace(one) == namespace]
        there = [one for one in of_graph if self._checkpoint(one) == checkpoint]
        done = {one.task_id for one in there if one.get(names.MAS_TASK_OUTCOME) in _DONE and one.start_ns <= until_ns}
        if again:
            repeated = (one for one in there if one.span_id in self.members or one.span_id in self._around)
            done -= {one.task_id for one in repeated}
        first = min((_step(one) for one in there), default=0)
        earlier = {one.task_name for one in of_graph if there and _step(one) < first}
        later = {str(one.task_name) for one in of_graph if there and one.task_name not in earlier}
        return Origin(
            checkpoint, frozenset(str(one.task_id) for one in there if one.task_id not in done), frozenset(later)
        )

    def _checkpoint(self, task: Span) -> str | None:
        """The checkpoint that the step of a task began at; None where it is not recorded.

        A task whose graph has a memory of its own has that graph's in its place: then another one of the step tells.
        """
        own = task.get(names.MAS_CHECKPOINT_ID)
        if not own or min(map(_step, self._below.get(task.span_id, ())), default=1) <= 1:
            return None if not own else str(own)
        parallel = [one for one in self._below.get(task.parent_span_id, ()) if one is not task]
        same = [one for one in parallel if _step(one) == _step(task) and not one.get(names.MAS_CHECKPOINT_LAST_ID)]
        return str(same[0].get(names.MAS_CHECKPOINT_ID)) if same else None

    def _above(self, span: Span) -> Iterator[Span]:
        above = self._by_id.get(span.parent_span_id or "")
        while above is not None:
            yield above
            above = self._by_id.get(above.parent_span_id or "")

    def _callers(self, span: Span) -> Iterator[Span]:
        """A task, and those that have called it by the functional API; nothing of what is no task."""
        waiting: list[Span] = [span]
        while waiting:
            one = waiting.pop()
            if one.span_id in self._tasks:
                yield one
                waiting += self._calling(one)

    def _calling(self, span: Span) -> Iterable[Span]:
        called = [link.span_id for link in span.links if link.kind == LinkKind.CALL]
        return [self._tasks[one] for one in called if one in self._tasks]


def _namespace(task: Span) -> str:
    return str(task.get(names.MAS_TASK_NAMESPACE) or "")


def _step(task: Span) -> int:
    return int(task.get(names.MAS_TASK_STEP) or 0)


def _thread(run: Span) -> str:
    return str(run.conversation_id or "")


def _started(run: Span) -> str | None:
    found = run.get(names.MAS_CHECKPOINT_ID)
    return None if not found else str(found)


__all__ = ["Origin", "RunOrigin", "SegmentOrigins"]
