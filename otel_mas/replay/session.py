"""A replay that is going on: what answers a call."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from time import sleep
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from opentelemetry import context as otel_context

from otel_mas.errors import ConfigError, ReplayMiss, ReplayStopped
from otel_mas.fork import ForkLock
from otel_mas.instrumentation.langgraph.runs import outer_task
from otel_mas.record import RecentlyUsed
from otel_mas.replay import answers
from otel_mas.replay.changes import Aspect, Change, changed_value
from otel_mas.replay.counterfactual import IN_STUB, Counterfactual, DependentCall, Stub, checked_stub
from otel_mas.replay.matching import Matcher, RunStart
from otel_mas.replay.place import HerePlace, TaskPlace, current_place
from otel_mas.replay.plan import Plan
from otel_mas.replay.policy import Policy
from otel_mas.replay.recording import CallKind, RecordedCall, RecordedRun, Recording
from otel_mas.replay.request import MessageForm, Normaliser, Request
from otel_mas.replay.results import ReplayResults
from otel_mas.replay.segment import Segment, SegmentEnded
from otel_mas.replay.spans import record_outcome, record_reached, record_repeated, record_traces
from otel_mas.replay.substitutes import substituted
from otel_mas.semconv.enums import ReplayOutcome

if TYPE_CHECKING:
    from opentelemetry.trace import Span

    from otel_mas.instrumentation.langgraph.runs import GraphRun, TaskRun

_UNKNOWN: Final = -1
_NS: Final = 1e-9  # in seconds
_MOST_FORMS: Final = 4096
_MOST_TOOLS: Final = 64
_lock = ForkLock()  # of all sessions: a lock of each would stay registered, for forks, as long as the process


class Answer(NamedTuple):
    """The answer to a call in a replay."""

    call: RecordedCall | None
    """The call that answers it, as recorded or with another answer; None: it is to be really made."""
    number: int
    """Number of the recorded tool call that it repeats among those of its name at its place; -1 where there is none."""
    model: Any = None
    """The model to call in place of the app's own, or its name; None: that one."""
    messages: list[Any] | None = None
    """The messages for it in place of those that the app gave; None: those."""


