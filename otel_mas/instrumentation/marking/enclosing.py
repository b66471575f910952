"""The task around some code: a marked one or one of LangGraph's, whichever is inside the other."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from opentelemetry import context as otel_context

from otel_mas.instrumentation.langgraph.current import current_task

if TYPE_CHECKING:
    from contextvars import Token

    from opentelemetry.context import Context
    from opentelemetry.trace import Span

    from otel_mas.instrumentation.langgraph.runs import TaskRun
    from otel_mas.instrumentation.marking.mark import Mark

_KEY = otel_context.create_key("otel-mas-marked-task")


class _Marked(NamedTuple):
    mark: Mark
    within: TaskRun | None
    """LangGraph's task around it."""


def as_task(mark: Mark, context: Context) -> Context:
    """The context in which a marked task's code is to run."""
    return otel_context.set_value(_KEY, _Marked(mark, current_task()), context)


def enclosing_task() -> Span | None:
    """The span of the innermost task that this code runs in."""
    marked = otel_context.get_current().get(_KEY)
    task = current_task()
    if isinstance(marked, _Marked) and (task is None or marked.within is task):
        return marked.mark.span
    return None if task is None else task.span


def restore(token: Token[Context]) -> None:
    """Make the context current again that was before `token`'s."""
    try:
        token.var.reset(token)
    except ValueError:  # an abandoned generator is closed in another context than it ran in
        pass


__all__ = ["as_task", "enclosing_task", "restore"]
