"""The task around some code: a marked one or one of LangGraph's, whichever is the inner one."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from opentelemetry import context as otel_context

from otel_mas.instrumentation.langgraph.current import current_task

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.trace import Span

    from otel_mas.instrumentation.langgraph.current import CurrentTask
    from otel_mas.instrumentation.marks.causes import HasSpan

_TASK_KEY = otel_context.create_key("otel-mas-marked-task")


class _Marked(NamedTuple):
    mark: HasSpan
    outer: CurrentTask | None
    """LangGraph's task around it."""


def with_mark(key: str, mark: HasSpan, context: Context) -> Context:
    """The context in which a mark's code is to run, for `current_mark`."""
    return otel_context.set_value(key, _Marked(mark, current_task()), context)


def current_mark(key: str) -> HasSpan | None:
    """The mark around this code, unless one of LangGraph's tasks is inside of it."""
    marked = otel_context.get_current().get(key)
    if not isinstance(marked, _Marked):
        return None
    task = current_task()
    return marked.mark if task is None or marked.outer is task else None


def with_task(mark: HasSpan, context: Context) -> Context:
    """The context in which a marked task's code is to run."""
    return with_mark(_TASK_KEY, mark, context)


def marked_task() -> HasSpan | None:
    """The marked task around this code, unless one of LangGraph's is inside of it."""
    return current_mark(_TASK_KEY)


def enclosing_task() -> Span | None:
    """The span of the innermost task around this code."""
    task = marked_task() or current_task()
    return None if task is None else task.span


__all__ = ["current_mark", "enclosing_task", "marked_task", "with_mark", "with_task"]
