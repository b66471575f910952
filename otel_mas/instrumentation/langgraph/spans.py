"""What a LangGraph span is called and carries, read from LangGraph's own objects."""

from __future__ import annotations

from asyncio import CancelledError, current_task
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, Protocol
from weakref import WeakKeyDictionary

from opentelemetry.trace import Status, StatusCode

from otel_mas.instrumentation.langgraph.channels import TASKS, Waiting, Writer
from otel_mas.instrumentation.langgraph.memory import MEMORY
from otel_mas.record import one_of
from otel_mas.semconv import attributes as names
from otel_mas.semconv.enums import LinkKind, RecordKind, RunOutcome, TaskOutcome

if TYPE_CHECKING:
    from opentelemetry.trace import Span

    from otel_mas.instrumentation.langgraph.runs import GraphRun, TaskRun
    from otel_mas.instrumentation.langgraph.updates import StateUpdate

CONF = "configurable"
_AGENT_TASK = RecordKind.AGENT_TASK.value  # as plain text, like all that is said on spans
_ROUTING_DECISION = RecordKind.ROUTING_DECISION.value
_BRANCH_TO = "branch:to:"
# The type of `aclose()` of an async generator.
_CLOSING = "async_generator_athrow"
# What LangGraph calls a graph that its author gave no name.
_UNNAMED = "LangGraph"
_REACT_AGENT = "langgraph.prebuilt.chat_agent_executor"


def bound_graph(proc: Any) -> Any:
    """The graph that a node is, when a compiled graph was given as the node; else None."""
    steps = getattr(proc, "steps", None)
    first = steps[0] if steps else proc
    return first if hasattr(first, "trigger_to_nodes") and hasattr(first, "nodes") else None


def agent_name(graph: Any) -> str | None:
    """The name given to `create_agent`, which it writes into the graph's config, or to `create_react_agent`."""
    config = getattr(graph, "config", None) or {}
    name = (config.get("metadata") or {}).get("lc_agent_name")
    return name if name is not None or not _is_react_agent(graph) else _graph_name(graph)


def given_name(graph: Any) -> str | None:
    """The name that the author gave a graph."""
    return agent_name(graph) or _graph_name(graph)


def _graph_name(graph: Any) -> str | None:
    name = getattr(graph, "name", None)
    return None if name == _UNNAMED else name


def _is_react_agent(graph: Any) -> bool:
    """Whether LangGraph's `create_react_agent` made it: it leaves no mark but its node that calls the model."""
    node = getattr(getattr(graph, "builder", None), "nodes", {}).get("agent")
    function = getattr(getattr(node, "runnable", None), "func", None)
    return getattr(function, "__module__", None) == _REACT_AGENT


def thread_key(loop: Any) -> tuple[str, str] | None:
    """(thread, namespace) of a run that is kept in a checkpointer."""
    configurable = loop.checkpoint_config[CONF]
    thread = configurable.get("thread_id")
    if thread is None or loop.checkpointer is None:
        return None
    return str(thread), loop.config[CONF].get("checkpoint_ns") or ""


def conversation(loop: Any) -> str | None:
    """The thread that a run belongs to."""
    thread = loop.config[CONF].get("thread_id")
    return None if thread is None else str(thread)


def task_attributes(state: TaskRun) -> tuple[str, dict[str, Any]]:
    """The name and the first attributes of a task's span."""
    task, run = state.task, state.run
    attributes: dict[str, Any] = {
        names.MAS_RECORD_KIND: _AGENT_TASK,
        names.MAS_TASK_ID: task.id,
        names.MAS_TASK_INDEX: state.index,
        names.MAS_TASK_NAME: task.name,
        names.MAS_TASK_STEP: task.config["metadata"].get("langgraph_step", 0),
        names.MAS_TASK_NAMESPACE: run.namespace,
        names.MAS_TASK_TRIGGERS: one_of(*state.triggers),
    }
    if run.conversation is not None:
        attributes[names.GEN_AI_CONVERSATION_ID] = run.conversation
    if run.checkpoint is not None:
        attributes[names.MAS_CHECKPOINT_ID] = run.checkpoint
    if state.attempt:
        attributes[names.MAS_TASK_ATTEMPT] = state.attempt
    if state.refs:
        attributes[names.MAS_CAUSE_REFS] = tuple(state.refs)
    agent = given_name(state.graph) if state.graph is not None else None
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
        waiting = MEMORY.waiting((*key, checkpoint_id))
        if waiting is not None and waiting.saved_by is not None and waiting.saved_by.context is not None:
            said[names.MAS_FORK_SPAN] = _cause_key(waiting.saved_by)
    return said


