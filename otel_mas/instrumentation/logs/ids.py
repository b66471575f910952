"""Ids of the span, task, agent, workflow, conversation and user that code works for."""

from __future__ import annotations

import sys
import threading
from typing import TYPE_CHECKING, Any

from opentelemetry import context as otel_context

from otel_mas.instrumentation.langgraph.current import current_task
from otel_mas.instrumentation.marks.current_task import marked_task
from otel_mas.instrumentation.marks.kinds import marked_workflow
from otel_mas.record import CORRELATION, correlation_of, recorded_attributes
from otel_mas.semconv import Operation
from otel_mas.semconv import attributes as names

if TYPE_CHECKING:
    from opentelemetry.trace import Span

    from otel_mas.instrumentation.langgraph.current import CurrentTask

_CORRELATED = {f"{name}_id": attribute for name, attribute in CORRELATION.items()}
NAMES = ("trace_id", "span_id", "workflow", "agent", "task", "task_id", *_CORRELATED)
"""The ids, under the names that log records get."""

_last = threading.local()
_CONFIG = "langchain_core.runnables.config"
_USER_KEYS = ("user_id", "langgraph_auth_user_id")


def ids_of(span: Span) -> dict[str, str]:
    """The ids that are known for code in this span, which is the current one. Not to be changed."""
    # In one context they stay the same. By its id, since to keep it would keep the app's state alive.
    here = id(otel_context.get_current()), span.get_span_context()[:2]
    last: tuple[Any, dict[str, str]] | None = getattr(_last, "found", None)
    if last is None or last[0] != here:
        last = _last.found = here, _ids(span)
    return last[1]


def _ids(span: Span) -> dict[str, str]:
    context = span.get_span_context()
    found = {"trace_id": f"{context.trace_id:032x}", "span_id": f"{context.span_id:016x}"}
    task, mark = current_task(), marked_task()
    inner = mark.span if mark is not None else None if task is None else task.span
    attributes = {} if inner is None else recorded_attributes(inner)
    run = None if task is None else task.run
    correlated = correlation_of(otel_context.get_current())
    conversation = attributes.get(names.GEN_AI_CONVERSATION_ID) or getattr(run, "conversation", None)
    known = {
        "workflow": _workflow(task),
        **{name: correlated.get(attribute) for name, attribute in _CORRELATED.items()},
        "agent": attributes.get(names.GEN_AI_AGENT_NAME) or current_agent(),
        "task": attributes.get(names.MAS_TASK_NAME),
        "task_id": attributes.get(names.MAS_TASK_ID),
    }
    known["conversation_id"] = conversation or known["conversation_id"]
    known["user_id"] = known["user_id"] or _user()
    found.update((name, str(value)) for name, value in known.items() if value)
    return found


def current_agent() -> str | None:
    """The agent that this code works for."""
    task = current_task()
    while task is not None:
        for span in (task.span, task.run.span):
            attributes = {} if span is None else recorded_attributes(span)
            agent = attributes.get(names.GEN_AI_AGENT_NAME)
            if agent is not None and attributes.get(names.GEN_AI_OPERATION_NAME) == Operation.INVOKE_AGENT:
                return str(agent)
        task = task.run.outer
    return None


def _workflow(task: CurrentTask | None) -> Any:
    """The outermost run around this code."""
    outermost = marked_workflow()
    while task is not None:
        outermost = task.run.span if outermost is None or task.run.outer is None else outermost
        task = task.run.outer
    return None if outermost is None else recorded_attributes(outermost).get(names.GEN_AI_AGENT_NAME)


def _user() -> Any:
    """The user, as LangGraph's configuration has it."""
    module: Any = sys.modules.get(_CONFIG)
    config = None if module is None else module.var_child_runnable_config.get()
    configurable = config.get("configurable") if isinstance(config, dict) else None
    if not isinstance(configurable, dict):
        return None
    return next((configurable[key] for key in _USER_KEYS if isinstance(configurable.get(key), str)), None)


__all__ = ["NAMES", "current_agent", "ids_of"]
