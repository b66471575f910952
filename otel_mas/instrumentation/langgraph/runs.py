"""A run of a graph and the tasks in it: their spans, what they say, and how they ended."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from opentelemetry import context as otel_context
from opentelemetry.context import Context

from otel_mas.instrumentation.endings import is_control
from otel_mas.instrumentation.langchain.messages import MESSAGES
from otel_mas.instrumentation.langgraph import graphs, routing, spans
from otel_mas.instrumentation.langgraph import state_messages as said
from otel_mas.instrumentation.langgraph.channels import TaskWriter
from otel_mas.instrumentation.langgraph.current import TASK_KEY, current_task
from otel_mas.instrumentation.langgraph.guardrails import checked, checks
from otel_mas.instrumentation.langgraph.human_input import Answers, describe_question
from otel_mas.instrumentation.langgraph.memory import MEMORY
from otel_mas.instrumentation.langgraph.outcomes import UNFINISHED, run_outcome, task_outcome
from otel_mas.instrumentation.langgraph.reasons import Reasons
from otel_mas.model.channels import START
from otel_mas.record import (
    ACTOR_KEY,
    RECORDED_SPAN_KEY,
    SPAN_KEY,
    Cause,
    MessageList,
    MessageProvenance,
    Recorder,
    current_actor,
    is_a,
    provenance_of,
)
from otel_mas.semconv import attributes as names
from otel_mas.semconv.enums import LinkKind, Operation, RunOutcome, TaskOutcome

if TYPE_CHECKING:
    from opentelemetry.trace import Span, SpanContext

    from otel_mas.instrumentation.langgraph.routing import Branch
    from otel_mas.record import Actor

_OUTCOMES = {outcome.value: {names.MAS_TASK_OUTCOME: outcome.value} for outcome in TaskOutcome}
_EARLIER = (LinkKind.RESUME, LinkKind.RETRY)


def outside_of_tasks(span: Span) -> Context:
    """The context in which `span` is current, and no task."""
    return Context({**otel_context.get_current(), SPAN_KEY: span, RECORDED_SPAN_KEY: span, TASK_KEY: None})


class TaskRun:
    """One task of a run: its causes from the moment LangGraph schedules it, its span once it starts."""

    __slots__ = (
        "attempt",
        "causes",
        "given",
        "graph",
        "handed_to",
        "index",
        "known",
        "out_of_steps",
        "outcome",
        "path",
        "provenance",
        "reasons",
        "refs",
        "routed",
        "run",
        "span",
        "task",
        "triggers",
        "writer",
    )

    def __init__(self, run: GraphRun, task: Any) -> None:
        self.run = run
        self.task = task
        self.provenance = run.provenance
        self.path = (*run.path, task.name)
        # The messages that an agent was given; None where the task is no agent.
        self.given: list[Any] | None = None
        self.index = run.scheduled
        if task.name != START:
            run.scheduled += 1
        self.writer = TaskWriter(None, f"task|{task.id}")
        self.causes: list[Cause] = []
        # What `causes` holds, once there are several: (trace id, span id, kind).
        self.known: set[tuple[int, int, LinkKind]] | None = None
        # A dictionary for its keys, in their order.
        self.refs: dict[str, None] = {}
        self.triggers: list[str] = []
        # From 1 where a retry policy applies, else 0.
        self.attempt = 0
        self.span: Span | None = None
        self.graph: Any = None
        self.outcome: TaskOutcome | None = None
        # The run inside that has reached its recursion limit, of which LangGraph's exception is still to come.
        self.out_of_steps: Span | None = None
        # Where a `Command` from inside went: the nodes that it named, beside its `Send`s. None where there was none.
        self.handed_to: frozenset[str] | None = None
        self.reasons: Reasons | None = None
        # Destinations that a routing function has accounted for.
        self.routed: set[str] = set()
        if task.writes:
            # Restored: what it wrote before comes back, it does not run again.
            self.writer.context = MEMORY.task(task.id)

    def caused_by(self, writer: TaskWriter, kind: LinkKind) -> None:
        """Note a cause, as a link where its span is known, else by its key for the reader to resolve."""
        if writer.context is None:
            self.refs[f"{kind}|{writer.key}"] = None
            return
        if self.causes:
            if self.known is None:
                self.known = {(context[0], context[1], kind) for context, kind in self.causes}
            key = (writer.context[0], writer.context[1], kind)
            if key in self.known:
                return
            self.known.add(key)
        self.causes.append(Cause(writer.context, kind))

    def begin(self) -> Context:
        """Start the span and return the context in which the task's code is to run."""
        run = self.run
        if self.task.name == START:
            # `__start__` is no span: it stands for the run that it belongs to.
            self.span, self.writer = run.span, run.writer
        else:
            earlier = run.unfinished(self.task.id)
            if earlier is not None:
                context, outcome = earlier
                kind = LinkKind.RESUME if outcome is TaskOutcome.INTERRUPTED else LinkKind.RETRY
                self.causes.append(Cause(context, kind))
            self.graph = graphs.bound_graph(self.task.proc)
            name, attributes = self._described()
            self.span = run.recorder.start_span(name, attributes, causes=self.causes, parent=run.span)
            self.writer.context = self.span.get_span_context()
            if names.GEN_AI_OPERATION_NAME in attributes:
                self.given = said.in_state(self.task.input, run.channels.messages)
                said.given(run.recorder, self.span, self, self.given)
        current = otel_context.get_current()
        return Context({**current, SPAN_KEY: self.span, RECORDED_SPAN_KEY: self.span, TASK_KEY: self, ACTOR_KEY: self})

    def _described(self) -> tuple[str, dict[str, Any]]:
        run = self.run
        return spans.task_attributes(
            self.task,
            index=self.index,
            triggers=self.triggers,
            refs=tuple(self.refs),
            attempt=self.attempt,
            agent=None if self.graph is None else graphs.name_of_node(self.graph, self.task.name),
            namespace=run.namespace,
            conversation=run.conversation,
            checkpoint=run.checkpoint,
        )

    def answered_from_cache(self) -> None:
        """The task's code does not run: its span is an instant."""
        name, attributes = self._described()
        attributes[names.MAS_TASK_CACHED] = True
        attributes[names.MAS_TASK_OUTCOME] = TaskOutcome.OK.value
        self.span = self.run.recorder.start_span(name, attributes, causes=self.causes, parent=self.run.span)
        self.writer.context = self.span.get_span_context()
        self.span.end()

    # -- how it ends -----------------------------------------------------------------------------------------------

    def finish(self, exc: BaseException | None, result: Any = None) -> None:
        """End the span by how the task's code left: with a result, a pause, a handoff, a cancellation or an error."""
        span, run = self.span, self.run
        if span is None or self.outcome is not None:
            return
        if self.task.name == START:
            if exc is None and not run.claimed:
                changed, _ = said.in_writes(self.task.writes, run.channels.state, ())
                run.recorder.state(span, changed, MESSAGES)
            return
        if exc is not None:
            outcome = task_outcome(exc)
        else:
            outcome = TaskOutcome.OK if self.handed_to is None else TaskOutcome.HANDOFF
        if exc is None:
            self._returned(run.recorder, span, result)
        else:
            self._left_by(run.recorder, span, exc, outcome)
        if run.answers is not None:
            run.answers.taken_by(run.recorder, span, self.task, run.conversation)
        check = run.checks.get(self.task.name)
        if check is not None:
            checked(run.recorder, span, self.task, run.conversation, check, exc)
        self._end(span, outcome)

    def _returned(self, recorder: Recorder, span: Span, result: Any) -> None:
        self._tell_writes(recorder, span)
        if self.handed_to is not None:
            self.writer.handed_to = self.handed_to
        graph = self.run.graph
        chosen = routing.by_command(graph, self.task, self.routed, result)
        if chosen:
            self.decided("Command", chosen, graphs.declared_destinations(graph, self.task.name))

    def _left_by(self, recorder: Recorder, span: Span, exc: BaseException, outcome: TaskOutcome) -> None:
        if outcome is TaskOutcome.INTERRUPTED:
            describe_question(recorder, span, exc, self.run.asked)
        elif outcome is TaskOutcome.HANDOFF and self.run.outer is not None:
            self.run.outer.handed_to = frozenset(routing.destinations(exc.args[0].goto))
        elif outcome is TaskOutcome.ERROR:
            if self.out_of_steps is not None and is_a(exc, "GraphRecursionError"):
                recorder.mark_error_origin(exc, self.out_of_steps)
            recorder.record_exception(span, exc)

    def _tell_writes(self, recorder: Recorder, span: Span) -> None:
        """What the task changed in the state, and the messages among it."""
        channels, writes = self.run.channels, self.task.writes
        changed, messages = said.in_writes(writes, channels.state, channels.messages)
        if messages and self.given is not None:
            said.added(recorder, span, self, messages, self.given)
        elif messages:
            before = partial(said.in_state, self.task.input, channels.messages)
            digests = said.wrote(recorder, span, self, messages, before)
            for name in channels.messages:
                if changed.get(name) is messages and len(digests) == len(messages):  # all of them, and nothing else
                    changed[name] = MessageList(digests)
        if changed:
            recorder.state(span, changed, MESSAGES, ends=True)

    def _end(self, span: Span, outcome: TaskOutcome, end_ns: int | None = None) -> None:
        self.outcome = outcome
        if self.reasons is not None:
            self._tell_reasons(span, self.reasons, outcome)
        self.run.recorder.set_attributes(span, _OUTCOMES[outcome._value_])
        if outcome in UNFINISHED:
            self.run.left_unfinished(self.task.id, span.get_span_context(), outcome)
        span.end(end_ns)

    def close(self) -> None:
        """End the span whatever became of it: telling how the task ended has failed."""
        if self.span is not None and self.task.name != START and self.span.is_recording():
            self.span.end()

    def _tell_reasons(self, span: Span, reasons: Reasons, outcome: TaskOutcome) -> None:
        """The app's reasons that no decision took up are decisions of their own."""
        run = self.run
        left_for = run.outer.handed_to if outcome is TaskOutcome.HANDOFF and run.outer else None
        for left in reasons.left():
            chosen = left.choice or tuple(sorted(left_for or ()))
            candidates = left.candidates or None
            routing.decision(run.recorder, span, run.conversation, left.decider, chosen, candidates, left.reason)

    def attempt_left(self, exc: BaseException) -> None:
        """An exception left an attempt. One that LangGraph cannot answer with another attempt is the task's end."""
        if is_a(exc, "Exception") and not is_control(exc):
            self.finish(exc)

    def again(self, left_ns: int | None) -> Context:
        """LangGraph tries the task once more: the next span, because of the attempt before it."""
        if self.outcome is None and self.span is not None:
            # What stopped it was nothing that its own code has seen.
            spans.fail_unseen(self.span, "langgraph.errors.NodeTimeoutError", "timed out")
            self._end(self.span, TaskOutcome.ERROR, left_ns)
        self.attempt += 1
        self.outcome = None
        self.handed_to = None
        self.reasons = None
        self.routed = set()
        self.causes = [cause for cause in self.causes if cause.kind not in _EARLIER]
        return self.begin()

    def why(self) -> Reasons:
        """Where reasons for this task's routing decisions are kept."""
        reasons = self.reasons
        if reasons is None:
            reasons = self.reasons = Reasons()
        return reasons

    def decided(self, function: str, chosen: Sequence[str], candidates: Sequence[str] | None, result: Any = ()) -> None:
        """Record a routing decision, with its reason where there is one.

        Args:
            function: what decided.
            chosen: the nodes.
            candidates: the nodes that could have been chosen, where the graph says.
            result: what the function returned: the graph may have other names for it.
        """
        if self.span is None:
            return
        reason = confidence = None
        if self.reasons is not None and (found := self.reasons.of({*chosen, *routing.labels(result)})) is not None:
            reason, confidence = found.reason, found.confidence
            candidates = candidates or found.candidates or None
        run = self.run
        routing.decision(run.recorder, self.span, run.conversation, function, chosen, candidates, reason, confidence)


