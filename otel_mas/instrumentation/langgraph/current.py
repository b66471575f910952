"""The LangGraph task that code runs in, for those who must not load LangGraph to ask."""

from __future__ import annotations

from typing import TYPE_CHECKING

from opentelemetry import context as otel_context

if TYPE_CHECKING:
    from otel_mas.instrumentation.langgraph.runs import TaskRun

# Under this key the OTel context carries the task that is running, for whatever starts inside of it.
TASK_KEY = otel_context.create_key("otel-mas-langgraph-task")


def current_task() -> TaskRun | None:
    """The task that this code runs in, as the OTel context knows it."""
    return otel_context.get_current().get(TASK_KEY)  # type: ignore[return-value]


__all__ = ["TASK_KEY", "current_task"]
