"""Fallback where our hooks do not fit: runs and tasks by LangChain's public callbacks.

The spans are exact, but a subgraph and its node are two, and cached results and attempts are not distinguished. Causes
are inferred (`inferred_causes`), and marked so.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from time import time_ns
from typing import TYPE_CHECKING, Any
from uuid import UUID

from opentelemetry import context as otel_context
from opentelemetry.trace import NonRecordingSpan, get_current_span, set_span_in_context

from otel_mas.instrumentation.callback_handler import CallbackFallback
from otel_mas.instrumentation.endings import run_attributes
from otel_mas.instrumentation.langgraph.human_input import record_question
from otel_mas.instrumentation.langgraph.inferred_causes import InferredCauses, NodeRun
from otel_mas.instrumentation.langgraph.outcomes import run_outcome, task_outcome
from otel_mas.record import guarded, identifier, recorder, recording_context, restore_context
from otel_mas.semconv import attributes as names
from otel_mas.semconv.enums import RecordKind, RunOutcome, TaskOutcome

if TYPE_CHECKING:
    from contextvars import Token

    from opentelemetry.context import Context
    from opentelemetry.trace import Span

_MAX_OPEN = 16_384  # runs; LangChain forgets to end some, and a process may run for months
_STEP = "graph:step:"
_BRANCH_STEP = "seq:step:"


@dataclass(eq=False)
class _Chain:
    """Any run of LangChain's; of a graph once a task of it begins."""

    name: str
    parent: UUID | None
    metadata: dict[str, Any]
    tags: list[str]
    start_ns: int = field(default_factory=time_ns)
    context: Context = field(default_factory=otel_context.get_current)
    span: Span | None = None
    causes: InferredCauses | None = None
    paused: bool = False
    asked: set[str] = field(default_factory=set)


class _Task(_Chain):
    """A run of a node, or of a `@task`."""

    graph: _Chain
    node_run: NodeRun
    token: Token[Context] | None


class RunCallbacks:
    """LangChain's callbacks of chains; ignoring the rest costs LangChain nothing."""

    run_inline = True  # an async run would otherwise put every event onto a thread pool
    ignore_llm = ignore_chat_model = ignore_retriever = ignore_retry = ignore_custom_event = ignore_agent = True

    def __init__(self) -> None:
        self._open: dict[UUID, _Chain] = {}

    @guarded("langgraph: callback of a start")
    def on_chain_start(
        self, serialized: Any, inputs: Any, *, run_id: UUID, parent_run_id: UUID | None = None, **kwargs: Any
    ) -> None:
        if not RUNS_FALLBACK.recording:
            return
        if len(self._open) >= _MAX_OPEN:
            self._forget(next(iter(self._open)))
        tags, metadata = kwargs.get("tags") or [], kwargs.get("metadata") or {}
        chain = str(kwargs.get("name") or "chain"), parent_run_id, metadata, tags
        above = self._open.get(parent_run_id) if parent_run_id is not None else None
        if above is None or not _is_task(above, tags, metadata):
            self._open[run_id] = _Chain(*chain)
            return
        task = self._open[run_id] = _Task(*chain)
        caller = above if isinstance(above, _Task) else None
        task.graph = caller.graph if caller is not None else above
        self._begin_task(run_id, task, caller)

    @guarded("langgraph: callback of an end")
    def on_chain_end(self, outputs: Any, *, run_id: UUID, **kwargs: Any) -> None:
        chain = self._open.pop(run_id, None)
        if isinstance(chain, _Task):
            chain.node_run.add_result(outputs)
            self._end_task(chain, None)
        elif chain is not None and chain.span is not None:
            self._end_run(chain, RunOutcome.INTERRUPTED if chain.paused else RunOutcome.OK, None)
        elif chain is not None and chain.parent is not None:
            above = self._open.get(chain.parent)
            if isinstance(above, _Task) and any(_later_step(tag) for tag in chain.tags):
                above.node_run.add_routing(outputs)  # the function of a conditional edge runs after the node's own code

    @guarded("langgraph: callback of an error")
    def on_chain_error(self, error: BaseException, *, run_id: UUID, **kwargs: Any) -> None:
        chain = self._open.pop(run_id, None)
        if isinstance(chain, _Task):
            self._end_task(chain, error)
        elif chain is not None and chain.span is not None:
            self._end_run(chain, run_outcome(None, error), error)

    # -- tasks and runs ----------------------------------------------------------------------------------------------

    def _begin_task(self, run_id: UUID, task: _Task, caller: _Task | None) -> None:
        rec, graph, metadata = recorder(), task.graph, task.metadata
        if graph.span is None or graph.causes is None:
            self._begin_run(graph)
        assert graph.span is not None
        assert graph.causes is not None
        node = str(metadata.get("langgraph_node", task.name))
        namespace = str(metadata.get("langgraph_checkpoint_ns", ""))
        own = namespace.rpartition("|")[2]
        step = int(metadata.get("langgraph_step", 0))
        path = tuple(metadata.get("langgraph_path") or ())
        task.node_run = NodeRun(node, step, path)
        refs = graph.causes.references(
            task.node_run, metadata.get("langgraph_triggers") or (), caller.node_run if caller else None
        )
        attributes: dict[str, Any] = {
            names.MAS_RECORD_KIND: RecordKind.AGENT_TASK.value,
            # A graph in a node repeats the node's namespace: the id is the node's own where it is its own.
            names.MAS_TASK_ID: own.partition(":")[2] if own.startswith(f"{node}:") else str(run_id),
            names.MAS_TASK_NAME: node,
            names.MAS_TASK_STEP: step,
            names.MAS_TASK_INDEX: graph.causes.next_index(),
            names.MAS_TASK_NAMESPACE: namespace.rpartition("|")[0],
        }
        thread = metadata.get("thread_id")
        if thread is not None:
            attributes[names.GEN_AI_CONVERSATION_ID] = identifier(thread)
        if refs:
            attributes[names.MAS_CAUSE_REFS] = tuple(refs)
        task.span = rec.start_span(f"task {node}", attributes, parent=graph.span)
        task.node_run.context = task.span.get_span_context()
        # A node's callbacks run in the context of its code, or in one that is copied for its code. Asynchronously the
        # end comes in another one, where nothing can be restored.
        task.token = otel_context.attach(_while_open(task.span) if _is_async() else recording_context(task.span))

    def _begin_run(self, graph: _Chain) -> None:
        thread = graph.metadata.get("thread_id")
        attributes: dict[str, Any] = {
            names.GEN_AI_OPERATION_NAME: "invoke_workflow",
            names.MAS_RECORD_KIND: RecordKind.WORKFLOW.value,
            names.GEN_AI_AGENT_NAME: graph.name,
        }
        if thread is not None:
            attributes[names.GEN_AI_CONVERSATION_ID] = identifier(thread)
        graph.span = recorder().start_span(
            f"invoke_workflow {graph.name}", attributes, parent=graph.context, start_time=graph.start_ns
        )
        graph.causes = InferredCauses(graph.span.get_span_context())

    def _end_task(self, task: _Task, error: BaseException | None) -> None:
        span, rec = task.span, recorder()
        restore_context(task.token)
        if span is None:
            return
        outcome = TaskOutcome.OK if error is None else task_outcome(error)
        if outcome is TaskOutcome.INTERRUPTED and error is not None:
            task.graph.paused = True
            record_question(rec, span, error, task.graph.asked)
        elif outcome is TaskOutcome.ERROR and error is not None:
            rec.record_exception(span, error)
        elif outcome is TaskOutcome.HANDOFF and error is not None:
            task.node_run.add_parent_command(error.args[0])
        rec.set_attributes(span, {names.MAS_TASK_OUTCOME: outcome.value})
        span.end()
        if task.graph.causes is not None and outcome in (TaskOutcome.OK, TaskOutcome.HANDOFF):
            task.graph.causes.add(task.node_run)

    def _end_run(self, graph: _Chain, outcome: RunOutcome, error: BaseException | None) -> None:
        if graph.span is None:
            return
        if outcome is RunOutcome.ERROR and error is not None:
            recorder().record_exception(graph.span, error)
        recorder().set_attributes(graph.span, run_attributes(outcome, error))
        graph.span.end()

    def _forget(self, run_id: UUID) -> None:
        chain = self._open.pop(run_id)
        if chain.span is not None:
            chain.span.end()