class GraphRun:
    """One invocation of a graph, from entering LangGraph's loop to leaving it."""

    __slots__ = (
        "_unfinished",
        "agent",
        "answers",
        "asked",
        "branches",
        "channels",
        "checkpoint",
        "checks",
        "claimed",
        "conversation",
        "given",
        "graph",
        "key",
        "namespace",
        "outer",
        "path",
        "provenance",
        "recorder",
        "scheduled",
        "span",
        "writer",
    )

    def __init__(self, recorder: Recorder, loop: Any) -> None:
        self.recorder = recorder
        self.graph = graphs.graph_of(loop)
        self.outer = current_task()
        # A subgraph used as a node is one span with its task.
        self.claimed = self.outer is not None and self.outer.graph is not None and self.outer.graph is self.graph
        if self.claimed and self.outer is not None and self.outer.span is not None:
            self.outer.graph = None  # only the first run inside; a second one in the same task is its own span
            self.span = self.outer.span
            self.agent = False
        else:
            self.claimed = False
            name, attributes = spans.run_attributes(self.graph, loop.config)
            self.span = recorder.start_span(name, attributes)
            self.agent = attributes[names.GEN_AI_OPERATION_NAME] == Operation.INVOKE_AGENT
        self.writer = TaskWriter(self.span.get_span_context())
        self.conversation = spans.conversation(loop)
        self.channels = said.channels_of(self.graph)
        self.given: list[Any] | None = None
        self._join(current_actor())
        self.branches: dict[int, Branch] = {}
        self.answers: Answers | None = None
        # The ids of what was asked in this invocation, in subgraphs as well.
        self.asked: set[str] = set() if self.outer is None else self.outer.run.asked
        self.checks = checks(self.graph)
        self.scheduled = 0  # tasks so far, in LangGraph's order
        self.namespace: str = loop.config[spans.CONF].get("checkpoint_ns") or ""
        self.key: tuple[str, str] | None = None
        # Of the step under way: where it starts from, if that is kept.
        self.checkpoint: str | None = None
        self._unfinished: dict[str, tuple[SpanContext, TaskOutcome]] = {}

    def _join(self, around: Actor | None) -> None:
        """Whose words and ears are its tasks': in the provenance of what it runs in, else of its conversation."""
        self.provenance: MessageProvenance = provenance_of(self.conversation) if around is None else around.provenance
        self.path: tuple[str, ...] = () if around is None else around.path
        if not self.claimed:
            self.path += (graphs.given_name(self.graph) or "",)

    def loaded(self, loop: Any) -> None:
        """The loop has loaded its checkpoint."""
        self.key = spans.thread_key(loop)
        if getattr(loop.input, "resume", None) is not None or (self.outer is not None and self.outer.run.answers):
            self.answers = Answers(loop)

    def take_state(self, channels: Mapping[str, Any]) -> None:
        """The run is an agent's: what the graph's state holds now is what the agent is given."""
        self.given = said.in_channels(channels, self.channels.messages)
        said.given(self.recorder, self.span, self, self.given)

    def left_unfinished(self, task_id: str, context: SpanContext, outcome: TaskOutcome) -> None:
        """A task may run again: a later run of the thread, or this one, will ask what became of it."""
        if self.key is not None:
            MEMORY.left_unfinished(task_id, context, outcome)
        else:
            self._unfinished[task_id] = context, outcome

    def unfinished(self, task_id: str) -> tuple[SpanContext, TaskOutcome] | None:
        """The span of an earlier, unfinished run of this task; asked once, when the task runs again."""
        if self.key is not None:
            return MEMORY.unfinished(task_id)
        return self._unfinished.pop(task_id, None) if self._unfinished else None

    def finish(self, loop: Any, exc: BaseException | None) -> None:
        """The loop was left, with a result or by an exception."""
        if self.claimed:
            return
        recorder, outcome = self.recorder, run_outcome(loop, exc)
        if self.given is not None:
            self.provenance.leave(self)
            now = said.in_channels(loop.channels, self.channels.messages)
            said.added(recorder, self.span, self, now, self.given)
        if outcome is RunOutcome.ERROR:
            if exc is not None:
                recorder.record_exception(self.span, exc)
            else:
                spans.fail_unseen(self.span, "langgraph.errors.GraphRecursionError", "recursion limit reached")
                if self.outer is not None:
                    self.outer.out_of_steps = self.span
        recorder.set_attributes(self.span, {names.MAS_RUN_OUTCOME: outcome.value})
        self.span.end()

    def close(self) -> None:
        """End the span whatever became of it: telling how the run ended has failed."""
        if not self.claimed and self.span.is_recording():
            self.span.end()


__all__ = ["GraphRun", "TaskRun", "outside_of_tasks"]
