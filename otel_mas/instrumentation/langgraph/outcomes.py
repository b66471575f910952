"""Outcomes of tasks and runs, by the exception that left them and by LangGraph's own status."""

from __future__ import annotations

from asyncio import current_task
from typing import Any

from otel_mas.instrumentation.endings import is_cancelled, is_control
from otel_mas.record import arguments_of, field_of, is_a, is_empty
from otel_mas.semconv.enums import RunOutcome, TaskOutcome

# The type of `aclose()` of an async generator.
_CLOSING = "async_generator_athrow"

UNFINISHED = (TaskOutcome.INTERRUPTED, TaskOutcome.ERROR, TaskOutcome.CANCELLED)
"""Outcomes after which a task may run again."""


def task_outcome(exc: BaseException) -> TaskOutcome:
    """The outcome of a task that an exception left."""
    if is_a(exc, "ParentCommand"):
        # Without a destination it only updates the state of the graph around it.
        return TaskOutcome.OK if is_empty(field_of(_command(exc), "goto")) else TaskOutcome.HANDOFF
    if is_control(exc):
        return TaskOutcome.INTERRUPTED
    if is_cancelled(exc) or is_a(exc, "GeneratorExit") or is_a(exc, "KeyboardInterrupt"):
        return TaskOutcome.CANCELLED
    return TaskOutcome.ERROR


def _command(exc: BaseException) -> Any:
    return next(iter(arguments_of(exc)), None)


def run_outcome(loop: Any, exc: BaseException | None) -> RunOutcome:
    """The outcome of a run, by the exception that left it, if any, and LangGraph's own status."""
    if exc is None:
        return RunOutcome.ERROR if loop.status == "out_of_steps" else RunOutcome.OK
    if is_a(exc, "ParentCommand"):
        return RunOutcome.OK
    if is_control(exc):
        return RunOutcome.INTERRUPTED
    if _closed(exc):
        return RunOutcome.ABANDONED
    if is_cancelled(exc) or is_a(exc, "KeyboardInterrupt"):
        return RunOutcome.CANCELLED
    return RunOutcome.ERROR


def _closed(exc: BaseException) -> bool:
    """Whether a stream was closed before its end.

    An event loop closes a stream that was dropped in a task of its own; where the loop ends at once, it cancels that.
    """
    if not is_cancelled(exc):
        return is_a(exc, "GeneratorExit")
    try:
        task = current_task()
    except RuntimeError:  # no event loop here
        return False
    return task is not None and type(task.get_coro()).__name__ == _CLOSING
