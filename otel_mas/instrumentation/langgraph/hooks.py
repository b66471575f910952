"""Hooks into LangGraph's own execution points: runs, steps, tasks, routing and updates of a thread's state.

All of them are private to LangGraph, with the same parameters from 0.6 on. Each calls the original exactly once with
what it was given, and keeps its own errors from the app. `hook_table` says which function each of them replaces.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from opentelemetry import context as otel_context

from otel_mas.instrumentation.langchain.tools import refused
from otel_mas.instrumentation.langgraph import spans
from otel_mas.instrumentation.langgraph.attempts import with_attempts
from otel_mas.instrumentation.langgraph.routing import Branch
from otel_mas.instrumentation.langgraph.runs import TaskRun, outer_task
from otel_mas.instrumentation.langgraph.schedule import TASK_RUNS, Schedule
from otel_mas.instrumentation.langgraph.unstarted import run_has_started
from otel_mas.instrumentation.langgraph.updates import StateUpdate, current_update
from otel_mas.instrumentation.replacements import Original, Replacement, after, around, before
from otel_mas.model.channels import START
from otel_mas.record import caught, recorder, restore_context
from otel_mas.semconv.enums import LinkKind

# Where a loop keeps its Schedule, so that the one lives exactly as long as the other.
_SCHEDULE = "_otel_mas_schedule"


def schedule_of(loop: Any) -> Schedule | None:
    """The schedule of a loop that is recorded."""
    found: Schedule | None = getattr(loop, _SCHEDULE, None)
    return found


class _Applying(threading.local):
    """The schedule of the loop that applies writes on this thread; other calls of `apply_writes` are for display."""

    schedule: Schedule | None = None


_applying = _Applying()


# -- a run: `__enter__` and `__exit__` of the loop ---------------------------------------------------------------------


def _begin_run(loop: Any) -> tuple[Schedule, Any, None] | None:
    rec = recorder()
    if not rec.active:
        return None
    run_has_started()
    schedule = Schedule(rec, loop)
    setattr(loop, _SCHEDULE, schedule)
    return schedule, loop, None


def _end_failed_run(begun: tuple[Schedule, Any, None], error: BaseException | None, result: Any) -> None:
    if error is not None:
        _end_run(begun, error, result)


def _begin_exit(loop: Any, kind: Any, exc: BaseException | None, traceback: Any) -> Any:
    schedule = getattr(loop, _SCHEDULE, None)
    return None if schedule is None else (schedule, loop, exc)


def _end_run(begun: tuple[Schedule, Any, BaseException | None], error: BaseException | None, result: Any) -> None:
    """End a run after LangGraph has saved on the way out; `error` is one in saving, which the app gets."""
    schedule, loop, exc = begun
    try:
        setattr(loop, _SCHEDULE, None)
        schedule.finish(loop, exc if error is None else error)
    except Exception:
        schedule.run.close()
        raise


enter, aenter = around(_begin_run, _end_failed_run, "langgraph run start")
leave, aleave = around(_begin_exit, _end_run, "langgraph run end")


# -- the steps of a run ------------------------------------------------------------------------------------------------


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


class _WritesFollower(Protocol):
    def before_writes(self, checkpoint: Any, channels: Any, tasks: Sequence[Any]) -> Sequence[str]: ...

    def after_writes(self, checkpoint: Any, channels: Any, tasks: Sequence[Any], consumed: Sequence[str]) -> None: ...


def _following_writes(follower_of: Callable[..., _WritesFollower | None], place: str) -> Replacement:
    def replace(original: Original) -> Original:
        @functools.wraps(original)
        def apply_writes(checkpoint: Any, channels: Any, tasks: Any, *args: Any, **kwargs: Any) -> Any:
            follower = follower_of(*args, **kwargs)
            if follower is None:
                return original(checkpoint, channels, tasks, *args, **kwargs)
            tasks = list(tasks)
            consumed: Sequence[str] = ()
            try:
                consumed = follower.before_writes(checkpoint, channels, tasks)
            except Exception as error:
                caught(place, error)
            result = original(checkpoint, channels, tasks, *args, **kwargs)
            try:
                follower.after_writes(checkpoint, channels, tasks, consumed)
            except Exception as error:
                caught(place, error)
            return result

        return apply_writes

    return replace


apply_writes = _following_writes(lambda *args, **kwargs: _applying.schedule, "langgraph writes")


def _saved(result: Any, loop: Any, *args: Any, **kwargs: Any) -> None:
    schedule = getattr(loop, _SCHEDULE, None)
    if schedule is not None:
        schedule.saved(loop)


def _ticked(more: Any, loop: Any, *args: Any, **kwargs: Any) -> None:
    schedule = getattr(loop, _SCHEDULE, None)
    if schedule is not None and more:
        schedule.ticked(loop)


def _matched(tasks: Any, loop: Any) -> None:
    schedule = getattr(loop, _SCHEDULE, None)
    if schedule is not None:
        for task in tasks or ():
            schedule.cache_hit(task)


put_checkpoint, _ = after(_saved, "langgraph checkpoint")
tick, _ = after(_ticked, "langgraph step start")
match_cached_writes, amatch_cached_writes = after(_matched, "langgraph cache")


# -- tasks that are scheduled in the middle of a step ------------------------------------------------------------------


def _pushed(kind: LinkKind) -> Callable[..., None]:
    def note(pushed: Any, loop: Any, caller: Any, *args: Any, **kwargs: Any) -> None:
        schedule = getattr(loop, _SCHEDULE, None)
        if schedule is not None and pushed is not None:
            schedule.pushed(pushed, caller, kind)

    return note


accept_push, aaccept_push = after(_pushed(LinkKind.CALL), "langgraph push")
schedule_error_handler, aschedule_error_handler = after(_pushed(LinkKind.ERROR_HANDLER), "langgraph push")


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
    """The task's state, the token that restores the context, and the task that LangGraph is to run."""
    state = TASK_RUNS.get(id(task))
    if state is None or state.task is not task:
        return None, None, task
    try:
        if (retry_policy or task.retry_policy) and task.name != START:
            task = with_attempts(task, state)
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