def left_at(checkpoint_id: str, waiting: Waiting) -> dict[str, Any]:
    """The checkpoint that a run or an update ends at, and the causes that wait there."""
    said: dict[str, Any] = {names.MAS_CHECKPOINT_LAST_ID: checkpoint_id}
    pending = pending_causes(waiting)
    if pending:
        said[names.MAS_CHECKPOINT_PENDING] = tuple(pending)
    return said


def run_attributes(graph: Any, loop: Any) -> tuple[str, dict[str, Any]]:
    """The name and the first attributes of a run's span: an agent's where `create_agent` made the graph."""
    agent = agent_name(graph)
    attributes: dict[str, Any]
    if agent is not None:
        span_name = f"invoke_agent {agent}"
        attributes = {
            names.GEN_AI_OPERATION_NAME: "invoke_agent",
            names.MAS_RECORD_KIND: _AGENT_TASK,
            names.GEN_AI_AGENT_NAME: agent,
        }
    else:
        # A graph without a name is told apart by what its caller called the run; a nested run has its node's.
        called = None if loop.is_nested else loop.config.get("run_name")
        workflow = given_name(graph) or called or _UNNAMED
        span_name = f"invoke_workflow {workflow}"
        attributes = {
            names.GEN_AI_OPERATION_NAME: "invoke_workflow",
            names.MAS_RECORD_KIND: RecordKind.WORKFLOW.value,
            names.GEN_AI_WORKFLOW_NAME: workflow,
        }
    thread = conversation(loop)
    if thread is not None:
        attributes[names.GEN_AI_CONVERSATION_ID] = thread
    return span_name, attributes


def run_outcome(loop: Any, exc: BaseException | None) -> RunOutcome:
    """How a run was left, from the exception that left it and LangGraph's own status."""
    if exc is None:
        return RunOutcome.ERROR if loop.status == "out_of_steps" else RunOutcome.OK
    kinds = {cls.__name__ for cls in type(exc).__mro__}
    if "ParentCommand" in kinds:
        return RunOutcome.OK
    if "GraphBubbleUp" in kinds:
        return RunOutcome.INTERRUPTED
    if _closed(exc):
        return RunOutcome.ABANDONED
    if "CancelledError" in kinds or isinstance(exc, KeyboardInterrupt):
        return RunOutcome.CANCELLED
    return RunOutcome.ERROR


def _closed(exc: BaseException) -> bool:
    """Whether a stream was closed before its end.

    An event loop closes a stream that was dropped in a task of its own; where the loop ends at once, it cancels that.
    """
    if not isinstance(exc, CancelledError):
        return isinstance(exc, GeneratorExit)
    try:
        task = current_task()
    except RuntimeError:  # no event loop here
        return False
    return task is not None and type(task.get_coro()).__name__ == _CLOSING


def fail_unseen(span: Span, error_type: str, why: str) -> None:
    """An error of the span's own that LangGraph raises where none of our hooks sees it."""
    span.set_attribute(names.ERROR_TYPE, error_type)
    span.set_status(Status(StatusCode.ERROR, why))
    span.add_event("exception", {names.EXCEPTION_TYPE: error_type})


def destinations(goto: Any) -> list[str]:
    """The node names of a `Command.goto`. A `Send` among them is a send, not a destination."""
    if isinstance(goto, str):
        return [goto]
    return [g for g in goto if isinstance(g, str)] if isinstance(goto, Sequence) else []


