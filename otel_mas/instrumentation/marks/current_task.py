"""The task around some code: a marked one or one of LangGraph's, whichever is inside the other."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from opentelemetry import context as otel_context

from otel_mas.instrumentation.langgraph.current import current_task

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.trace import Span

    from otel_mas.instrumentation.langgraph.current import CurrentTask
    from otel_mas.instrumentation.marks.causes import HasSpan

_KEY = otel_context.create_key("otel-mas-marked-task")


class _Marked(NamedTuple):
    mark: HasSpan
    within: CurrentTask | None
    """LangGraph's task around it."""


def as_task(mark: HasSpan, context: Context) -> Context:
    """The context in which a marked task's code is to run."""
    return otel_context.set_value(_KEY, _Marked(mark, current_task()), context)


def marked_task() -> HasSpan | None:
    """The marked task that this code runs in, where none of LangGraph's is inside of it."""
    marked = otel_context.get_current().get(_KEY)
    if not isinstance(marked, _Marked):
        return None
    task = current_task()
    return marked.mark if task is None or marked.within is task else None


def enclosing_task() -> Span | None:
    """The span of the innermost task that this code runs in."""
    mark, task = marked_task(), current_task()
    if mark is not None:
        return mark.span
    return None if task is None else task.span


__all__ = ["as_task", "enclosing_task", "marked_task"]
