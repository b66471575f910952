"""A run of a graph and the tasks in it: their spans, attributes and outcomes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from opentelemetry import context as otel_context
from opentelemetry.context import Context

from otel_mas.instrumentation.endings import is_control, run_attributes
from otel_mas.instrumentation.langchain.messages import MESSAGES
from otel_mas.instrumentation.langgraph import graphs, routing, spans, state_messages
from otel_mas.instrumentation.langgraph.channels import TaskWriter
from otel_mas.instrumentation.langgraph.current import TASK_KEY, current_task
from otel_mas.instrumentation.langgraph.guardrails import checks_of, record_check
from otel_mas.instrumentation.langgraph.human_input import HumanAnswers, record_question
from otel_mas.instrumentation.langgraph.memory import MEMORY, memory_of
from otel_mas.instrumentation.langgraph.outcomes import UNFINISHED, run_outcome, task_outcome
from otel_mas.instrumentation.langgraph.pulled import origin_of_run
from otel_mas.instrumentation.langgraph.reasons import RoutingReasons
from otel_mas.instrumentation.langgraph.task_values import record_given, record_returned
from otel_mas.instrumentation.langgraph.topology import topology_of
from otel_mas.model.channels import START
from otel_mas.record import (
    ACTOR_KEY,
    RECORDED_SPAN_KEY,
    SPAN_KEY,
    Cause,
    LoopWatch,
    MessageProvenance,
    Recorder,
    current_actor,
    interned,
    is_a,
    provenance_of,
)
from otel_mas.semconv import attributes as names
from otel_mas.semconv.enums import LinkKind, Operation, RecordKind, RunOutcome, TaskOutcome

if TYPE_CHECKING:
    from opentelemetry.trace import Span, SpanContext

    from otel_mas.instrumentation.langgraph.routing import Branch
    from otel_mas.record import Actor

_OUTCOMES = {outcome.value: {names.MAS_TASK_OUTCOME: outcome.value} for outcome in TaskOutcome}
_AGENT_TASK = RecordKind.AGENT_TASK.value
_EARLIER = (LinkKind.RESUME, LinkKind.RETRY)


def outer_task() -> TaskRun | None:
    """The task that this code runs in."""
    task = current_task()
    return task if isinstance(task, TaskRun) else None


def outside_of_tasks(span: Span) -> Context:
    """The context in which `span` is current, and no task."""
    return Context({**otel_context.get_current(), SPAN_KEY: span, RECORDED_SPAN_KEY: span, TASK_KEY: None})


@dataclass(eq=False, slots=True)
class TaskRun:
    """One task of a run: with its causes from when LangGraph schedules it, with its span once it starts."""

    run: GraphRun
    task: Any
    number: int = 0
    """Among the tasks of its name in the step; of a task that another one called, among the calls of that one."""
    caller: TaskRun | None = None
    """The task that called it, by the functional API."""
    index: int = field(init=False)
    path: tuple[str, ...] = field(init=False)
    writer: TaskWriter = field(init=False)
    provenance: MessageProvenance = field(init=False)
    causes: list[Cause] = field(init=False, default_factory=list)
    refs: dict[str, None] = field(init=False, default_factory=dict)
    """The keys of causes whose spans are not known, in order."""
    triggers: list[str] = field(init=False, default_factory=list)
    attempt: int = field(init=False, default=0)
    """From 1 where a retry policy applies, else 0."""
    span: Span | None = field(init=False, default=None)
    graph: Any = field(init=False, default=None)
    """The compiled graph that was given as the node, until its run shares the task's span."""
    given: list[Any] | None = field(init=False, default=None)
    """Input messages of an agent; None for any other task."""
    outcome: TaskOutcome | None = field(init=False, default=None)
    out_of_steps: Span | None = field(init=False, default=None)
    """The span of a run in this task that reached its recursion limit, until LangGraph raises its exception for it."""
    handed_to: frozenset[str] | None = field(init=False, default=None)
    """The nodes that a `Command(graph=PARENT)` from a subgraph of this task went to; None where there was none."""
    reasons: RoutingReasons | None = field(init=False, default=None)
    routed: set[str] = field(init=False, default_factory=set)
    """The nodes that a routing function chose."""
    began: tuple[int, float] | None = field(init=False, default=None)
    """The moment of the event loop at which it began, where there is a loop."""
    _known: set[tuple[int, int, LinkKind]] | None = field(init=False, default=None)
    """Trace id, span id and kind of each of `causes`, once there are several."""

    def __post_init__(self) -> None:
        run, task = self.run, self.task
        self.provenance = run.provenance
        self.path = (*run.path, task.name)
        self.index = run.scheduled
        if task.name != START:
            run.scheduled += 1
        self.writer = TaskWriter(None, f"task|{task.id}")
        if task.writes:
            # Restored with its writes of an earlier run: it does not run again.
            self.writer.context = run.memory.task(task.id)

    def add_cause(self, writer: TaskWriter, kind: LinkKind) -> None:
        """Add a cause: a link where its span is known, else its key for the reader to resolve."""
        if writer.context is None:
            self.refs[f"{kind}|{writer.key}"] = None
            return
        if self.causes:
            if self._known is None:
                self._known = {(context[0], context[1], kind) for context, kind in self.causes}
            key = (writer.context[0], writer.context[1], kind)
            if key in self._known:
                return
            self._known.add(key)
        self.causes.append(Cause(writer.context, kind))

    def begin(self) -> Context:
        """Start the span and return the context in which the task's code is to run."""
        run = self.run
        if self.task.name == START:
            # `__start__` has no span of its own: it stands for its run.
            self.span, self.writer = run.span, run.writer
        else:
            earlier = run.unfinished(self.task.id)
            if earlier is not None:
                context, outcome = earlier
                kind = LinkKind.RESUME if outcome is TaskOutcome.INTERRUPTED else LinkKind.RETRY
                self.causes.append(Cause(context, kind))
            self.graph = graphs.bound_graph(self.task.proc)
            name, attributes = self._attributes()
            self.span = run.recorder.start_span(name, attributes, causes=self.causes, parent=run.span)
            self.writer.context = self.span.get_span_context()
            self.began = None if run.loop_watch is None else run.loop_watch.now()
            if names.GEN_AI_OPERATION_NAME in attributes:
                self.given = state_messages.in_state(self.task.input, run.channels.messages)
                state_messages.record_input(run.recorder, self.span, self, self.given)
            record_given(run.recorder, self.span, self.task)
        current = otel_context.get_current()
        return Context({**current, SPAN_KEY: self.span, RECORDED_SPAN_KEY: self.span, TASK_KEY: self, ACTOR_KEY: self})

    def _attributes(self) -> tuple[str, dict[str, Any]]:
        """The name and the first attributes of the span."""
        run, task = self.run, self.task
        attributes: dict[str, Any] = {
            names.MAS_RECORD_KIND: _AGENT_TASK,
            names.MAS_TASK_ID: task.id,
            names.MAS_TASK_INDEX: self.index,
            names.MAS_TASK_NAME: task.name,
            names.MAS_TASK_STEP: task.config["metadata"].get("langgraph_step", 0),
            names.MAS_TASK_NAMESPACE: run.namespace,
            names.MAS_TASK_TRIGGERS: interned(*self.triggers),
        }
        if run.conversation is not None:
            attributes[names.GEN_AI_CONVERSATION_ID] = run.conversation
        if run.checkpoint is not None:
            attributes[names.MAS_CHECKPOINT_ID] = run.checkpoint
        if self.number:
            attributes[names.MAS_TASK_NUMBER] = self.number
        if self.attempt:
            attributes[names.MAS_TASK_ATTEMPT] = self.attempt
        if self.refs:
            attributes[names.MAS_CAUSE_REFS] = tuple(self.refs)
        agent = None if self.graph is None else graphs.name_of_node(self.graph, task.name)
        if agent is None:
            return f"task {task.name}", attributes
        attributes[names.GEN_AI_OPERATION_NAME] = "invoke_agent"
        attributes[names.GEN_AI_AGENT_NAME] = agent
        return f"invoke_agent {agent}", attributes

    def record_cached(self) -> None:
        """Record a task whose result is cached, so that its code does not run: its span is an instant."""
        name, attributes = self._attributes()
        attributes[names.MAS_TASK_CACHED] = True
        attributes[names.MAS_TASK_OUTCOME] = TaskOutcome.OK.value
        self.span = self.run.recorder.start_span(name, attributes, causes=self.causes, parent=self.run.span)
        self.writer.context = self.span.get_span_context()
        self.span.end()

    # -- how it ends -----------------------------------------------------------------------------------------------

    def finish(self, exc: BaseException | None, result: Any = None) -> None:
        """End the span with the task's outcome: of a result, a pause, a handoff, a cancellation or an error."""
        span, run = self.span, self.run
        if span is None or self.outcome is not None:
            return
        if self.task.name == START:
            if exc is None and not run.shares_task_span:
                changed, _ = state_messages.in_writes(self.task.writes, run.channels.state, ())
                run.recorder.state(span, changed, MESSAGES)
            return
        if exc is not None:
            outcome = task_outcome(exc)
        else:
            outcome = TaskOutcome.OK if self.handed_to is None else TaskOutcome.HANDOFF
        if exc is None:
            self._record_result(run.recorder, span, result)
        else:
            self._record_exception(run.recorder, span, exc, outcome)
        if run.answers is not None:
            run.answers.record_answer(run.recorder, span, self.task, run.conversation)
        check = run.checks.get(self.task.name)
        if check is not None:
            record_check(run.recorder, span, self.task, run.conversation, check, exc)
        self._end(span, outcome)

    def _record_result(self, recorder: Recorder, span: Span, result: Any) -> None:
        channels = self.run.channels
        state_messages.record_writes(recorder, span, self, self.task, channels, self.given)
        record_returned(recorder, span, self.task)
        if self.handed_to is not None:
            self.writer.handed_to = self.handed_to
        graph = self.run.graph
        chosen = routing.by_command(graph, self.task, self.routed, result)
        if chosen:
            self.record_routing("Command", chosen, graphs.declared_destinations(graph, self.task.name))

    def _record_exception(self, recorder: Recorder, span: Span, exc: BaseException, outcome: TaskOutcome) -> None:
        if outcome is TaskOutcome.INTERRUPTED:
            record_question(recorder, span, exc, self.run.asked)
        elif outcome is TaskOutcome.HANDOFF and self.run.outer is not None:
            self.run.outer.handed_to = frozenset(routing.destinations(exc.args[0].goto))
        elif outcome is TaskOutcome.ERROR:
            if self.out_of_steps is not None and is_a(exc, "GraphRecursionError"):
                recorder.mark_error_origin(exc, self.out_of_steps)
            recorder.record_exception(span, exc)

    def _end(self, span: Span, outcome: TaskOutcome, end_ns: int | None = None) -> None:
        self.outcome = outcome
        if self.reasons is not None:
            self._record_unused_reasons(span, self.reasons, outcome)
        self.run.recorder.set_attributes(span, _OUTCOMES[outcome._value_])
        if self.began is not None and self.run.loop_watch is not None:
            lag = self.run.loop_watch.lag_since(self.began)
            if lag:
                self.run.recorder.set_attributes(span, lag)
        if outcome in UNFINISHED:
            self.run.left_unfinished(self.task.id, span.get_span_context(), outcome)
        span.end(end_ns)

    def close(self) -> None:
        """End the span, after an error of ours in recording the task's end."""
        if self.span is not None and self.task.name != START and self.span.is_recording():
            self.span.end()

    def _record_unused_reasons(self, span: Span, reasons: RoutingReasons, outcome: TaskOutcome) -> None:
        """Record the app's reasons that no routing decision used, as decisions of their own."""
        run = self.run
        handed_to = run.outer.handed_to if outcome is TaskOutcome.HANDOFF and run.outer else None
        for reason in reasons.take_unused():
            chosen = reason.choice or tuple(sorted(handed_to or ()))
            candidates = reason.candidates or None
            routing.record_decision(
                run.recorder, span, run.conversation, reason.decider, chosen, candidates, reason.reason
            )

    def attempt_failed(self, exc: BaseException) -> None:
        """End an attempt that an exception left. After a `BaseException` LangGraph never tries again: the task ends."""
        if is_a(exc, "Exception") and not is_control(exc):
            self.finish(exc)

    def start_attempt(self, left_ns: int | None) -> Context:
        """Start the span of the next attempt, caused by the attempt before it, which was left at `left_ns`."""
        if self.outcome is None and self.span is not None:
            # It was stopped from outside: its own code has seen no exception.
            spans.record_unseen_error(self.span, "langgraph.errors.NodeTimeoutError", "timed out")
            self._end(self.span, TaskOutcome.ERROR, left_ns)
        self.attempt += 1
        self.outcome = None
        self.handed_to = None
        self.reasons = None
        self.routed = set()
        self.causes = [cause for cause in self.causes if cause.kind not in _EARLIER]
        return self.begin()

    def routing_reasons(self) -> RoutingReasons:
        """The reasons given for this task's routing decisions, to add to."""
        reasons = self.reasons
        if reasons is None:
            reasons = self.reasons = RoutingReasons()
        return reasons

    def record_routing(
        self, function: str, chosen: Sequence[str], candidates: Sequence[str] | None, result: Any = ()
    ) -> None:
        """Record a routing decision, with its reason where there is one.

        Args:
            function: the name of the function that decided.
            chosen: the nodes.
            candidates: the nodes that could have been chosen, where the graph says.
            result: what the function returned; the graph may map it to other names.
        """
        if self.span is None:
            return
        reason = confidence = None
        if self.reasons is not None and (found := self.reasons.take({*chosen, *routing.labels(result)})) is not None:
            reason, confidence = found.reason, found.confidence
            candidates = candidates or found.candidates or None
        run = self.run
        routing.record_decision(
            run.recorder, self.span, run.conversation, function, chosen, candidates, reason, confidence
        )


