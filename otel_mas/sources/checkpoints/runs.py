"""Runs and their causes, rebuilt from the checkpoints of a thread by LangGraph's own rules. No I/O.

A step leads from one checkpoint to the next. Its tasks are known by what they wrote, a task's triggers by the channels
that were newer than what its node had seen, and its causes by the writers of those. A run that was left and entered
again shows in `versions_seen["__interrupt__"]`, which LangGraph moves whenever it goes on without new input.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from typing import TypeAlias

from otel_mas.model.channels import BRANCH_TO, ERROR, INTERRUPT, JOIN, START, TASKS, WaitingWriters
from otel_mas.semconv import LinkKind, TaskOutcome
from otel_mas.sources.checkpoints.channels import changed, fired_at, is_available, scheduled_at, waiting_after
from otel_mas.sources.checkpoints.reader import NULL_TASK, Checkpoint, TaskWrite
from otel_mas.sources.checkpoints.tasks import (
    HANDLER,
    NOT_RESULTS,
    PULLED,
    PUSHED,
    UNFINISHED,
    UPDATE,
    RebuiltRun,
    RebuiltTask,
    RebuiltWriter,
    by_task,
    call_id,
    caller_of,
    is_answered,
    is_finished,
    is_unfinished,
    pull_id,
    send_id,
    send_path,
    with_paths,
)


class DamagedCheckpoints(ValueError):
    """Checkpoints that LangGraph cannot have made."""


_Waiting: TypeAlias = WaitingWriters[RebuiltWriter | None]
_Written: TypeAlias = tuple[RebuiltWriter, list[tuple[str, object]]]


def rebuild(checkpoints: Sequence[Checkpoint]) -> list[RebuiltRun]:
    """The invocations of a thread, oldest first; those of subgraphs are in the tasks that ran them.

    Args:
        checkpoints: All of the thread's, in the order in which they were made.
    """
    by_graph: dict[str, list[Checkpoint]] = defaultdict(list)
    for one in checkpoints:
        by_graph[_without_number(one.namespace)].append(one)
    graphs: dict[str, _Graph] = {}
    for namespace in sorted(by_graph, key=lambda name: name.count("|")):
        outer = graphs.get(namespace.rpartition("|")[0]) if namespace else None
        graphs[namespace] = _Graph(namespace, with_paths(by_graph[namespace]), outer)
    return graphs[""].runs if "" in graphs else []


def _without_number(namespace: str) -> str:
    """The namespace, without the number that tells graphs apart which one task called."""
    head, _, last = namespace.rpartition("|")
    return head if last.isdigit() and head else namespace


class _Graph:
    """The checkpoints of one graph in one thread, followed one by one."""

    def __init__(self, namespace: str, checkpoints: Sequence[Checkpoint], outer: _Graph | None) -> None:
        self.runs: list[RebuiltRun] = []
        self.tasks: list[RebuiltTask] = []
        self._namespace = namespace
        self._outer = outer
        self._by_id = {one.id: one for one in checkpoints}
        self._run_at: dict[str, RebuiltRun] = {}
        self._head: Checkpoint | None = None
        self._waiting: dict[str, _Waiting] = {}
        self._latest: dict[tuple[str, str], RebuiltTask] = {}
        self._triggers: dict[str, set[str]] = defaultdict(set)
        for one in checkpoints:
            for name, channels in one.seen.items():
                self._triggers[name].update(channels)
        self._names = set(self._triggers)
        for one in checkpoints:
            self._follow(one)
        for run in list(self.runs):
            at = run.last
            gone_on = any(other.first is at for other in self.runs if other is not run)
            if run.source == "update" and by_task(at) and not gone_on:  # resumed, and left before another checkpoint
                run = self._begin(at, "resume", at.time_ns, None)
            self._leave(run)
            self._resume_in_place(run)

    # -- checkpoint by checkpoint -----------------------------------------------------------------------------------

    def _follow(self, checkpoint: Checkpoint) -> None:
        before = self._by_id.get(checkpoint.parent or "")
        if before is not None and before.id not in self._run_at:
            raise DamagedCheckpoints(f"the parent of checkpoint {checkpoint.id} was not made before it")
        if checkpoint.source == "loop" and before is not None and checkpoint.step == before.step + 1:
            run = self._run_at[before.id]
            if run.last is not before or checkpoint.seen.get(INTERRUPT) != before.seen.get(INTERRUPT):
                self._leave(run, superseded=True)
                run = self._begin(before, "resume", checkpoint.time_ns, before)
            self._step(run, before, checkpoint)
            run.last = checkpoint
        else:
            run = self._begin(checkpoint, checkpoint.source, checkpoint.time_ns, before)
            if checkpoint.source == "loop":
                run.incomplete = (
                    'its steps were not kept (durability="exit", or deleted since): what ran in them is not known'
                )
            self._enter(run, before, checkpoint)
        self._run_at[checkpoint.id] = run
        self._head = checkpoint

    def _begin(self, first: Checkpoint, source: str, start_ns: int, base: Checkpoint | None) -> RebuiltRun:
        outer = self._outer_task(first)
        number = sum(one.first is first for one in self.runs)
        run = RebuiltRun(first, source, start_ns, first, number, outer)
        if base is not None and base is not self._head:
            run.forked_from = self._run_at.get(base.id)
        if outer is not None:
            outer.subgraph_runs.append(run)
        self.runs.append(run)
        return run

    def _outer_task(self, first: Checkpoint) -> RebuiltTask | None:
        """The task of the enclosing graph in which the next run begins, with this checkpoint."""
        if self._outer is None:
            return None
        above, _, last = self._namespace.rpartition("|")
        name, _, key = last.partition(":")
        at = (first.metadata.get("parents") or {}).get(above)
        tasks = [
            task
            for task in self._outer.tasks
            if (task.id == key if key else (task.name, task.checkpoint.id) == (name, at))
        ]
        return tasks[min(len(self.runs), len(tasks) - 1)] if tasks else None

    def _enter(self, run: RebuiltRun, before: Checkpoint | None, checkpoint: Checkpoint) -> None:
        """A run brings new input, changes the state from outside, or starts from a copy."""
        if checkpoint.source == "fork":
            same = [
                self._waiting[one.id]
                for one in self._by_id.values()
                if one.id in self._waiting and one.versions == checkpoint.versions
            ]
            self._waiting[checkpoint.id] = same[-1] if same else WaitingWriters()
            return
        # What was done in a step that was left; an older checkpoint is taken as it is.
        head = before is not None and self._run_at[before.id].last is before
        if checkpoint.source == "update" and before is not None:
            self._leave(self._run_at[before.id])
        finished = self._writers(before) if before is not None and head else []
        done = {channel for _, writes in finished for channel, _ in writes}
        new = sorted(changed(before, checkpoint) - done)
        written: list[_Written]
        if checkpoint.source == "update":
            written = [*finished, *self._updates(run, before, checkpoint, new)]
        else:
            written = [*finished, (run, [(channel, None) for channel in new])]
        if checkpoint.source != "loop":
            waiting = self._waiting_at(before) if before is not None else WaitingWriters()
            self._waiting[checkpoint.id] = waiting_after(waiting, written, checkpoint)

    def _updates(
        self, run: RebuiltRun, before: Checkpoint | None, checkpoint: Checkpoint, new: Sequence[str]
    ) -> list[_Written]:
        """Add the tasks of `update_state(as_node=...)`: the state changed as if nodes had run. Returns their writes."""
        rows: dict[str, list[TaskWrite]] = defaultdict(list)
        for write in before.writes if before is not None else ():
            if write.path.startswith(UPDATE):
                rows[write.task_id].append(write)
        if not rows:  # the first checkpoint of a thread: what led to it is not kept
            rows[checkpoint.id] = [TaskWrite(checkpoint.id, UPDATE, channel, None) for channel in new]
        seen = before.seen if before is not None else {}
        ran = {task.name for task in self.tasks if task.checkpoint is before and task.outcome not in UNFINISHED}
        names = [
            name
            for name, channels in checkpoint.seen.items()
            if seen.get(name) != channels and name[:2] != "__" and name not in ran
        ]
        only = names[0] if len(names) == len(rows) == 1 else None
        written: list[_Written] = []
        for key, writes in rows.items():
            replaced = self._latest.get((before.id, key)) if before is not None else None  # a task that waited there
            if replaced is None and before is not None and only is not None:
                replaced = next((one for one in self.tasks if (one.checkpoint, one.name) == (before, only)), None)
            member = next((write.value for write in writes if write.channel.startswith(JOIN)), None)
            task = RebuiltTask(
                run,
                before or checkpoint,
                key if replaced is None else replaced.id,
                str((member or only or "update_state") if replaced is None else replaced.name),
                UPDATE,
                TaskOutcome.OK,
                checkpoint.time_ns,
                checkpoint.time_ns,
                is_rerun=replaced is not None,
            )
            run.tasks.append(task)
            self.tasks.append(task)
            written.append((task, [(write.channel, write.value) for write in writes]))
        return written

    def _step(self, run: RebuiltRun, before: Checkpoint, checkpoint: Checkpoint) -> None:
        late = {write.channel for write in before.writes if write.task_id == NULL_TASK}
        resumed = run.source == "resume" and run.first is before
        rows = by_task(before)
        left = resumed and any(is_unfinished(writes) for writes in rows.values())
        start = checkpoint.time_ns if resumed else before.time_ns
        tasks = []
        for key, writes in rows.items():
            if left and not is_unfinished(writes) and not self._is_requested(before, checkpoint, writes[0].path, late):
                continue  # it was done before the run was left
            task = self._task(run, before, key, writes, start, checkpoint.time_ns)
            if task is not None:
                failed = any(write.channel == ERROR for write in writes) and not resumed
                task.outcome = TaskOutcome.ERROR if failed else TaskOutcome.OK
                tasks.append(task)
        self._add(run, tasks, checkpoint, late if resumed else ())
        self._waiting[checkpoint.id] = self._waiting_after_step(before, checkpoint)

    def _is_requested(self, before: Checkpoint, checkpoint: Checkpoint, path: str, late: set[str]) -> bool:
        """Whether a task runs only because the caller asked for it on resuming, with `Command(goto=...)`."""
        name = path[len(PULLED) :]
        return (
            bool(late)
            and path.startswith(PULLED)
            and not fired_at(before, self._waiting_at(before), name, self._triggers_of(checkpoint, name))
        )

    def _waiting_at(self, checkpoint: Checkpoint) -> _Waiting:
        return self._waiting.get(checkpoint.id, WaitingWriters())

    def _waiting_after_step(self, before: Checkpoint, checkpoint: Checkpoint) -> _Waiting:
        waiting = self._waiting_at(before)
        triggers = {channel for task in self.tasks if task.checkpoint is before for channel in task.triggers}
        consumed = [name for name in triggers - {TASKS} if is_available(before, name, waiting)]
        given = [(write.channel, write.value) for write in before.writes if write.task_id == NULL_TASK]
        return waiting_after(waiting, [(self._run_at[before.id], given), *self._writers(before)], checkpoint, consumed)

    def _writers(self, before: Checkpoint) -> list[_Written]:
        """Each writer of the step that a checkpoint began, with its writes, in LangGraph's order."""
        written: list[_Written] = []
        for key, writes in by_task(before).items():
            writer: RebuiltWriter | None = self._latest.get((before.id, key))
            if writes[0].path == PULLED + START:
                writer = self._run_at[before.id]
            if writer is not None:
                written.append((writer, [(one.channel, one.value) for one in writes if one.channel not in NOT_RESULTS]))
        return written

    # -- where runs were left ------------------------------------------------------------------------------------------

    def _leave(self, run: RebuiltRun, superseded: bool = False) -> None:
        """A run was left: add the tasks that paused, failed, or went elsewhere in its last step."""
        at = run.last
        rows = by_task(at)
        if run.source == "update" or any((at.id, key) in self._latest for key in rows):
            return
        known = any(is_unfinished(writes) for writes in rows.values())
        tasks = []
        if known or not superseded:
            made = (self._task(run, at, key, writes, at.time_ns, at.time_ns) for key, writes in rows.items())
            tasks = [task for task in made if task is not None]
        scheduled = scheduled_at(at, self._waiting_at(at), self._triggers)
        if not tasks and not rows and scheduled:
            gone_on = any(
                at in (one.first, self._by_id.get(one.first.parent or "")) for one in self.runs if one is not run
            )
            if run.outer is not None and run.outer.outcome not in UNFINISHED and not (superseded or gone_on):
                tasks = self._handed_over(run, run.outer, at, scheduled)
            else:
                run.pending_nodes = tuple(sorted({name for name, _ in scheduled}))
        self._add(run, tasks)

    def _handed_over(
        self, run: RebuiltRun, outer: RebuiltTask, at: Checkpoint, scheduled: Sequence[tuple[str, int | None]]
    ) -> list[RebuiltTask]:
        """Tasks that wrote nothing, although the task around their graph finished: one of them left to the parent."""
        tasks = []
        for name, number in scheduled:
            if number is None:
                key = pull_id(at, name, self._triggers[name] or [f"{BRANCH_TO}{name}"])
                path = f"{PULLED}{name}"
            else:
                key, path = send_id(at, name, number), send_path(number)
            task = self._task(run, at, key, [TaskWrite(key, path, "", None)], at.time_ns, at.time_ns)
            if task is not None:
                task.outcome = TaskOutcome.HANDOFF
                tasks.append(task)
        outer.outcome = TaskOutcome.HANDOFF
        return tasks

    def _resume_in_place(self, run: RebuiltRun) -> None:
        """Add the run that answered a pause and paused once more before another checkpoint was made."""
        at = run.last
        rows = by_task(at)
        answered = [
            task
            for task in self.tasks
            if task.checkpoint is at and task.run is run and task.outcome in UNFINISHED and is_answered(rows[task.id])
        ]
        if not answered or any(other is not run and other.first is at for other in self.runs):
            return
        resumed = self._begin(at, "resume", at.time_ns, None)
        tasks = []
        for earlier in answered:
            task = self._task(resumed, at, earlier.id, rows[earlier.id], at.time_ns, at.time_ns)
            if task is not None:
                task.outcome = TaskOutcome.OK if is_finished(rows[earlier.id]) else earlier.outcome
                tasks.append(task)
        self._add(resumed, tasks)

    # -- one task ------------------------------------------------------------------------------------------------------

    def _task(
        self, run: RebuiltRun, at: Checkpoint, key: str, writes: Sequence[TaskWrite], start_ns: int, end_ns: int
    ) -> RebuiltTask | None:
        path = writes[0].path
        name = self._name(at, key, path)
        if name is None:
            return None
        asked = [write.value for write in writes if write.channel == INTERRUPT]
        errors = [str(write.value) for write in writes if write.channel == ERROR]
        outcome = TaskOutcome.INTERRUPTED if asked else TaskOutcome.ERROR if errors else TaskOutcome.OK
        earlier = self._latest.get((at.id, key))
        return RebuiltTask(
            run,
            at,
            key,
            name,
            path,
            outcome,
            start_ns,
            end_ns,
            causes=((LinkKind.RETRY, earlier),) if earlier and earlier.outcome is TaskOutcome.ERROR else (),
            interrupts=tuple(str(one) for found in asked for one in found or () if one),
            error=errors[0] if errors else None,
            is_rerun=earlier is not None,
        )

    def _name(self, at: Checkpoint, key: str, path: str) -> str | None:
        """The node's name; None for what is no task: the input of a run, an update."""
        if HANDLER in path:
            failed = path[len(PULLED) : path.index(HANDLER)]
            handler = f"__error_handler__{failed}"
            return handler if handler in self._names else f"{failed} (handler)"
        if path.startswith(PULLED):
            return path[len(PULLED) :] if path != PULLED + START else None
        if not path.startswith(PUSHED):
            return None
        called, number = caller_of(path)
        if called is None:
            return at.sends[number] if number < len(at.sends) else None
        # The id is made of the name and the caller's id, and nothing else says what was called.
        callers = [key for key, writes in by_task(at).items() if writes[0].path == called]
        for caller in callers:
            namespace = self._namespace_in(at, caller, called)
            for name in self._names:
                if call_id(at, namespace, name, called, number) == key:
                    return name
        return f"call {number}"

    def _namespace_in(self, at: Checkpoint, key: str, path: str) -> str:
        """The namespace of what runs in a task."""
        own = f"{self._name(at, key, path)}:{key}"
        called = caller_of(path)[0] if path.startswith(PUSHED) else None
        if called is None:
            return f"{at.namespace}|{own}" if at.namespace else own
        caller = next(key for key, writes in by_task(at).items() if writes[0].path == called)
        return f"{self._namespace_in(at, caller, called)}|{own}"

    def _explain(
        self, task: RebuiltTask, after: Checkpoint | None, late: Iterable[str]
    ) -> tuple[tuple[str, ...], Iterable[tuple[LinkKind, RebuiltWriter | None]]]:
        """The channels that made a task run, and its causes."""
        at, path = task.checkpoint, task.path
        waiting = self._waiting_at(at)
        if HANDLER in path:
            return (), [(LinkKind.ERROR_HANDLER, one) for one in self._at(at, path[: path.index(HANDLER)])]
        if path.startswith(PUSHED):
            called, number = caller_of(path)
            if called is not None:
                return (), [(LinkKind.CALL, one) for one in self._at(at, called)]
            return (TASKS,), [(LinkKind.SEND, sender) for sender in waiting.sends[number : number + 1]]
        channels = fired_at(at, waiting, task.name, self._triggers_of(after, task.name), late)
        writers = [writer for channel in channels for writer in waiting.channels.get(channel, ())]
        return tuple(channels), [(LinkKind.TRIGGER, writer) for writer in writers]

    def _triggers_of(self, after: Checkpoint | None, name: str) -> Collection[str]:
        """The channels that trigger a node: those it had seen after it ran."""
        if after is not None:
            return after.seen.get(name, {})
        return self._triggers[name] or (f"{BRANCH_TO}{name}",)

    def _at(self, at: Checkpoint, path: str) -> list[RebuiltTask]:
        """The latest task with this path in the step of a checkpoint."""
        found = [task for (where, _), task in self._latest.items() if where == at.id and task.path == path]
        return found[-1:]

    def _add(
        self, run: RebuiltRun, tasks: Sequence[RebuiltTask], after: Checkpoint | None = None, late: Iterable[str] = ()
    ) -> None:
        for task in tasks:
            self._latest[task.checkpoint.id, task.id] = task
        for task in tasks:  # which other task called it, or failed, is known only once all are
            task.triggers, causes = self._explain(task, after, late)
            known = dict.fromkeys((kind, cause) for kind, cause in causes if cause is not None)
            task.causes = (*known, *task.causes)
        run.tasks.extend(tasks)
        self.tasks.extend(tasks)


__all__ = ["DamagedCheckpoints", "rebuild"]
