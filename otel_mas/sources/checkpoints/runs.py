"""What ran and because of what, worked out from the checkpoints of a thread by LangGraph's own rules. No I/O.

A step leads from one checkpoint to the next. Its tasks are known by what they wrote, a task's triggers by the channels
that were newer than what its node had seen, and its causes by who wrote those. Where a run was left and entered again
shows in `versions_seen["__interrupt__"]`, which LangGraph moves whenever it goes on without new input.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from otel_mas.semconv import LinkKind, TaskOutcome
from otel_mas.sources.checkpoints.channels import Waiting, Written, available, changed, newer, scheduled, task_id
from otel_mas.sources.checkpoints.paths import with_paths
from otel_mas.sources.checkpoints.sqlite import ERROR, INTERRUPT, NULL_TASK, RESERVED, RESUME, TASKS, Saved, Write
from otel_mas.sources.checkpoints.tasks import (
    HANDLER,
    LEFT,
    PULL,
    PUSH,
    START,
    UPDATE,
    Run,
    Task,
    by_task,
    caller_of,
    channels_of,
    finished,
    unfinished,
)


class Damaged(ValueError):
    """Checkpoints that LangGraph cannot have made."""


def rebuild(saved: Sequence[Saved]) -> list[Run]:
    """The invocations of a thread, oldest first; those of subgraphs are inside of the tasks that ran them.

    Args:
        saved: All of the thread's checkpoints, in the order in which they were made.
    """
    of_graph: dict[str, list[Saved]] = defaultdict(list)
    for one in saved:
        of_graph[_graph(one.namespace)].append(one)
    graphs = {namespace: with_paths(kept) for namespace, kept in of_graph.items()}
    known: dict[str, _Graph] = {}
    for namespace in sorted(graphs, key=lambda name: name.count("|")):
        known[namespace] = _Graph(graphs[namespace], _Outer(namespace, known))
    return known[""].runs if "" in known else []


def _graph(namespace: str) -> str:
    """The namespace, without the number that tells graphs apart which one task called."""
    head, _, last = namespace.rpartition("|")
    return head if last.isdigit() and head else namespace


class _Outer:
    """The tasks of the enclosing graph that a subgraph may have run in."""

    def __init__(self, namespace: str, known: Mapping[str, _Graph]) -> None:
        above, _, last = namespace.rpartition("|")
        self._graph = known.get(above) if namespace else None
        self._namespace = above
        self._name, _, self._key = last.partition(":")

    def of(self, first: Saved, number: int) -> Task | None:
        """The task in which the subgraph's `number`th run began, with this checkpoint."""
        if self._graph is None:
            return None
        parents = first.metadata.get("parents") or {}
        tasks = [
            task
            for task in self._graph.tasks
            if (
                task.key == self._key
                if self._key
                else task.name == self._name and task.at.id == parents.get(self._namespace)
            )
        ]
        return tasks[min(number, len(tasks) - 1)] if tasks else None