class ReplaySession(ReplayResults):
    """A replay of a recording. Its counts go on while the app runs.

    Args:
        recording: answers.
        policy: of what is live and of misses.
        normaliser: of requests.
        stub: answers calls that depend on a change: a chat model, or a function of a `DependentCall`.
        reference: a second recording, which answers dependent calls that it has, before the stub.

    Raises:
        ConfigError: The stub is none.
    """

    def __init__(
        self,
        recording: Recording,
        policy: Policy,
        normaliser: Normaliser,
        stub: Stub = None,
        reference: Recording | None = None,
    ) -> None:
        super().__init__(recording)
        self.policy = policy
        self.normaliser = normaliser
        self.counterfactual = Counterfactual(recording, checked_stub(stub), policy.descendants_live)
        self.forms: RecentlyUsed[object, MessageForm] = RecentlyUsed(_MOST_FORMS)
        """Forms of messages that were asked, by their content: most are asked again and again."""
        self.tools: RecentlyUsed[int, tuple[Any, Any]] = RecentlyUsed(_MOST_TOOLS)
        """Lists of tool definitions, by their id, and the same as plain values."""
        self._resumed: dict[str, int] = {}
        self._matcher = Matcher(recording, normaliser, record_repeated)
        self._reference = None if reference is None else Matcher(reference, normaliser, lambda *_: None)

    @property
    def stopped(self) -> list[ReplayStopped]:
        """Calls that depend on a change and were not made."""
        return self.counterfactual.stopped

    def change(self, target: str, **change: Any) -> None:
        """Change one thing of the run: what does not depend on it is answered from the recording.

        Args:
            target: label of a recorded call (`researcher#1/model#2`, `researcher#1/tool:search#1`) or task
                (`researcher#1`), as `session.recording` has it.
            change: one of these. `output`: what a call answers (a text, a message, a JSON value, an exception to raise)
                or a task writes. `input`: fields of the state that a task reads. `prompt`: the system prompt of a call,
                or of all in a task. `model`: a chat model, or the name of one of the same class. `goto`: the node or
                nodes that follow a task. `answer`: what a person answered to its interrupt. Of `output`, `input`,
                `prompt` and `answer` it may be a function of what was recorded, the input, the messages, or the answer.

        Raises:
            ConfigError: The recording has no such call or task, or it is no change of one.
        """
        unknown = sorted(change.keys() - {one.value for one in Aspect})
        if unknown:
            raise ConfigError(f"there is no change of {unknown[0]!r}: give one of {', '.join(Aspect)}")
        with _lock:
            self.counterfactual.add(Change.of(target, change))

    def segment(self, first: str, last: str | None = None) -> None:
        """Run a segment again: a task and its causal descendants; all before it is answered from the recording.

        The replay stops at the first call that depends on the last task: by `SegmentEnded`, at which the `with` block
        ends without an exception.

        Args:
            first: label of the task that the segment begins with, as `session.recording.tasks` has it.
            last: label of the task that it ends with; None: it goes on to the end.

        Raises:
            ConfigError: The recording has no such task, or the last one does not depend on the first one.
        """
        with _lock:
            self.counterfactual.take_segment(Segment(self.recording, first, last))

    @property
    def segment_state(self) -> str:
        """Source of the state before the segment, in words: a checkpoint, or a replay up to there, and why.

        Empty where there is no segment, and until its run has begun.
        """
        segment = self.counterfactual.segment
        return "" if segment is None else segment.start.state

    @property
    def ended(self) -> bool:
        """Whether the replay stopped at the end of its segment."""
        segment = self.counterfactual.segment
        return segment is not None and segment.ended

    def plan(self) -> Plan:
        """The recorded calls that run again, for changes or a segment: what has to be paid at most, before it is."""
        with _lock:
            return self.counterfactual.plan()

    def raise_unfinished(self) -> None:
        """Raise what made the run another one, also where the app has caught it.

        Raises:
            ReplayStopped: A call that depends on a change was not made.
            ReplayMiss: A call had no recorded answer, or the place of a change was not reached.
        """
        if self.stopped:
            raise self.stopped[0]
        if self.policy.on_miss == "error" and self.misses:
            raise self.misses[0]
        for change in self.counterfactual.changes.not_made():
            raise ReplayMiss(
                f"{change.target} was not reached, so that its {change.aspect.value} was not changed: the app did not "
                "go the recorded way up to there"
            )
        segment = self.counterfactual.segment
        for label in [] if segment is None else segment.not_reached():
            raise ReplayMiss(f"{label} of the segment {segment} was not reached: the app did not go the recorded way")

    def run_began(self, span: Span) -> None:
        """Note the span of a run of a graph, or of a marked agent outside of graphs."""
        self._recorded_in(span)
        record_traces(span, self.recording.trace_ids)

    def started(self, run: GraphRun, start: RunStart) -> None:
        """Note how a run of a graph began."""
        self.run_began(run.span)
        with _lock:
            for matcher in (self._matcher, self._reference):
                if matcher is not None:
                    matcher.started(run, start)
            self.counterfactual.descent.run_started(run)

    def bind(self, run: GraphRun, recorded: RecordedRun) -> None:
        """Bind a run of a graph to the recorded one that it repeats."""
        with _lock:
            self._matcher.bind(run, recorded)

    def task_began(self, task: TaskRun) -> None:
        """Note a task that begins."""
        with _lock:
            self.counterfactual.task_began(task)

    def task_entered(self, place: TaskPlace, task: TaskRun) -> None:
        """Note the place inside of a task that begins: the segment may begin with it."""
        segment = self.counterfactual.segment
        if segment is None:
            return
        with _lock:
            found = segment.began(place)
            if found is not None:
                self.counterfactual.descent.changed(task)
        if found is not None:
            record_reached(task.span, found)

    def task_ended(self, place: TaskPlace | None, task: TaskRun) -> None:
        """Note a task that has ended well: the segment may end with it."""
        segment = self.counterfactual.segment
        if segment is None or place is None:
            return
        with _lock:
            found = segment.task_ended(place, task)
        if found is not None:
            record_reached(task.span, found)

    def task_changed(self, change: Change, task: TaskRun) -> None:
        """Note a change that is made in a task."""
        with _lock:
            self.changed += 1
            self.counterfactual.made([change], task)
        record_outcome(task.span, ReplayOutcome.CHANGED, None)

    def answer(self, kind: CallKind, name: str, request: Request, span: Span | None, asked: Any = None) -> Answer:
        """Find the answer to a call that is made here.

        Args:
            kind: of the call.
            name: of the model, tool or retriever.
            request: what is asked.
            span: of the call, on which the answer's origin is recorded.
            asked: the messages of a model, for a stub.

        Raises:
            ReplayMiss: There is no answer, and the policy is "error".
            ReplayStopped: It depends on a change, and is neither live nor is there a stub for it.
            SegmentEnded: It comes after the segment.
        """
        here, task = current_place(), outer_task()
        self._recorded_in(span)
        with _lock:
            # A live call uses its recorded one up, too: later ones find theirs.
            found = self._matcher.take(here, kind, request)
            self._check_segment(here, task, found, span)
            recorded = found
            if found is None and self.counterfactual:
                recorded = self._matcher.replaced(here, kind, name, request)
            changes = self.counterfactual.changed(recorded, kind, here.place)
            if not changes and self.policy.is_live(kind, here):
                return self._go_live(span, found)
            again = self.counterfactual.in_segment(found)
            if not again and not changes and (found is not None or not self.counterfactual.depends(here, task)):
                return self._recorded(here, kind, name, request, span, found)
            if changes and recorded is not None:
                self._matcher.use(recorded)
            reference = None if changes or self._reference is None else self._reference.take(here, kind, request)
            if reference is not None:
                self.stubbed += 1
                record_outcome(span, ReplayOutcome.STUBBED, reference)
                return Answer(reference, 0)
            if recorded is not None:
                self._matcher.replace(recorded)
            nearest = recorded or self._matcher.nearest(here, kind, name, request)
        if recorded is not None and Aspect.OUTPUT in changes:
            return self._changed(recorded, changes[Aspect.OUTPUT], task, span)
        if nearest is not None and nearest.place != here.place:
            nearest = None
        asked = request.head.get("arguments", request.head.get("query")) if asked is None else asked
        call = DependentCall(kind.value, name, str(here.place), asked, nearest)
        return self._again(call, here, task, changes, span)

    def _check_segment(
        self, here: HerePlace, task: TaskRun | None, found: RecordedCall | None, span: Span | None
    ) -> None:
        """Stop before a call that comes after the segment."""
        segment = self.counterfactual.segment
        if segment is not None and segment.is_past(here, task, found):
            segment.ended = True
            record_outcome(span, ReplayOutcome.AFTER_SEGMENT, None)
            raise SegmentEnded(f"the segment {segment} has ended")

    def _changed(self, call: RecordedCall, change: Change, task: TaskRun | None, span: Span | None) -> Answer:
        """Answer with the output of a change."""
        value = changed_value(change, lambda: answers.recorded_output(call))
        with _lock:
            self.changed += 1
            self.counterfactual.made([change], task)
        record_outcome(span, ReplayOutcome.CHANGED, call)
        return Answer(substituted(call, value), 0)

    def _again(
        self,
        call: DependentCall,
        here: HerePlace,
        task: TaskRun | None,
        changes: Mapping[Aspect, Change],
        span: Span | None,
    ) -> Answer:
        """Make a call again that depends on a change, or has a changed prompt or model."""
        if changes:
            with _lock:
                self.counterfactual.made(changes.values(), task)
        token = otel_context.attach(otel_context.set_value(IN_STUB, True))
        try:
            again = self.counterfactual.again(call, here.place, changes)
        except ReplayStopped:
            record_outcome(span, ReplayOutcome.STOPPED, call.recorded)
            raise
        finally:
            otel_context.detach(token)
        with _lock:
            self.changed += bool(changes)
            if not again.stubbed:
                return self._go_live(span, call.recorded)._replace(model=again.model, messages=again.messages)
            self.stubbed += 1
        record_outcome(span, ReplayOutcome.STUBBED, call.recorded)
        return Answer(again.answer, 0, again.model, again.messages)

    def _recorded(
        self,
        here: HerePlace,
        kind: CallKind,
        name: str,
        request: Request,
        span: Span | None,
        found: RecordedCall | None,
    ) -> Answer:
        """Answer from the recording, or do what the policy has for a miss."""
        outcome = ReplayOutcome.ANSWERED
        if found is None:
            miss = self._matcher.miss(here, kind, name, request)
            self.misses.append(miss)
            if self.policy.on_miss == "live":
                return self._go_live(span, None)
            found = self._matcher.nearest(here, kind, name, request) if self.policy.on_miss == "nearest" else None
            if found is None:
                record_outcome(span, ReplayOutcome.MISSED, None)
                raise miss
            self._matcher.use(found)
            outcome = ReplayOutcome.NEAREST
        self._count(found)
        record_outcome(span, outcome, found)
        return Answer(found, 0)

    def note_miss(self, miss: ReplayMiss) -> None:
        """Note something without a recorded answer that is no call of LangChain."""
        with _lock:
            self.misses.append(miss)

    def resume_value(self, path: str, number: int, given: Any) -> Any:
        """Answer of a person to a task when it was recorded; the given value if that is not recorded.

        Args:
            path: of the task, as `task_path` writes it.
            number: of the answer among those that the task ever got, from 0; earlier ones may be another process's.
            given: what the app resumes with.
        """
        with _lock:
            values = self.recording.resume_values.get(path, ())
            at = max(number, self._resumed.get(path, 0))
            if at >= len(values):
                return given
            self._resumed[path] = at + 1
            return values[at]

    def take_time(self, *calls: RecordedCall) -> None:
        """Wait as long as calls took that were made at once, where the policy asks for it."""
        if self.policy.timing:
            sleep(max((call.span.duration_ns for call in calls), default=0) * _NS)

    async def atake_time(self, *calls: RecordedCall) -> None:
        """The same without blocking the event loop."""
        if self.policy.timing:
            await asyncio.sleep(max((call.span.duration_ns for call in calls), default=0) * _NS)

    def _go_live(self, span: Span | None, repeated: RecordedCall | None) -> Answer:
        self.live += 1
        record_outcome(span, ReplayOutcome.LIVE, repeated)
        if repeated is None or repeated.kind is not CallKind.TOOL:
            return Answer(None, _UNKNOWN)
        return Answer(None, self._matcher.number(repeated))


__all__ = ["Answer", "ReplaySession"]
