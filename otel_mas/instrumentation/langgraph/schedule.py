"""The tasks that LangGraph schedules in a run of a graph, each with its causes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from otel_mas.instrumentation.langgraph import spans
from otel_mas.instrumentation.langgraph.channels import TaskWriters, after_writes, consumed_by, fired_by, in_write_order
from otel_mas.instrumentation.langgraph.outcomes import UNFINISHED
from otel_mas.instrumentation.langgraph.runs import GraphRun, TaskRun, outer_task
from otel_mas.model.channels import PUSH, START, TASKS, WaitingWriters
from otel_mas.record import Recorder
from otel_mas.semconv import attributes as names
from otel_mas.semconv.enums import LinkKind

_CALL_NUMBER = 2  # the place in the path of a task that another one called, where its number among the calls is
_HANDLER_PATH = ("node_error_handler", False)  # how the path of an error handler's task ends
# Whether the run was sent to a checkpoint from which its thread had gone on (LangGraph 1.2).
_SUPERSEDED = "_addressed_checkpoint_superseded"

# Every scheduled task of every run, by the identity of LangGraph's task object; the TaskRun keeps that object alive.
TASK_RUNS: dict[int, TaskRun] = {}


class Schedule:
    """One invocation of a graph, step by step: the writers that wait in its channels, the tasks of the step."""

    __slots__ = ("_hits", "_tasks", "_triggering", "run", "waiting")

    def __init__(self, recorder: Recorder, loop: Any) -> None:
        self.run = GraphRun(recorder, loop)
        self._triggering = loop.trigger_to_nodes
        self.waiting: TaskWriters = WaitingWriters()
        self._tasks: dict[int, TaskRun] = {}
        self._hits: tuple[Any, ...] = ()

    def first(self, loop: Any) -> None:
        """Recall what waits at the checkpoint that the loop has loaded, from this process's memory."""
        run = self.run
        run.load(loop)
        if run.key is None or not loop.checkpoint["channel_versions"]:
            return
        loaded = loop.checkpoint["id"]
        started = spans.started_from(run.memory, run.key, loaded, getattr(loop, _SUPERSEDED, False))
        run.recorder.set_attributes(run.span, started)
        self.waiting = run.memory.waiting((*run.key, loaded), self._triggering, loop.channels)

    # -- what LangGraph writes -------------------------------------------------------------------------------------

    def before_writes(self, checkpoint: Any, channels: Any, tasks: Sequence[Any]) -> Sequence[str]:
        """Return the channels that LangGraph is about to consume as it applies the writes of these tasks."""
        return consumed_by(tasks, channels) if self.run.channels.joins else ()

    def after_writes(self, checkpoint: Any, channels: Any, tasks: Sequence[Any], consumed: Sequence[str]) -> None:
        """Note the writers of writes that LangGraph has applied: they wait in the channels, as causes."""
        written, is_step = [], False
        for task in in_write_order(tasks) if len(tasks) > 1 else tasks:
            state = self._tasks.get(id(task))
            written.append((self.run.writer if state is None else state.writer, task.writes))
            if task.triggers:
                is_step = True
        self.waiting = after_writes(
            self.waiting, written, triggering=self._triggering, channels=channels, consumed=consumed, is_step=is_step
        )

    def saved(self, loop: Any) -> None:
        """Remember what waits at a checkpoint that LangGraph has made, for a run that starts from it."""
        run = self.run
        if run.key is not None and loop.checkpointer is not None:
            run.memory.remember((*run.key, loop.checkpoint["id"]), self.waiting, run.writer)

    # -- what LangGraph schedules ----------------------------------------------------------------------------------

    def ticked(self, loop: Any) -> None:
        """Find the causes of the tasks that LangGraph has scheduled for the next step."""
        run = self.run
        self._tasks = tasks = {}
        if run.key is not None and loop.durability != "exit":
            run.checkpoint = loop.checkpoint["id"]
        named: Counter[str] = Counter()
        for task in loop.tasks.values():
            tasks[id(task)] = state = TaskRun(run, task, named[task.name])
            named[task.name] += 1
            self._explain(state, loop)
        TASK_RUNS.update(tasks)
        if run.agent and run.given is None and not any(state.task.name == START for state in tasks.values()):
            # The input is applied: an agent that is no node is given what its state holds now.
            run.record_input(loop.channels)

    def _explain(self, state: TaskRun, loop: Any) -> None:
        task = state.task
        if len(task.path) > 3 and task.path[-2:] == _HANDLER_PATH:
            # Scheduled in an earlier run. The task that failed is among the step's, and does not run again.
            for failed in self._tasks.values():
                if failed.task.path == task.path[:-2]:
                    state.add_cause(failed.writer, LinkKind.ERROR_HANDLER)
            return
        if task.path[0] == PUSH:
            index = task.path[1]
            if isinstance(index, int) and index < len(self.waiting.sends):
                state.add_cause(self.waiting.sends[index], LinkKind.SEND)
                state.triggers = [TASKS]
            return
        state.triggers = fired_by(task, loop.checkpoint, loop.channels)
        for channel in state.triggers:
            for writer in self.waiting.channels.get(channel, ()):
                state.add_cause(writer, writer.kind_through(channel))

    def pushed(self, task: Any, caller: Any, kind: LinkKind) -> None:
        """Add a task that was scheduled in the middle of a step: a `@task` call or an error handler."""
        if id(task) in TASK_RUNS and TASK_RUNS[id(task)].task is task:
            return
        called = kind is LinkKind.CALL and len(task.path) > _CALL_NUMBER
        source = TASK_RUNS.get(id(caller))
        state = TaskRun(self.run, task, int(task.path[_CALL_NUMBER]), source) if called else TaskRun(self.run, task)
        if source is not None:
            state.add_cause(source.writer, kind)
        self._tasks[id(task)] = TASK_RUNS[id(task)] = state
        if self._hits:
            hits, self._hits = self._hits, ()
            if any(hit is task for hit in hits):
                self.cache_hit(task)

    def cache_hit(self, task: Any) -> None:
        """Record a task whose result LangGraph has found in its cache: its code does not run."""
        run, state = self.run, self._tasks.get(id(task))
        if state is None:
            self._hits += (task,)  # a `@task` is looked up before its call is over
        elif state.task.name == START:
            state.writer = run.writer
        elif state.span is None:
            state.record_cached()
        elif outer_task() is state:
            # Before 1.2 an async `@task` looks for itself, once it runs.
            run.recorder.set_attributes(state.span, {names.MAS_TASK_CACHED: True})

    def step_over(self) -> None:
        """Forget the tasks of the step; those that wrote live on as writers."""
        for key, state in self._tasks.items():
            TASK_RUNS.pop(key, None)
            self.run.provenance.leave(state)
        self._tasks = {}

    # -- the end ---------------------------------------------------------------------------------------------------

    def finish(self, loop: Any, exc: BaseException | None) -> None:
        """End the run, whose loop was left with a result or by an exception."""
        try:
            self._note_checkpoint(loop)
            self._remember_finished(exc)
        finally:
            self.step_over()
        self.run.finish(loop, exc)

    def _remember_finished(self, exc: BaseException | None) -> None:
        """Remember the finished tasks of an unfinished step, which LangGraph runs again without them."""
        if exc is None or self.run.key is None:
            return
        for state in self._tasks.values():
            if state.writer.context is not None and state.outcome not in UNFINISHED:
                self.run.memory.finished(state.task.id, state.writer.context)

    def _note_checkpoint(self, loop: Any) -> None:
        run = self.run
        if run.key is None or loop.checkpointer is None:
            return
        run.memory.ended(run.key, loop.checkpoint["id"])
        if run.span.is_recording():
            run.recorder.set_attributes(run.span, spans.left_at(loop.checkpoint["id"], self.waiting))


__all__ = ["TASK_RUNS", "Schedule"]