class _WhileOpen(NonRecordingSpan):
    """Delegates to a task's span while that is open; afterwards to the span that was current before."""

    def __init__(self, span: Span, before: Span) -> None:
        super().__init__(span.get_span_context())
        self._span = span
        self.before = before

    @property
    def _target(self) -> Span:
        return self._span if self._span.is_recording() else self.before


def _delegate(name: str) -> Callable[..., Any]:
    return lambda self, *args, **kwargs: getattr(self._target, name)(*args, **kwargs)


for _name in (
    "get_span_context",
    "is_recording",
    "set_attribute",
    "set_attributes",
    "add_event",
    "set_status",
    "record_exception",
):
    setattr(_WhileOpen, _name, _delegate(_name))


def _while_open(span: Span) -> Context:
    before = get_current_span()
    while isinstance(before, _WhileOpen) and before._target is before.before:
        before = before.before  # keeps no span that has ended
    return set_span_in_context(_WhileOpen(span, before))


def _is_async() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def _is_task(above: _Chain, tags: list[str], metadata: dict[str, Any]) -> bool:
    if any(tag.startswith(_STEP) for tag in tags):
        return True
    # A `@task` runs below its caller, and has a path that goes on from the caller's.
    path: tuple[Any, ...] = tuple(metadata.get("langgraph_path") or ())
    called = (
        len(path) > 1
        and isinstance(path[1], (tuple, list))
        and path != tuple(above.metadata.get("langgraph_path") or ())
    )
    return called and isinstance(above, _Task)


def _later_step(tag: str) -> bool:
    step = tag.removeprefix(_BRANCH_STEP)
    return step != tag and step.isdigit() and int(step) > 1


def _handler() -> Any:
    from langchain_core.callbacks import BaseCallbackHandler

    return type("RunHandler", (RunCallbacks, BaseCallbackHandler), {})()


RUNS_FALLBACK = CallbackFallback(_handler)

__all__ = ["RUNS_FALLBACK"]
