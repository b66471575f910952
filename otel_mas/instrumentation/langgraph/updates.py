"""`update_state`: the app writes the state of a thread as though nodes had run. Spans of their own, and causes."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Mapping, Sequence
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid5

from opentelemetry.trace import INVALID_SPAN

from otel_mas.instrumentation.langchain.messages import MESSAGES
from otel_mas.instrumentation.langgraph import graphs, routing, spans, state_messages
from otel_mas.instrumentation.langgraph.channels import (
    TaskWriter,
    TaskWriters,
    after_writes,
    consumed_by,
    in_write_order,
)
from otel_mas.instrumentation.langgraph.memory import memory_of
from otel_mas.instrumentation.langgraph.runs import outside_of_tasks
from otel_mas.model.channels import INTERRUPT
from otel_mas.record import Cause, Recorder, identifier, is_a
from otel_mas.semconv import attributes as names
from otel_mas.semconv.enums import LinkKind, RecordKind, TaskOutcome

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.trace import Span

_CHECKPOINTER = "__pregel_checkpointer"  # in a configuration: the saver that a graph lends the one inside of it


class _NodeUpdate:
    """One update, in the place of a task of its node."""

    __slots__ = ("changed", "node", "task_id", "writer")

    def __init__(self, node: str, task_id: str, changed: Mapping[str, Any]) -> None:
        self.node = node
        self.changed = changed
        self.task_id = task_id
        self.writer = TaskWriter(None, f"task|{task_id}")


class StateUpdate:
    """One call of `update_state` or `bulk_update_state`.

    Each update has a span in the place of the one of its node's task. A single update shares the call's span; those of
    several are children of the call's.
    """

    def __init__(self, recorder: Recorder, graph: Any, config: Mapping[str, Any], supersteps: Sequence[Any]) -> None:
        self.recorder = recorder
        self._graph = graph
        configurable = config.get(spans.CONF) or {}
        self.conversation = identifier(configurable.get("thread_id"))
        self._namespace: str = configurable.get("checkpoint_ns") or ""
        self._key = (self.conversation, self._namespace)
        self._memory = memory_of(configurable.get(_CHECKPOINTER) or getattr(graph, "checkpointer", None))
        self._given = [update for superstep in supersteps for update in superstep]
        self._several = len(self._given) > 1
        self._only: str | None = self._given[0][1] if len(self._given) == 1 else None
        self.span: Span = INVALID_SPAN
        self.writer = TaskWriter(None)
        self.begun = False
        # Of the superstep under way: the tasks that wait for each node, the updates, and the writers in the channels.
        self._prepared: dict[str, deque[str]] = {}
        self._updates: list[_NodeUpdate] = []
        self._decisions: list[tuple[str | None, routing.Branch, Sequence[str]]] = []
        self._waiting: tuple[str, TaskWriters] | None = None
        self._last: tuple[str, TaskWriters] | None = None

    def begin(self) -> Context:
        """Start the call's span and return the context in which the call is to run."""
        name = graphs.given_name(self._graph) if self._several else self._only
        self.span = self.recorder.start_span(_span_name(name), {names.GEN_AI_CONVERSATION_ID: self.conversation})
        self.writer.context = self.span.get_span_context()
        return outside_of_tasks(self.span)

    def is_passed_on(self, graph: Any, config: Mapping[str, Any]) -> bool:
        """Whether a call within this one is this one, passed on to the subgraph whose state is written."""
        if self.begun or identifier((config.get(spans.CONF) or {}).get("thread_id")) != self.conversation:
            return False
        self._graph = graph
        return True

    # -- LangGraph's calls meanwhile ---------------------------------------------------------------------------------

    def prepared(self, tasks: Mapping[str, Any]) -> None:
        """Note the tasks that wait: an update as one of their nodes takes the task's place."""
        self.begun = True
        self._prepared = defaultdict(deque)
        for task in tasks.values():
            self._prepared[task.name].append(task.id)

    def record_routing(self, task_id: str | None, branch: routing.Branch, chosen: Sequence[str]) -> None:
        """Note the choice of a conditional edge of a node as which the state is written."""
        self._decisions.append((task_id, branch, chosen))

    def before_writes(
        self, checkpoint: Mapping[str, Any], channels: Mapping[str, Any], tasks: Sequence[Any]
    ) -> Sequence[str]:
        """Return the channels that LangGraph is about to consume as it applies writes."""
        self._waiting_at(checkpoint, channels)
        return consumed_by(tasks, channels)

    def after_writes(
        self, checkpoint: Mapping[str, Any], channels: Mapping[str, Any], tasks: Sequence[Any], consumed: Sequence[str]
    ) -> None:
        """Note the writers of writes that LangGraph has applied: they cause what these trigger."""
        waiting = after_writes(
            self._waiting_at(checkpoint, channels),
            [(self._writer(task, checkpoint["id"]), task.writes) for task in in_write_order(tasks)],
            triggering=self._graph.trigger_to_nodes,
            channels=channels,
            consumed=consumed,
            is_step=any(task.triggers for task in tasks),
        )
        self._waiting = checkpoint["id"], waiting

    def saved(self, base: Mapping[str, Any], checkpoint: Mapping[str, Any], channels: Any, step: int) -> None:
        """Record the updates of a checkpoint that LangGraph has made, and remember what waits there."""
        self._record_start(base["id"])
        waiting = self._waiting_at(base, channels if channels is not None else {})
        for update in self._updates:
            self._record(update, step)
        self._memory.remember((*self._key, checkpoint["id"]), waiting, self.writer)
        self._memory.ended(self._key, checkpoint["id"])
        self._last = checkpoint["id"], waiting
        self._updates, self._decisions, self._waiting, self._prepared = [], [], None, {}

    def finish(self, exc: BaseException | None) -> None:
        """End the call's span."""
        recorder, span = self.recorder, self.span
        if exc is not None and is_a(exc, "Exception"):  # cancelled is not failed
            recorder.record_exception(span, exc)
        elif self._last is not None:
            recorder.set_attributes(span, spans.left_at(*self._last))
        span.end()

    def _waiting_at(self, checkpoint: Mapping[str, Any], channels: Mapping[str, Any]) -> TaskWriters:
        self.begun = True
        checkpoint_id = checkpoint["id"]
        if self._waiting is None or self._waiting[0] != checkpoint_id:
            key = (*self._key, checkpoint_id)
            self._waiting = checkpoint_id, self._memory.waiting(key, self._graph.trigger_to_nodes, channels)
        return self._waiting[1]

    def _writer(self, task: Any, checkpoint_id: str) -> TaskWriter:
        """The writer of a task's writes: an update, a finished task of the step that was left, or the call itself."""
        done = getattr(task, "id", None)
        if done is not None:
            return TaskWriter(self._memory.task(done), f"task|{done}")
        if list(task.triggers) != [INTERRUPT]:  # the trigger of an update; before 1.2 its path is empty
            return self.writer
        changed, _ = state_messages.in_writes(task.writes, state_messages.channels_of(self._graph).state, ())
        update = _NodeUpdate(task.name, self._task_id(task.name, checkpoint_id), changed)
        self._updates.append(update)
        return update.writer

    def _task_id(self, node: str, checkpoint_id: str) -> str:
        """The id that LangGraph gives the update: that of the task whose place it takes, where there is one."""
        for update in self._given:
            if update[1] in (node, None):
                self._given.remove(update)
                if len(update) > 2 and update[2]:
                    return str(update[2])
                break
        waiting = self._prepared.get(node)
        return waiting.popleft() if waiting else _update_id(checkpoint_id, len(self._updates))

    def _record(self, update: _NodeUpdate, step: int) -> None:
        recorder = self.recorder
        attributes = {
            names.MAS_RECORD_KIND: RecordKind.AGENT_TASK.value,
            names.MAS_TASK_ID: update.task_id,
            names.MAS_TASK_NAME: update.node,
            names.MAS_TASK_STEP: step,
            names.MAS_TASK_NAMESPACE: self._namespace,
            names.MAS_TASK_UPDATED: True,
            names.MAS_TASK_OUTCOME: TaskOutcome.OK.value,
            names.GEN_AI_CONVERSATION_ID: self.conversation,
        }
        paused = self._memory.unfinished(update.task_id)
        causes = []
        if paused is not None and paused[1] is TaskOutcome.INTERRUPTED:
            causes.append(Cause(paused[0], LinkKind.RESUME))
        if self._several:
            span = recorder.start_span(_span_name(update.node), attributes, causes=causes, parent=self.span)
        else:
            span = self.span
            recorder.add_causes(span, causes)
            recorder.set_attributes(span, attributes)
            if self._only is None:
                span.update_name(_span_name(update.node))
        update.writer.context = span.get_span_context()
        recorder.state(span, update.changed, MESSAGES)
        for task_id, branch, chosen in self._decisions:
            if task_id == update.task_id:
                routing.record_decision(recorder, span, self.conversation, branch.function, chosen, branch.candidates)
        if self._several:
            span.end()

    def _record_start(self, base: str) -> None:
        if self._last is None:
            self.recorder.set_attributes(self.span, spans.started_from(self._memory, self._key, base))


def _span_name(name: str | None) -> str:
    return "update_state" if name is None else f"update_state {name}"


def _update_id(checkpoint_id: str, index: int) -> str:
    """The id that LangGraph gives an update whose node no task waits for."""
    from langgraph.pregel import main

    make = getattr(main, "_update_task_id", None)  # before 1.2 all updates of a step share one
    return str(make(checkpoint_id, index) if make is not None else uuid5(UUID(checkpoint_id), INTERRUPT))


current_update: ContextVar[StateUpdate | None] = ContextVar("otel-mas-langgraph-update", default=None)
"""The update that this code runs in."""
