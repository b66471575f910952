"""Names and attributes of LangGraph's spans, read from LangGraph's own objects."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from opentelemetry.trace import Status, StatusCode

from otel_mas.instrumentation.langgraph import graphs
from otel_mas.model.channels import TASKS
from otel_mas.record import identifier
from otel_mas.semconv import attributes as names
from otel_mas.semconv.enums import LinkKind, RecordKind

if TYPE_CHECKING:
    from opentelemetry.trace import Span

    from otel_mas.instrumentation.langgraph.channels import TaskWriters
    from otel_mas.instrumentation.langgraph.memory import ThreadMemory

CONF = "configurable"
_TASK = "__pregel_task_id"  # in the configuration of a run within a task
_AGENT_TASK = RecordKind.AGENT_TASK.value  # attributes are plain text


def thread_key(loop: Any) -> tuple[str, str] | None:
    """(thread, namespace) of a run that a checkpointer saves."""
    configurable = loop.checkpoint_config[CONF]
    thread = configurable.get("thread_id")
    if thread is None or loop.checkpointer is None:
        return None
    return identifier(thread), loop.config[CONF].get("checkpoint_ns") or ""


def conversation(loop: Any) -> str | None:
    """The thread that a run belongs to."""
    thread = loop.config[CONF].get("thread_id")
    return None if thread is None else identifier(thread)


def started_from(
    memory: ThreadMemory, key: tuple[str, str], checkpoint_id: str, superseded: bool = False
) -> dict[str, Any]:
    """The checkpoint that a run or an update starts from, and its maker where the thread had gone on from there."""
    attributes: dict[str, Any] = {names.MAS_CHECKPOINT_ID: checkpoint_id}
    head = memory.head(key)
    if superseded or (head is not None and head != checkpoint_id):
        attributes[names.MAS_FORK_CHECKPOINT_ID] = checkpoint_id
        saved_by = memory.saved_by((*key, checkpoint_id))
        if saved_by is not None and saved_by.context is not None:
            attributes[names.MAS_FORK_SPAN] = saved_by.reference
    return attributes


def left_at(checkpoint_id: str, waiting: TaskWriters) -> dict[str, Any]:
    """The checkpoint that a run or an update ends at, and the causes that wait there, to which the reader joins a run.

    Of each cause it is `<channel>=<kind>=<cause>`.
    """
    attributes: dict[str, Any] = {names.MAS_CHECKPOINT_LAST_ID: checkpoint_id}
    pending = [
        f"{channel}={writer.kind_through(channel)}={writer.reference}"
        for channel, writers in waiting.channels.items()
        for writer in writers
    ]
    pending.extend(f"{TASKS}[{i}]={LinkKind.SEND}={writer.reference}" for i, writer in enumerate(waiting.sends))
    if pending:
        attributes[names.MAS_CHECKPOINT_PENDING] = tuple(pending)
    return attributes


def run_attributes(graph: Any, config: Any) -> tuple[str, dict[str, Any]]:
    """The name and the first attributes of a run's span: an agent's where the graph was made as one.

    Args:
        graph: the graph that runs.
        config: of the run.
    """
    configurable = config.get(CONF) or {}
    # A graph without a name is named by its caller's run name; a nested run's is its node's.
    name = graphs.given_name(graph) or (None if _TASK in configurable else config.get("run_name"))
    attributes: dict[str, Any]
    if graphs.is_agent(graph):
        span_name = f"invoke_agent {name}" if name else "invoke_agent"
        attributes = {names.GEN_AI_OPERATION_NAME: "invoke_agent", names.MAS_RECORD_KIND: _AGENT_TASK}
        if name:
            attributes[names.GEN_AI_AGENT_NAME] = name
    else:
        workflow = name or graphs.UNNAMED
        span_name = f"invoke_workflow {workflow}"
        attributes = {
            names.GEN_AI_OPERATION_NAME: "invoke_workflow",
            names.MAS_RECORD_KIND: RecordKind.WORKFLOW.value,
            names.GEN_AI_AGENT_NAME: workflow,
        }
    thread = configurable.get("thread_id")
    if thread is not None:
        attributes[names.GEN_AI_CONVERSATION_ID] = identifier(thread)
    return span_name, attributes


def record_unseen_error(span: Span, error_type: str, message: str) -> None:
    """Record an error that LangGraph raises where none of our hooks sees it."""
    span.set_attribute(names.ERROR_TYPE, error_type)
    span.set_status(Status(StatusCode.ERROR, message))
    span.add_event("exception", {names.EXCEPTION_TYPE: error_type})
