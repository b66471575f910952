"""Where LangGraph is listened to: its own execution points, wrapped by plain functions.

All of them are private to LangGraph, with the same parameters from 0.6 on. Each replacement calls the original exactly
once with what it was given, and does its own work inside a guard. None of them is a `wrapt` wrapper: LangGraph takes
`weakref.WeakMethod`s of some methods of these classes, which such a wrapper breaks without a word.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Sequence
from typing import Any

from opentelemetry import context as otel_context

from otel_mas.instrumentation.langgraph import spans
from otel_mas.instrumentation.langgraph.attempts import seen_one_by_one
from otel_mas.instrumentation.langgraph.current import current_task
from otel_mas.instrumentation.langgraph.routing import Branch
from otel_mas.instrumentation.langgraph.runs import TaskRun
from otel_mas.instrumentation.langgraph.schedule import TASK_RUNS, Schedule
from otel_mas.instrumentation.langgraph.unstarted import begun
from otel_mas.instrumentation.langgraph.update_hooks import updating
from otel_mas.model.channels import START
from otel_mas.record import caught, recorder, restore_context
from otel_mas.semconv.enums import LinkKind

# Where a loop keeps its Schedule, so that the one lives exactly as long as the other.
_SCHEDULE = "_otel_mas_schedule"


class _Applying(threading.local):
    """Whose loop is applying writes on this thread; outside of that `apply_writes` is for display only."""

    schedule: Schedule | None = None


_applying = _Applying()

Original = Callable[..., Any]


# -- the loop ------------------------------------------------------------------------------------------------------


def enter(original: Original) -> Original:
    """`SyncPregelLoop.__enter__`: a run of a graph begins."""

    @functools.wraps(original)
    def __enter__(self: Any) -> Any:  # noqa: N807
        schedule = _begin_run(self)
        try:
            return original(self)
        except BaseException as exc:
            _end_run(schedule, self, exc)
            raise

    return __enter__


def aenter(original: Original) -> Original:
    """`AsyncPregelLoop.__aenter__`."""

    @functools.wraps(original)
    async def __aenter__(self: Any) -> Any:  # noqa: N807
        schedule = _begin_run(self)
        try:
            return await original(self)
        except BaseException as exc:
            _end_run(schedule, self, exc)
            raise

    return __aenter__


def leave(original: Original) -> Original:
    """`SyncPregelLoop.__exit__`: after LangGraph has saved what it saves on the way out."""

    @functools.wraps(original)
    def __exit__(self: Any, kind: Any, exc: Any, traceback: Any) -> Any:  # noqa: N807
        try:
            return original(self, kind, exc, traceback)
        except BaseException as error:
            exc = error  # what could not be saved in the background: this is what the app gets
            raise
        finally:
            _end_run(getattr(self, _SCHEDULE, None), self, exc)

    return __exit__


def aleave(original: Original) -> Original:
    """`AsyncPregelLoop.__aexit__`."""

    @functools.wraps(original)
    async def __aexit__(self: Any, kind: Any, exc: Any, traceback: Any) -> Any:  # noqa: N807
        try:
            return await original(self, kind, exc, traceback)
        except BaseException as error:
            exc = error  # what could not be saved in the background: this is what the app gets
            raise
        finally:
            _end_run(getattr(self, _SCHEDULE, None), self, exc)

    return __aexit__


def _begin_run(loop: Any) -> Schedule | None:
    try:
        rec = recorder()
        if rec.active:
            begun()
            schedule = Schedule(rec, loop)
            setattr(loop, _SCHEDULE, schedule)
            return schedule
    except Exception as error:
        caught("langgraph run start", error)
    return None


def _end_run(schedule: Schedule | None, loop: Any, exc: BaseException | None) -> None:
    if schedule is None:
        return
    try:
        setattr(loop, _SCHEDULE, None)
        schedule.finish(loop, exc)
    except Exception as error:
        schedule.run.close()
        caught("langgraph run end", error)


def first(original: Original) -> Original:
    """`PregelLoop._first`: the checkpoint is loaded, the input not yet applied."""

    @functools.wraps(original)
    def _first(self: Any, *args: Any, **kwargs: Any) -> Any:
        schedule = getattr(self, _SCHEDULE, None)
        if schedule is None:
            return original(self, *args, **kwargs)
        try:
            schedule.first(self)
        except Exception as error:
            caught("langgraph first", error)
        _applying.schedule = schedule
        try:
            return original(self, *args, **kwargs)
        finally:
            _applying.schedule = None

    return _first


def after_tick(original: Original) -> Original:
    """`PregelLoop.after_tick`: the step's writes are applied and its checkpoint is made."""

    @functools.wraps(original)
    def after_tick(self: Any) -> Any:
        schedule = getattr(self, _SCHEDULE, None)
        if schedule is None:
            return original(self)
        _applying.schedule = schedule
        try:
            result = original(self)
        finally:
            _applying.schedule = None
        try:
            schedule.step_over()
        except Exception as error:
            caught("langgraph step end", error)
        return result

    return after_tick