class GraphRun:
    """One invocation of a graph, from entering LangGraph's loop to leaving it."""

    def __init__(self, recorder: Recorder, loop: Any) -> None:
        self.recorder = recorder
        self.graph = graphs.graph_of(loop)
        self.outer = outer_task()
        # A subgraph used as a node is one span with its task.
        outer = self.outer
        self.shares_task_span = (
            outer is not None and outer.span is not None and outer.graph is not None and outer.graph is self.graph
        )
        if outer is not None and outer.span is not None and self.shares_task_span:
            outer.graph = None  # only the first run inside; a second one in the same task has its own span
            self.span = outer.span
            self.loop_watch: LoopWatch | None = outer.run.loop_watch
            self.agent = False
        else:
            name, attributes = spans.run_attributes(self.graph, loop.config)
            attributes.update(topology_of(self.graph))
            parent, causes = origin_of_run()
            self.span = recorder.start_span(name, attributes, causes=causes, parent=parent)
            self.loop_watch = recorder.watch_loop()
            self.agent = attributes[names.GEN_AI_OPERATION_NAME] == Operation.INVOKE_AGENT
        self.writer = TaskWriter(self.span.get_span_context())
        self.conversation = spans.conversation(loop)
        self.channels = state_messages.channels_of(self.graph)
        self.given: list[Any] | None = None
        self._join_conversation(current_actor())
        self.branches: dict[int, Branch] = {}
        self.answers: HumanAnswers | None = None
        # The ids of the interrupts of this invocation, those in subgraphs included.
        self.asked: set[str] = set() if self.outer is None else self.outer.run.asked
        self.checks = checks_of(self.graph)
        self.scheduled = 0  # tasks so far, in LangGraph's order
        self.namespace: str = loop.config[spans.CONF].get("checkpoint_ns") or ""
        self.key: tuple[str, str] | None = None
        self.memory = MEMORY
        # The checkpoint that the current step starts from, where it is saved.
        self.checkpoint: str | None = None
        self._unfinished: dict[str, tuple[SpanContext, TaskOutcome]] = {}

    def _join_conversation(self, around: Actor | None) -> None:
        """Take part in the message provenance of the actor that the run is in, else of its conversation."""
        self.provenance: MessageProvenance = provenance_of(self.conversation) if around is None else around.provenance
        self.path: tuple[str, ...] = () if around is None else around.path
        if not self.shares_task_span:
            self.path += (graphs.given_name(self.graph) or "",)

    def load(self, loop: Any) -> None:
        """Read the thread and the answers of a loop that has loaded its checkpoint."""
        self.key = spans.thread_key(loop)
        self.memory = memory_of(loop.checkpointer)
        if getattr(loop.input, "resume", None) is not None or (self.outer is not None and self.outer.run.answers):
            self.answers = HumanAnswers(loop)

    def record_input(self, channels: Mapping[str, Any]) -> None:
        """Record the messages in the graph's state as the input of the agent that the run is."""
        self.given = state_messages.in_channels(channels, self.channels.messages)
        state_messages.record_input(self.recorder, self.span, self, self.given)

    def left_unfinished(self, task_id: str, context: SpanContext, outcome: TaskOutcome) -> None:
        """Remember a task that may run again, in a later run of the thread or in this one."""
        if self.key is not None:
            self.memory.left_unfinished(task_id, context, outcome)
        else:
            self._unfinished[task_id] = context, outcome

    def unfinished(self, task_id: str) -> tuple[SpanContext, TaskOutcome] | None:
        """The span of an earlier, unfinished run of this task. Forgets it: the task runs again."""
        if self.key is not None:
            return self.memory.unfinished(task_id)
        return self._unfinished.pop(task_id, None) if self._unfinished else None

    def finish(self, loop: Any, exc: BaseException | None) -> None:
        """End the span of a run whose loop was left, with a result or by an exception."""
        if self.shares_task_span:
            return
        recorder, outcome = self.recorder, run_outcome(loop, exc)
        if self.given is not None:
            self.provenance.leave(self)
            now = state_messages.in_channels(loop.channels, self.channels.messages)
            state_messages.record_new_output(recorder, self.span, self, now, self.given)
        if outcome is RunOutcome.ERROR:
            if exc is not None:
                recorder.record_exception(self.span, exc)
            else:
                spans.record_unseen_error(self.span, "langgraph.errors.GraphRecursionError", "recursion limit reached")
                if self.outer is not None:
                    self.outer.out_of_steps = self.span
        recorder.end_watch(self.loop_watch, self.span)
        recorder.set_attributes(self.span, run_attributes(outcome, exc))
        self.span.end()

    def close(self) -> None:
        """End the span, after an error of ours in recording the run's end."""
        if not self.shares_task_span and self.span.is_recording():
            self.span.end()


__all__ = ["GraphRun", "TaskRun", "outer_task", "outside_of_tasks"]
