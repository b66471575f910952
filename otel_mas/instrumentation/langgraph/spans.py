"""What a LangGraph span is called and carries, read from LangGraph's own objects."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from opentelemetry.trace import Status, StatusCode

from otel_mas.instrumentation.langgraph import graphs
from otel_mas.instrumentation.langgraph.memory import MEMORY
from otel_mas.model.channels import TASKS
from otel_mas.record import identifier, interned
from otel_mas.semconv import attributes as names
from otel_mas.semconv.enums import LinkKind, RecordKind, TaskOutcome

if TYPE_CHECKING:
    from opentelemetry.trace import Span

    from otel_mas.instrumentation.langgraph.channels import Waiting

CONF = "configurable"
_TASK = "__pregel_task_id"  # in the configuration of a run inside of a task
_AGENT_TASK = RecordKind.AGENT_TASK.value  # as plain text, like all that is said on spans


def thread_key(loop: Any) -> tuple[str, str] | None:
    """(thread, namespace) of a run that is kept in a checkpointer."""
    configurable = loop.checkpoint_config[CONF]
    thread = configurable.get("thread_id")
    if thread is None or loop.checkpointer is None:
        return None
    return identifier(thread), loop.config[CONF].get("checkpoint_ns") or ""


def conversation(loop: Any) -> str | None:
    """The thread that a run belongs to."""
    thread = loop.config[CONF].get("thread_id")
    return None if thread is None else identifier(thread)


def task_attributes(
    task: Any,
    *,
    index: int,
    triggers: Sequence[str],
    refs: Sequence[str],
    attempt: int,
    agent: str | None,
    namespace: str,
    conversation: str | None,
    checkpoint: str | None,
) -> tuple[str, dict[str, Any]]:
    """The name and the first attributes of a task's span.

    Args:
        task: LangGraph's.
        index: its place among the tasks of its run.
        triggers: the channels that made it run.
        refs: causes whose spans are not known here.
        attempt: from 1; 0 where there can be only one.
        agent: the name of the agent that the task is.
        namespace: of its run, like the rest.
        conversation: the thread.
        checkpoint: from which its step began, where that is kept.
    """
    attributes: dict[str, Any] = {
        names.MAS_RECORD_KIND: _AGENT_TASK,
        names.MAS_TASK_ID: task.id,
        names.MAS_TASK_INDEX: index,
        names.MAS_TASK_NAME: task.name,
        names.MAS_TASK_STEP: task.config["metadata"].get("langgraph_step", 0),
        names.MAS_TASK_NAMESPACE: namespace,
        names.MAS_TASK_TRIGGERS: interned(*triggers),
    }
    if conversation is not None:
        attributes[names.GEN_AI_CONVERSATION_ID] = conversation
    if checkpoint is not None:
        attributes[names.MAS_CHECKPOINT_ID] = checkpoint
    if attempt:
        attributes[names.MAS_TASK_ATTEMPT] = attempt
    if refs:
        attributes[names.MAS_CAUSE_REFS] = tuple(refs)
    if agent is None:
        return f"task {task.name}", attributes
    attributes[names.GEN_AI_OPERATION_NAME] = "invoke_agent"
    attributes[names.GEN_AI_AGENT_NAME] = agent
    return f"invoke_agent {agent}", attributes


def update_attributes(node: str, task_id: str, step: int, namespace: str, thread: str) -> dict[str, Any]:
    """What the span of an update says, which stands where that of the node's task would."""
    return {
        names.MAS_RECORD_KIND: _AGENT_TASK,
        names.MAS_TASK_ID: task_id,
        names.MAS_TASK_NAME: node,
        names.MAS_TASK_STEP: step,
        names.MAS_TASK_NAMESPACE: namespace,
        names.MAS_TASK_UPDATED: True,
        names.MAS_TASK_OUTCOME: TaskOutcome.OK.value,
        names.GEN_AI_CONVERSATION_ID: thread,
    }


def started_from(key: tuple[str, str], checkpoint_id: str, superseded: bool = False) -> dict[str, Any]:
    """The checkpoint that a run or an update starts from; and who made it, where the thread had gone on from there."""
    said: dict[str, Any] = {names.MAS_CHECKPOINT_ID: checkpoint_id}
    head = MEMORY.head(key)
    if superseded or (head is not None and head != checkpoint_id):
        said[names.MAS_FORK_CHECKPOINT_ID] = checkpoint_id
        saved_by = MEMORY.saved_by((*key, checkpoint_id))
        if saved_by is not None and saved_by.context is not None:
            said[names.MAS_FORK_SPAN] = saved_by.reference
    return said


def left_at(checkpoint_id: str, waiting: Waiting) -> dict[str, Any]:
    """The checkpoint that a run or an update ends at, and the causes that wait there."""
    said: dict[str, Any] = {names.MAS_CHECKPOINT_LAST_ID: checkpoint_id}
    pending = pending_causes(waiting)
    if pending:
        said[names.MAS_CHECKPOINT_PENDING] = tuple(pending)
    return said


def run_attributes(graph: Any, config: Any) -> tuple[str, dict[str, Any]]:
    """The name and the first attributes of a run's span: an agent's where the graph was made as one.

    Args:
        graph: the graph that runs.
        config: of the run.
    """
    configurable = config.get(CONF) or {}
    # A graph without a name is told apart by what its caller called the run; a nested run has its node's.
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


def fail_unseen(span: Span, error_type: str, why: str) -> None:
    """An error of the span's own that LangGraph raises where none of our hooks sees it."""
    span.set_attribute(names.ERROR_TYPE, error_type)
    span.set_status(Status(StatusCode.ERROR, why))
    span.add_event("exception", {names.EXCEPTION_TYPE: error_type})


def pending_causes(waiting: Waiting) -> list[str]:
    """`<channel>=<kind>=<cause>` for each cause that waits in a checkpoint; the reader joins a later run to it."""
    entries = [
        f"{channel}={writer.kind_through(channel)}={writer.reference}"
        for channel, writers in waiting.channels.items()
        for writer in writers
    ]
    entries.extend(f"{TASKS}[{i}]={LinkKind.SEND}={writer.reference}" for i, writer in enumerate(waiting.sends))
    return entries