class Deciding(Protocol):
    """What makes a routing decision: a task, or an update in its place."""

    @property
    def span(self) -> Span | None: ...
    @property
    def run(self) -> GraphRun | StateUpdate: ...


def routing(
    state: Deciding, function: str, chosen: Sequence[str], candidates: Sequence[str] | None, reason: str | None = None
) -> None:
    """A ROUTING_DECISION span under the task that decided."""
    span, run = state.span, state.run
    if span is None or not span.is_recording():
        return
    attributes: dict[str, Any] = {
        names.MAS_RECORD_KIND: _ROUTING_DECISION,
        names.MAS_ROUTING_FUNCTION: function,
        names.MAS_ROUTING_CHOICE: one_of(*dict.fromkeys(chosen)),
    }
    if candidates is not None:
        attributes[names.MAS_ROUTING_CANDIDATES] = one_of(*candidates)
    if run.conversation is not None:
        attributes[names.GEN_AI_CONVERSATION_ID] = run.conversation
    decision = run.recorder.start_span(f"route {function}", attributes, parent=span)
    if reason is not None:
        run.recorder.content(decision, names.MAS_ROUTING_REASON, reason)
    decision.end()


def pending_causes(waiting: Waiting) -> list[str]:
    """`<channel>=<kind>=<cause>` for each cause that waits in a checkpoint; the reader joins a later run to it."""
    entries = []
    for channel, writers in waiting.channels.items():
        for writer in writers:
            handed = channel.startswith(_BRANCH_TO) and channel[len(_BRANCH_TO) :] in writer.handed_to
            entries.append(f"{channel}={LinkKind.HANDOFF if handed else LinkKind.TRIGGER}={_cause_key(writer)}")
    entries.extend(f"{TASKS}[{i}]={LinkKind.SEND}={_cause_key(writer)}" for i, writer in enumerate(waiting.sends))
    return entries


def _cause_key(writer: Writer) -> str:
    if writer.context is None:
        return writer.key
    return f"{writer.context.trace_id:032x}-{writer.context.span_id:016x}"


# -- what the graph's author declared ------------------------------------------------------------------------------

_STATIC: WeakKeyDictionary[Any, dict[str, frozenset[str]]] = WeakKeyDictionary()


def static_destinations(graph: Any, node: str) -> frozenset[str] | None:
    """Where this node's plain edges lead; None where the graph has no edges to read."""
    builder = getattr(graph, "builder", None)
    if builder is None:
        return None
    known = _STATIC.get(builder)
    if known is None:
        targets: dict[str, set[str]] = {}
        for source, target in builder.edges:
            targets.setdefault(source, set()).add(target)
        known = _STATIC[builder] = {source: frozenset(found) for source, found in targets.items()}
    return known.get(node, frozenset())


def has_conditional_edges(graph: Any, node: str) -> bool:
    """Whether a routing function decides where a node's results go: it is known to have only where it was heard."""
    return bool(getattr(getattr(graph, "builder", None), "branches", {}).get(node))


def declared_destinations(graph: Any, node: str) -> list[str] | None:
    """Where a node says that its commands may lead (its annotation, or `destinations=`); None where it says nothing."""
    ends = getattr(getattr(graph, "builder", None), "nodes", {}).get(node)
    found = getattr(ends, "ends", None)
    return sorted(map(str, found)) if found else None


def in_write_order(tasks: Sequence[Any]) -> Sequence[Any]:
    """Tasks in the order in which LangGraph applies their writes, which is how it numbers `Send`s."""
    return sorted(tasks, key=_write_order()) if len(tasks) > 1 else tasks


@cache
def _write_order() -> Any:
    from langgraph.pregel import _algo

    path_of = _algo.task_path_str
    key = getattr(_algo, "writes_sort_key", None)
    if key is not None:
        return lambda task: key(path_of(task.path))
    return lambda task: path_of(task.path[:3])
