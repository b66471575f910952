"""Tasks in a replay: which of them depend on a change, and those whose input, output, route or answer is changed."""

from __future__ import annotations

import functools
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from typing import Any, Final

from otel_mas.errors import ConfigError
from otel_mas.instrumentation.langgraph.runs import TaskRun, outer_task
from otel_mas.instrumentation.langgraph.schedule import TASK_RUNS
from otel_mas.instrumentation.replacements import Original
from otel_mas.model.channels import BRANCH_TO, RETURN, START, TASKS
from otel_mas.record import caught
from otel_mas.replay.active import active
from otel_mas.replay.changes import Aspect, Change, changed_value
from otel_mas.replay.counterfactual import changed_input
from otel_mas.replay.place import TaskPlace, current_place
from otel_mas.replay.session import ReplaySession

_SCRATCHPAD: Final = "__pregel_scratchpad"
_CONF: Final = "configurable"
_END: Final = ("END", "__end__")


def run_with_retry(original: Original) -> Original:
    """`langgraph.pregel._runner.run_with_retry` and `arun_with_retry`: each task goes through one of them."""

    @functools.wraps(original)
    def run(task: Any, *args: Any, **kwargs: Any) -> Any:
        session = active()
        if session is not None and session.counterfactual and task.name != START:
            _begin(session, task)
        return original(task, *args, **kwargs)

    return run


def _begin(session: ReplaySession, task: Any) -> None:
    try:
        state = TASK_RUNS.get(id(task))
        if state is not None and state.task is task:
            session.task_began(state)
        if session.counterfactual.of_tasks and not isinstance(task.proc, _ChangedNode):
            object.__setattr__(task, "proc", _ChangedNode(task.proc, task, session))  # it is frozen
    except Exception as error:
        caught("replay: task", error)


class _ChangedNode:
    """The code of a task, run with the changes that it has.

    Args:
        proc: the code.
        task: LangGraph's task.
        session: has the changes.
    """

    def __init__(self, proc: Any, task: Any, session: ReplaySession) -> None:
        self._proc = proc
        self._task = task
        self._session = session
        self._place: TaskPlace | None = None

    def __getattr__(self, name: str) -> Any:
        # Recording and LangGraph look at what a node is: its steps, a graph.
        if name == "_proc":  # of a copy that is being made
            raise AttributeError(name)
        return getattr(self._proc, name)

    def invoke(self, given: Any, config: Any) -> Any:
        changes = self._changes(config)
        given, config = self._read(changes, given, config)
        output = changes.get(Aspect.OUTPUT)
        if output is None:
            result = self._proc.invoke(given, config)
        else:
            result = self._output(output)
            for writer in self._writers():
                result = writer.invoke(result, config)
        return self._ended(changes, result)

    async def ainvoke(self, given: Any, config: Any) -> Any:
        changes = self._changes(config)
        given, config = self._read(changes, given, config)
        output = changes.get(Aspect.OUTPUT)
        if output is None:
            result = await self._proc.ainvoke(given, config)
        else:
            result = self._output(output)
            for writer in self._writers():
                result = await writer.ainvoke(result, config)
        return self._ended(changes, result)

    async def astream(self, given: Any, config: Any) -> AsyncIterator[Any]:
        changes = self._changes(config)
        if Aspect.OUTPUT in changes:
            yield await self.ainvoke(given, config)
            return
        given, config = self._read(changes, given, config)
        async for chunk in self._proc.astream(given, config):
            yield chunk
        self._ended(changes, None)

    def _changes(self, config: Any) -> dict[Aspect, Change]:
        """The changes of this task, noted as made; an answer only where the task has been given one."""
        self._place = place = current_place().place
        found = {one.aspect: one for one in self._session.counterfactual.changes.at(place)}
        if Aspect.ANSWER in found and not _is_answered(config):
            del found[Aspect.ANSWER]
        task = outer_task()
        if task is not None:
            self._session.task_entered(place, task)
        for change in found.values():
            if task is not None:
                self._session.task_changed(change, task)
        return found

    def _read(self, changes: dict[Aspect, Change], given: Any, config: Any) -> tuple[Any, Any]:
        if Aspect.INPUT in changes:
            given = changed_input(given, changes[Aspect.INPUT].value)
        if Aspect.ANSWER in changes:
            config = _answered(config, changes[Aspect.ANSWER])
        return given, config

    def _output(self, change: Change) -> Any:
        if callable(change.value):
            raise ConfigError(f"the output of {change.target} is a function: of a task give the values that it writes")
        value = changed_value(change, lambda: None)
        if isinstance(value, BaseException):
            raise value
        return value

    def _writers(self) -> Sequence[Any]:
        """The parts of the task that write what its function has returned."""
        steps = getattr(self._proc, "steps", None)
        return () if steps is None else steps[1:]

    def _ended(self, changes: dict[Aspect, Change], result: Any) -> Any:
        if Aspect.GOTO in changes:
            self._go_to(changes[Aspect.GOTO])
        task = outer_task()
        if task is not None:
            self._session.task_ended(self._place, task)
        return result

    def _go_to(self, change: Change) -> None:
        """Replace what the task has written to go on with."""
        value = change.value
        chosen = list(value) if isinstance(value, list | tuple) else [value]
        task = outer_task()
        nodes = getattr(task.run.graph, "nodes", {}) if isinstance(task, TaskRun) else {}
        unknown = [one for one in chosen if isinstance(one, str) and one not in (*_END, *nodes)]
        if unknown or any(name == RETURN for name, _ in self._task.writes):
            there = ", ".join(name for name in nodes if not name.startswith("__"))
            raise ConfigError(f"{change.target} cannot go to {unknown or chosen}: its graph has {there or 'no nodes'}")
        kept = [(name, one) for name, one in self._task.writes if name != TASKS and not name.startswith(BRANCH_TO)]
        self._task.writes.clear()
        self._task.writes.extend(kept)
        for one in chosen:
            if isinstance(one, str):
                if one not in _END:
                    self._task.writes.append((f"{BRANCH_TO}{one}", None))
            else:
                self._task.writes.append((TASKS, one))  # a Send


def _is_answered(config: Any) -> bool:
    pad = config[_CONF].get(_SCRATCHPAD)
    return pad is not None and bool(pad.resume or pad.get_null_resume(False) is not None)


def _answered(config: Any, change: Change) -> Any:
    """A config in which a person has given another answer to the task's last interrupt."""
    pad = config[_CONF][_SCRATCHPAD]
    latest = pad.get_null_resume(True)  # used up
    earlier, given = (list(pad.resume), latest) if latest is not None else (list(pad.resume[:-1]), pad.resume[-1])
    changed = replace(pad, resume=[*earlier, changed_value(change, lambda: given)])
    return {**config, _CONF: {**config[_CONF], _SCRATCHPAD: changed}}


__all__ = ["run_with_retry"]