def apply_writes(original: Original) -> Original:
    """`langgraph.pregel._loop.apply_writes`: who wrote each channel."""

    @functools.wraps(original)
    def apply_writes(checkpoint: Any, channels: Any, tasks: Any, *args: Any, **kwargs: Any) -> Any:
        schedule = _applying.schedule
        if schedule is None:
            return original(checkpoint, channels, tasks, *args, **kwargs)
        tasks = list(tasks)
        consumed: Sequence[str] = ()
        try:
            consumed = schedule.before_writes(tasks, channels)
        except Exception as error:
            caught("langgraph writes", error)
        result = original(checkpoint, channels, tasks, *args, **kwargs)
        try:
            schedule.after_writes(tasks, channels, consumed)
        except Exception as error:
            caught("langgraph writes", error)
        return result

    return apply_writes


def put_checkpoint(original: Original) -> Original:
    """`PregelLoop._put_checkpoint`: what waits in the channels is remembered under the checkpoint's id."""

    @functools.wraps(original)
    def _put_checkpoint(self: Any, *args: Any, **kwargs: Any) -> Any:
        result = original(self, *args, **kwargs)
        schedule = getattr(self, _SCHEDULE, None)
        if schedule is not None:
            try:
                schedule.saved(self)
            except Exception as error:
                caught("langgraph checkpoint", error)
        return result

    return _put_checkpoint


def tick(original: Original) -> Original:
    """`PregelLoop.tick`: the next step's tasks are known, and why they run."""

    @functools.wraps(original)
    def tick(self: Any, *args: Any, **kwargs: Any) -> Any:
        more = original(self, *args, **kwargs)
        schedule = getattr(self, _SCHEDULE, None)
        if schedule is not None and more:
            try:
                schedule.ticked(self)
            except Exception as error:
                caught("langgraph step start", error)
        return more

    return tick


def match_cached_writes(original: Original) -> Original:
    """`SyncPregelLoop.match_cached_writes`: which tasks are answered from the cache."""

    @functools.wraps(original)
    def match_cached_writes(self: Any) -> Any:
        matched = original(self)
        if matched:
            _note_cache_hits(self, matched)
        return matched

    return match_cached_writes


def amatch_cached_writes(original: Original) -> Original:
    """`AsyncPregelLoop.amatch_cached_writes`."""

    @functools.wraps(original)
    async def amatch_cached_writes(self: Any) -> Any:
        matched = await original(self)
        if matched:
            _note_cache_hits(self, matched)
        return matched

    return amatch_cached_writes


def _note_cache_hits(loop: Any, matched: Any) -> None:
    schedule = getattr(loop, _SCHEDULE, None)
    if schedule is None:
        return
    try:
        for task in matched:
            schedule.cache_hit(task)
    except Exception as error:
        caught("langgraph cache", error)


# -- tasks that are scheduled in the middle of a step -----------------------------------------------------------------


def accept_push(original: Original) -> Original:
    """`SyncPregelLoop.accept_push`: a `@task` was called."""
    return _pushing(original, LinkKind.CALL)


def aaccept_push(original: Original) -> Original:
    """`AsyncPregelLoop.aaccept_push`."""
    return _apushing(original, LinkKind.CALL)


def schedule_error_handler(original: Original) -> Original:
    """`SyncPregelLoop.schedule_error_handler` (LangGraph 1.2): a failed task's error handler."""
    return _pushing(original, LinkKind.ERROR_HANDLER)


