"""The LangGraph task that code runs in, for the other subpackages of instrumentation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from opentelemetry import context as otel_context

if TYPE_CHECKING:
    from opentelemetry.trace import Span

    from otel_mas.instrumentation.langgraph.reasons import RoutingReasons

# Under this key the OTel context carries the task that is running.
TASK_KEY = otel_context.create_key("otel-mas-langgraph-task")


class CurrentRun(Protocol):
    """A run of a graph."""

    span: Span
    conversation: str | None

    @property
    def outer(self) -> CurrentTask | None: ...


class CurrentTask(Protocol):
    """A running task."""

    span: Span | None
    graph: Any
    """The graph that the task is, where a compiled graph was given as the node."""

    @property
    def run(self) -> CurrentRun: ...

    def routing_reasons(self) -> RoutingReasons: ...


def current_task() -> CurrentTask | None:
    """The task that this code runs in, as the OTel context knows it."""
    return otel_context.get_current().get(TASK_KEY)  # type: ignore[return-value]


__all__ = ["TASK_KEY", "CurrentTask", "current_task"]