# -- routing -----------------------------------------------------------------------------------------------------------


def _note_routing(branch: Any, writer: Any, input: Any, result: Any, config: Any) -> None:  # noqa: A002
    """`BranchSpec._finish`: the only place where a conditional edge's choice is seen, also that of END."""
    state = outer_task()
    if state is None:
        update = current_update.get()
        if update is not None:
            task_id = config[spans.CONF].get("__pregel_task_id")
            edge = Branch(branch)
            update.record_routing(task_id, edge, edge.chosen(result))
        return
    known = state.run.branches.get(id(branch))
    if known is None:
        known = state.run.branches[id(branch)] = Branch(branch)
    chosen = known.chosen(result)
    state.routed.update(chosen)
    state.record_routing(known.function, chosen, known.candidates, result)


branch_finish = before(_note_routing, "langgraph routing")


# -- calls of tools that do not exist ----------------------------------------------------------------------------------


def _validated(answer: Any, node: Any, call: Any, *args: Any, **kwargs: Any) -> None:
    """`ToolNode` answers a call of an unknown tool itself, with this error message; no tool runs."""
    if answer is not None and recorder().active:
        refused(call, answer)


validate_tool_call, _ = after(_validated, "langgraph unknown tool")


# -- updates of a thread's state ---------------------------------------------------------------------------------------
# Inside a call of `update_state`, which is `bulk_update_state` with one update, LangGraph calls its own functions for
# the tasks that wait, for applying writes and for making a checkpoint; calls by `get_state` are let through.


def _begin_update(
    graph: Any, config: Mapping[str, Any], supersteps: Sequence[Any], *args: Any, **kwargs: Any
) -> tuple[StateUpdate, Any] | None:
    rec = recorder()
    if not rec.active:
        return None
    around_it = current_update.get()
    if around_it is not None and around_it.is_passed_on(graph, config):
        return None
    update = StateUpdate(rec, graph, config, supersteps)
    return update, (current_update.set(update), otel_context.attach(update.begin()))


def _end_update(begun: tuple[StateUpdate, Any], exc: BaseException | None, result: Any) -> None:
    update, tokens = begun
    try:
        try:
            for token in reversed(tokens):
                token.var.reset(token)
        finally:
            update.finish(exc)
    except Exception:
        update.span.end()
        raise


def _prepared(tasks: Any, *args: Any, **kwargs: Any) -> None:
    update = current_update.get()
    if update is not None:
        update.prepared(tasks)


def _checkpoint_created(created: Any, checkpoint: Any, channels: Any, step: Any, *args: Any, **kwargs: Any) -> None:
    update = current_update.get()
    if update is not None:
        update.saved(checkpoint, created, channels, step)


bulk_update_state, abulk_update_state = around(_begin_update, _end_update, "langgraph update")
prepare_next_tasks, _ = after(_prepared, "langgraph update tasks")
create_checkpoint, _ = after(_checkpoint_created, "langgraph update checkpoint")
apply_update_writes = _following_writes(  # `get_state` gives no `get_next_version`
    lambda get_next_version, *args, **kwargs: None if get_next_version is None else current_update.get(),
    "langgraph update writes",
)