def aschedule_error_handler(original: Original) -> Original:
    """`AsyncPregelLoop.aschedule_error_handler`."""
    return _apushing(original, LinkKind.ERROR_HANDLER)


def _pushing(original: Original, kind: LinkKind) -> Original:
    @functools.wraps(original)
    def push(self: Any, task: Any, *args: Any, **kwargs: Any) -> Any:
        pushed = original(self, task, *args, **kwargs)
        _note_push(self, pushed, task, kind)
        return pushed

    return push


def _apushing(original: Original, kind: LinkKind) -> Original:
    @functools.wraps(original)
    async def push(self: Any, task: Any, *args: Any, **kwargs: Any) -> Any:
        pushed = await original(self, task, *args, **kwargs)
        _note_push(self, pushed, task, kind)
        return pushed

    return push


def _note_push(loop: Any, pushed: Any, caller: Any, kind: LinkKind) -> None:
    schedule = getattr(loop, _SCHEDULE, None)
    if schedule is None or pushed is None:
        return
    try:
        schedule.pushed(pushed, caller, kind)
    except Exception as error:
        caught("langgraph push", error)


# -- the task's own code -----------------------------------------------------------------------------------------------


def run_with_retry(original: Original) -> Original:
    """`langgraph.pregel._runner.run_with_retry`: the task's span is current while its code runs."""

    @functools.wraps(original)
    def run_with_retry(task: Any, retry_policy: Any, *args: Any, **kwargs: Any) -> Any:
        state, token, task = _begin_task(task, retry_policy)
        if state is None:
            return original(task, retry_policy, *args, **kwargs)
        try:
            result = original(task, retry_policy, *args, **kwargs)
        except BaseException as exc:
            _end_task(state, token, exc)
            raise
        _end_task(state, token, None, result)
        return result

    return run_with_retry


def arun_with_retry(original: Original) -> Original:
    """`langgraph.pregel._runner.arun_with_retry`."""

    @functools.wraps(original)
    async def arun_with_retry(task: Any, retry_policy: Any, *args: Any, **kwargs: Any) -> Any:
        state, token, task = _begin_task(task, retry_policy)
        if state is None:
            return await original(task, retry_policy, *args, **kwargs)
        try:
            result = await original(task, retry_policy, *args, **kwargs)
        except BaseException as exc:
            _end_task(state, token, exc)
            raise
        _end_task(state, token, None, result)
        return result

    return arun_with_retry


def _begin_task(task: Any, retry_policy: Any) -> tuple[TaskRun | None, Any, Any]:
    """The task's state, what restores the context from before, and what LangGraph is to run."""
    state = TASK_RUNS.get(id(task))
    if state is None or state.task is not task:
        return None, None, task
    try:
        if (retry_policy or task.retry_policy) and task.name != START:
            task = seen_one_by_one(task, state)
        return state, otel_context.attach(state.begin()), task
    except Exception as error:
        state.close()
        caught("langgraph task start", error)
    return None, None, task


def _end_task(state: TaskRun, token: Any, exc: BaseException | None, result: Any = None) -> None:
    try:
        restore_context(token)
        state.finish(exc, result)
    except Exception as error:
        state.close()
        caught("langgraph task end", error)


# -- routing ---------------------------------------------------------------------------------------------------------


def branch_finish(original: Original) -> Original:
    """`BranchSpec._finish`: the only place where a conditional edge's choice is seen, also that of END."""

    @functools.wraps(original)
    def _finish(self: Any, writer: Any, input: Any, result: Any, config: Any) -> Any:  # noqa: A002
        try:
            _note_routing(self, result, config)
        except Exception as error:
            caught("langgraph routing", error)
        return original(self, writer, input, result, config)

    return _finish


def _note_routing(branch: Any, result: Any, config: Any) -> None:
    state = current_task()
    if state is None:
        update = updating.get()
        if update is not None:
            task_id = config[spans.CONF].get("__pregel_task_id")
            edge = Branch(branch)
            update.decided(task_id, edge, edge.chosen(result))
        return
    known = state.run.branches.get(id(branch))
    if known is None:
        known = state.run.branches[id(branch)] = Branch(branch)
    chosen = known.chosen(result)
    state.routed.update(chosen)
    state.decided(known.function, chosen, known.candidates, result)