class _Graph:
    """The checkpoints of one graph in one thread, followed one by one."""

    def __init__(self, saved: Sequence[Saved], outer: _Outer) -> None:
        self.runs: list[Run] = []
        self.tasks: list[Task] = []
        self._outer = outer
        self._by_id = {one.id: one for one in saved}
        self._run_at: dict[str, Run] = {}
        self._head: Saved | None = None
        self._waiting: dict[str, Waiting] = {}
        self._latest: dict[tuple[str, str], Task] = {}
        self._names = {name for one in saved for name in one.seen}
        self._triggers: dict[str, set[str]] = defaultdict(set)
        for one in saved:
            for name, channels in one.seen.items():
                self._triggers[name].update(channels)
        for one in saved:
            self._follow(one)
        for run in list(self.runs):
            at = run.last
            gone_on = any(other.first is at for other in self.runs if other is not run)
            if run.how == "update" and by_task(at) and not gone_on:  # resumed, and left before another checkpoint
                run = self._begin(at, "resume", at.time_ns, None)
            self._leave(run)
            self._resumed_in_place(run)

    # -- checkpoint by checkpoint -----------------------------------------------------------------------------------

    def _follow(self, saved: Saved) -> None:
        before = self._by_id.get(saved.parent or "")
        if before is not None and before.id not in self._run_at:
            raise Damaged(f"the parent of checkpoint {saved.id} was not made before it")
        if saved.source == "loop" and before is not None and saved.step == before.step + 1:
            run = self._run_at[before.id]
            on = run.last is before and saved.seen.get(INTERRUPT) == before.seen.get(INTERRUPT)
            if not on:
                self._leave(run, superseded=True)
                run = self._begin(before, "resume", saved.time_ns, before)
            self._step(run, before, saved)
            run.last = saved
        else:
            run = self._begin(saved, saved.source, saved.time_ns, before)
            if saved.source == "loop":
                run.lost = (
                    'its steps were not kept (durability="exit", or deleted since): what ran in them is not known'
                )
            self._enter(run, before, saved)
        self._run_at[saved.id] = run
        self._head = saved

    def _begin(self, first: Saved, how: str, start_ns: int, base: Saved | None) -> Run:
        outer = self._outer.of(first, len(self.runs))
        before = sum(one.first is first for one in self.runs)
        run = Run(first, how, start_ns, first, before, outer)
        if base is not None and base is not self._head:
            run.forked_from = self._run_at.get(base.id)
        if outer is not None:
            outer.inside.append(run)
        self.runs.append(run)
        return run

    def _enter(self, run: Run, before: Saved | None, saved: Saved) -> None:
        """A run brings new input, changes the state from outside, or starts from a copy."""
        if saved.source == "fork":
            same = [one for one in self._by_id.values() if one.id in self._waiting and one.versions == saved.versions]
            self._waiting[saved.id] = self._waiting[same[-1].id] if same else Waiting()
            return
        waiting = self._waiting.get(before.id, Waiting()) if before is not None else Waiting()
        # What was done in a step that was left; an older checkpoint is taken as it is.
        head = before is not None and self._run_at[before.id].last is before
        finished: list[Written] = self._writers(before) if before is not None and head else []
        if saved.source == "update":
            if before is not None:
                self._leave(self._run_at[before.id])
                finished = self._writers(before) if head else []
            written = [*finished, *self._updates(run, before, saved, channels_of(finished))]
        else:
            new = sorted(changed(before, saved) - channels_of(finished))
            written = [*finished, (run, [(channel, None) for channel in new])]
        if saved.source != "loop":
            self._waiting[saved.id] = waiting.after(written, saved, ())

    def _updates(self, run: Run, before: Saved | None, saved: Saved, done: set[str]) -> list[Written]:
        """`update_state(as_node=...)`: the state was changed from outside, as if nodes had run. Who wrote what."""
        rows: dict[str, list[Write]] = defaultdict(list)
        for write in before.writes if before is not None else ():
            if write.path.startswith(UPDATE):
                rows[write.task_id].append(write)
        if not rows:  # the first checkpoint of a thread: what led to it is not kept
            new = sorted(changed(before, saved) - done)
            rows[saved.id] = [Write(saved.id, UPDATE, channel, None) for channel in new]
        seen = before.seen if before is not None else {}
        ran = {task.name for task in self.tasks if task.at is before and task.outcome not in LEFT}
        names = [
            name
            for name, channels in saved.seen.items()
            if seen.get(name) != channels and name[:2] != "__" and name not in ran
        ]
        written: list[Written] = []
        for key, writes in rows.items():
            instead = self._latest.get((before.id, key)) if before is not None else None  # a task that waited there
            if instead is None and before is not None and len(names) == len(rows) == 1:
                instead = next((one for one in self.tasks if (one.at, one.name) == (before, names[0])), None)
            member = next((write.value for write in writes if write.channel.startswith("join:")), None)
            known = (
                instead.name if instead is not None else member or (names[0] if len(names) == len(rows) == 1 else None)
            )
            name = str(known or "update_state")
            at = (saved.time_ns, saved.time_ns)
            key = key if instead is None else instead.key
            task = Task(run, before or saved, key, name, UPDATE, TaskOutcome.OK, *at, again=bool(instead))
            run.tasks.append(task)
            self.tasks.append(task)
            written.append((task, [(write.channel, write.value) for write in writes]))
        return written

    def _step(self, run: Run, before: Saved, saved: Saved) -> None:
        late = {write.channel for write in before.writes if write.task_id == NULL_TASK}
        again = run.how == "resume" and run.first is before
        rows = by_task(before)
        left = again and any(unfinished(writes) for writes in rows.values())
        tasks = []
        for key, writes in rows.items():
            if left and not unfinished(writes) and not self._called(before, saved, writes[0].path, late):
                continue  # it was done before the run was left
            start = saved.time_ns if again else before.time_ns
            task = self._task(run, before, key, writes, (start, saved.time_ns))
            if task is not None:
                failed = any(write.channel == ERROR for write in writes) and not again
                task.outcome = TaskOutcome.ERROR if failed else TaskOutcome.OK
                tasks.append(task)
        self._add(run, tasks, saved, late if again else ())
        self._waiting[saved.id] = self._carry_on(before, saved)

    def _called(self, before: Saved, saved: Saved, path: str, late: set[str]) -> bool:
        """Whether a task runs only because the caller said so on resuming, with `Command(goto=...)`."""
        name = path[len(PULL) :]
        waiting = self._waiting.get(before.id, Waiting())
        return bool(late) and path.startswith(PULL) and not newer(before, waiting, name, self._of(saved, name))

    def _carry_on(self, before: Saved, saved: Saved) -> Waiting:
        waiting = self._waiting.get(before.id, Waiting())
        consumed = {
            channel
            for task in self.tasks
            if task.at is before
            for channel in task.triggers
            if channel != TASKS and available(before, channel, waiting)
        }
        given = [(write.channel, write.value) for write in before.writes if write.task_id == NULL_TASK]
        written: list[Written] = [(self._run_at[before.id], given), *self._writers(before)]
        return waiting.after(written, saved, consumed)

    def _writers(self, before: Saved) -> list[Written]:
        """Who wrote what in the step that a checkpoint began, in LangGraph's order."""
        written: list[Written] = []
        for key, writes in by_task(before).items():
            writer: Task | Run | None = self._latest.get((before.id, key))
            if writes[0].path == PULL + START:
                writer = self._run_at[before.id]
            if writer is not None:
                written.append((writer, [(one.channel, one.value) for one in writes if one.channel not in RESERVED]))
        return written

    # -- where runs were left ------------------------------------------------------------------------------------------

    def _leave(self, run: Run, superseded: bool = False) -> None:
        """What a run was in the middle of when it was left: tasks that paused, failed, or went elsewhere."""
        if run.how == "update":
            return
        at = run.last
        rows = by_task(at)
        if any((at.id, key) in self._latest for key in rows):
            return
        known = any(unfinished(writes) for writes in rows.values())
        tasks = []
        for key, writes in rows.items() if known or not superseded else ():
            task = self._task(run, at, key, writes, (at.time_ns, at.time_ns))
            if task is not None:
                tasks.append(task)
        waiting = scheduled(at, self._waiting.get(at.id, Waiting()), self._triggers)
        if not tasks and not rows and waiting:
            gone_on = any(
                at in (one.first, self._by_id.get(one.first.parent or "")) for one in self.runs if one is not run
            )
            if run.outer is not None and run.outer.outcome not in LEFT and not (superseded or gone_on):
                tasks = self._handed_over(run, at, waiting)
            else:
                run.due = tuple(sorted({name for name, _ in waiting}))
        self._add(run, tasks)

    def _handed_over(self, run: Run, at: Saved, waiting: Sequence[tuple[str, int | None]]) -> list[Task]:
        """Tasks that wrote nothing, although the task around their graph finished: one of them left to the parent."""
        tasks = []
        for name, number in waiting:
            path = f"{PULL}{name}" if number is None else f"{PUSH}{number:010d}, {0:010d}"
            rest = sorted(self._triggers[name]) or [f"branch:to:{name}"] if number is None else [str(number)]
            key = task_id(at, at.namespace, name, "__pregel_pull" if number is None else "__pregel_push", *rest)
            task = self._task(run, at, key, [Write(key, path, "", None)], (at.time_ns, at.time_ns))
            if task is not None:
                task.outcome = TaskOutcome.HANDOFF
                tasks.append(task)
        if run.outer is not None:
            run.outer.outcome = TaskOutcome.HANDOFF
        return tasks

    def _resumed_in_place(self, run: Run) -> None:
        """Answered, and paused again before another checkpoint was made."""
        at = run.last
        answered = [task for task in self.tasks if task.at is at and task.run is run and task.outcome in LEFT]
        rows = by_task(at)
        answered = [task for task in answered if _answered(rows[task.key])]
        if not answered or any(other is not run and other.first is at for other in self.runs):
            return
        resumed = self._begin(at, "resume", at.time_ns, None)
        tasks = []
        for earlier in answered:
            writes = rows[earlier.key]
            task = self._task(resumed, at, earlier.key, writes, (at.time_ns, at.time_ns))
            if task is not None:
                task.outcome = TaskOutcome.OK if finished(writes) else earlier.outcome
                tasks.append(task)
        self._add(resumed, tasks)

    # -- one task ------------------------------------------------------------------------------------------------------

    def _task(self, run: Run, at: Saved, key: str, writes: Sequence[Write], times: tuple[int, int]) -> Task | None:
        path = writes[0].path
        name = self._name(at, key, path)
        if name is None:
            return None
        asked = [write.value for write in writes if write.channel == INTERRUPT]
        failed = [str(write.value) for write in writes if write.channel == ERROR]
        outcome = TaskOutcome.INTERRUPTED if asked else TaskOutcome.ERROR if failed else TaskOutcome.OK
        task = Task(run, at, key, name, path, outcome, *times, error=failed[0] if failed else None)
        task.interrupts = tuple(str(one) for found in asked for one in found or () if one)
        task.again = (at.id, key) in self._latest
        earlier = self._latest.get((at.id, key))
        if earlier is not None and earlier.outcome is TaskOutcome.ERROR:
            task.causes = ((LinkKind.RETRY, earlier),)
        return task

    def _name(self, at: Saved, key: str, path: str) -> str | None:
        """The node's name; None for what is no task: the input of a run, an update."""
        if HANDLER in path:
            failed = path[len(PULL) : path.index(HANDLER)]
            return (
                f"__error_handler__{failed}" if f"__error_handler__{failed}" in self._names else f"{failed} (handler)"
            )
        if path.startswith(PULL):
            return path[len(PULL) :] if path != PULL + START else None
        if not path.startswith(PUSH):
            return None
        called, number = caller_of(path)
        if called is None:
            return at.sends[number] if number < len(at.sends) else None
        # The id is made of the name and the caller's id, and nothing else says what was called.
        callers = [key for key, writes in by_task(at).items() if writes[0].path == called]
        for caller in callers:
            inside = self._inside(at, caller, called)
            for name in self._names:
                if task_id(at, inside, name, "__pregel_push", called, str(number)) == key:
                    return name
        return f"call {number}"

    def _inside(self, at: Saved, key: str, path: str) -> str:
        """The namespace of what runs inside of a task."""
        own = f"{self._name(at, key, path)}:{key}"
        called = caller_of(path)[0] if path.startswith(PUSH) else None
        if called is None:
            return f"{at.namespace}|{own}" if at.namespace else own
        caller = next(key for key, writes in by_task(at).items() if writes[0].path == called)
        return f"{self._inside(at, caller, called)}|{own}"

    def _because(
        self, task: Task, after: Saved | None, late: Iterable[str]
    ) -> tuple[tuple[str, ...], tuple[tuple[LinkKind, Task | Run], ...]]:
        """Which channels made a task run, and who wrote them."""
        at, path = task.at, task.path
        waiting = self._waiting.get(at.id, Waiting())
        if HANDLER in path:
            failed = path[: path.index(HANDLER)]
            return (), tuple((LinkKind.ERROR_HANDLER, one) for one in self._at(at, failed))
        if path.startswith(PUSH):
            called, number = caller_of(path)
            if called is None:
                sender = waiting.sends[number] if number < len(waiting.sends) else None
                return (TASKS,), ((LinkKind.SEND, sender),) if sender is not None else ()
            return (), tuple((LinkKind.CALL, one) for one in self._at(at, called))
        fired = newer(at, waiting, task.name, self._of(after, task.name), late)
        writers = [(LinkKind.TRIGGER, writer) for channel in fired for writer in waiting.channels.get(channel, ())]
        return tuple(fired), tuple(dict.fromkeys(writers))

    def _of(self, after: Saved | None, name: str) -> Iterable[str]:
        """The channels that trigger a node: those it had seen after it ran."""
        return after.seen.get(name, ()) if after is not None else self._triggers[name] or (f"branch:to:{name}",)

    def _at(self, at: Saved, path: str) -> list[Task]:
        """The task with this path in the step of a checkpoint."""
        found = [task for (where, _), task in self._latest.items() if where == at.id and task.path == path]
        return found[-1:]

    def _add(self, run: Run, tasks: Sequence[Task], after: Saved | None = None, late: Iterable[str] = ()) -> None:
        for task in tasks:
            self._latest[task.at.id, task.key] = task
        for task in tasks:  # which other task called it, or failed, is known only once all are
            task.triggers, causes = self._because(task, after, late)
            task.causes = (*causes, *task.causes)
        run.tasks.extend(tasks)
        self.tasks.extend(tasks)


def _answered(writes: Sequence[Write]) -> bool:
    """Whether a task went on. Before 1.0 an answer by id leaves no trace but what the task then wrote."""
    return finished(writes) or any(write.channel == RESUME for write in writes)


__all__ = ["Damaged", "rebuild"]
