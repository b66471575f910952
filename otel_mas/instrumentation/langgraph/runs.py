"""One run of a graph and its tasks: their spans, their causes, and how they ended."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from opentelemetry import context as otel_context
from opentelemetry.context import Context

from otel_mas.instrumentation.langchain.messages import MESSAGES
from otel_mas.instrumentation.langgraph import said, spans
from otel_mas.instrumentation.langgraph.channels import TASKS, Before, ChannelCauses, Writer, fired, unknown_writers
from otel_mas.instrumentation.langgraph.current import TASK_KEY, current_task
from otel_mas.instrumentation.langgraph.guardrails import checked, checks
from otel_mas.instrumentation.langgraph.human_input import Answers, describe_question
from otel_mas.instrumentation.langgraph.memory import MEMORY
from otel_mas.instrumentation.langgraph.reasons import Reasons
from otel_mas.record import EXCHANGES, INSIDE, PARTICIPANT, SPAN, Cause, Exchange, MessageList, Recorder, participant
from otel_mas.semconv import attributes as names
from otel_mas.semconv.enums import LinkKind, RunOutcome, TaskOutcome

if TYPE_CHECKING:
    from opentelemetry.trace import Span, SpanContext

    from otel_mas.record import Participant

START = "__start__"
_HANDLER_PATH = ("node_error_handler", False)  # how the path of an error handler's task ends
_BRANCH_TO = "branch:to:"
_OUTCOMES = {outcome.value: {names.MAS_TASK_OUTCOME: outcome.value} for outcome in TaskOutcome}
_UNFINISHED = (TaskOutcome.INTERRUPTED, TaskOutcome.ERROR, TaskOutcome.CANCELLED)
# Whether the run was sent to a checkpoint from which its thread had gone on (LangGraph 1.2).
_SUPERSEDED = "_addressed_checkpoint_superseded"
_EARLIER = (LinkKind.RESUME, LinkKind.RETRY)


def outside_of_tasks(span: Span) -> Context:
    """The context in which `span` is current, and no task."""
    return Context({**otel_context.get_current(), SPAN: span, INSIDE: span, TASK_KEY: None})


class TaskRun:
    """One task of a run: its causes from the moment LangGraph schedules it, its span once it starts."""

    __slots__ = (
        "attempt",
        "causes",
        "exchange",
        "given",
        "graph",
        "handed_to",
        "index",
        "out_of_steps",
        "outcome",
        "path",
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
        self.exchange = run.exchange
        self.path = (*run.path, task.name)
        # The messages that an agent was given; None where the task is no agent.
        self.given: list[Any] | None = None
        self.index = run.scheduled
        if task.name != START:
            run.scheduled += 1
        self.writer = Writer(None, f"task|{task.id}")
        self.causes: list[Cause] = []
        self.refs: list[str] = []
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

    def caused_by(self, writer: Writer, kind: LinkKind) -> None:
        """Note a cause, as a link where its span is known, else by its key for the reader to resolve."""
        if writer.context is None:
            ref = f"{kind}|{writer.key}"
            if ref not in self.refs:
                self.refs.append(ref)
            return
        cause = Cause(writer.context, kind)
        if cause not in self.causes:
            self.causes.append(cause)

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
            self.graph = spans.bound_graph(self.task.proc)
            name, attributes = spans.task_attributes(self)
            self.span = run.recorder.start_span(name, attributes, causes=self.causes, parent=run.span)
            self.writer.context = self.span.get_span_context()
            if names.GEN_AI_OPERATION_NAME in attributes:
                self.given = said.in_state(self.task.input, run.channels.messages)
                said.given(run.recorder, self.span, self, self.given)
        inside = {SPAN: self.span, INSIDE: self.span, TASK_KEY: self, PARTICIPANT: self}
        return Context({**otel_context.get_current(), **inside})

    def finish(self, exc: BaseException | None) -> None:
        """End the span by how the task's code left: with a result, a pause, a handoff, a cancellation or an error."""
        span, recorder = self.span, self.run.recorder
        if span is None or self.outcome is not None:
            return
        if self.task.name == START:
            if exc is None and not self.run.claimed:
                recorder.state(span, said.changes(self.task.writes, self.run.channels.state), MESSAGES)
            return
        if exc is None:
            self._tell_writes(recorder, span)
            outcome = TaskOutcome.OK
            if self.handed_to is not None:
                outcome = TaskOutcome.HANDOFF
                self.writer.handed_to = self.handed_to
            self._route_by_command()
        else:
            outcome = self._left_by(recorder, span, exc)
        if self.run.answers is not None:
            self.run.answers.taken_by(self)
        check = self.run.checks.get(self.task.name)
        if check is not None:
            checked(self, check, exc)
        self._end(span, outcome)

    def _tell_writes(self, recorder: Recorder, span: Span) -> None:
        """What the task changed in the state, and the messages among it."""
        channels, writes = self.run.channels, self.task.writes
        changed = said.changes(writes, channels.state)
        messages = said.in_writes(writes, channels.messages)
        if messages and self.given is not None:
            said.added(recorder, span, self, messages, self.given)
        elif messages:
            before = partial(said.in_state, self.task.input, channels.messages)
            digests = said.wrote(recorder, span, self, messages, before)
            for name in channels.messages:
                if changed.get(name) is messages:  # all of them, and nothing else
                    changed[name] = MessageList(digests)
        if changed:
            recorder.state(span, changed, MESSAGES)

    def _end(self, span: Span, outcome: TaskOutcome, end_ns: int | None = None) -> None:
        self.outcome = outcome
        if self.reasons is not None:
            left_for = self.run.outer.handed_to if outcome is TaskOutcome.HANDOFF and self.run.outer else None
            for left in self.reasons.left():
                chosen = left.choice or tuple(sorted(left_for or ()))
                spans.routing(self, left.decider, chosen, left.candidates or None, left.reason)
        self.run.recorder.say(span, _OUTCOMES[outcome._value_])
        if outcome in _UNFINISHED:
            self.run.left_unfinished(self.task.id, span.get_span_context(), outcome)
        span.end(end_ns)

    def close(self) -> None:
        """End the span whatever became of it: telling how the task ended has failed."""
        if self.span is not None and self.task.name != START and self.span.is_recording():
            self.span.end()

    def attempt_left(self, exc: BaseException) -> None:
        """An exception left an attempt. One that LangGraph cannot answer with another attempt is the task's end."""
        if isinstance(exc, Exception) and not any(cls.__name__ == "GraphBubbleUp" for cls in type(exc).__mro__):
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

    def _left_by(self, recorder: Recorder, span: Span, exc: BaseException) -> TaskOutcome:
        kinds = {cls.__name__ for cls in type(exc).__mro__}
        if "GraphInterrupt" in kinds:
            describe_question(recorder, span, exc, self.run.asked)
            return TaskOutcome.INTERRUPTED
        if "ParentCommand" in kinds:
            goto = exc.args[0].goto
            if not goto:
                return TaskOutcome.OK  # it only updates the state of the graph around it
            if self.run.outer is not None:
                self.run.outer.handed_to = frozenset(spans.destinations(goto))
            return TaskOutcome.HANDOFF
        if "CancelledError" in kinds or isinstance(exc, (GeneratorExit, KeyboardInterrupt)):
            return TaskOutcome.CANCELLED
        if "GraphBubbleUp" in kinds:
            return TaskOutcome.INTERRUPTED
        if self.out_of_steps is not None and "GraphRecursionError" in kinds:
            recorder.happened(exc, self.out_of_steps)
        recorder.fail(span, exc)
        return TaskOutcome.ERROR

    def _route_by_command(self) -> None:
        """A destination that no edge of the graph explains was chosen by the node itself, with `Command(goto=...)`."""
        run, routed = self.run, self.routed
        chosen = []
        for name, value in self.task.writes:
            if name.startswith(_BRANCH_TO):
                node = name[len(_BRANCH_TO) :]
            elif name == TASKS:
                node = getattr(value, "node", "")
            else:
                continue
            if node not in routed:
                chosen.append(node)
        if not chosen or (static := spans.static_destinations(run.graph, self.task.name)) is None:
            return
        chosen = [node for node in chosen if node not in static]
        if chosen and (routed or not spans.has_conditional_edges(run.graph, self.task.name)):
            self.decided("Command", chosen, spans.declared_destinations(run.graph, self.task.name))

    def decided(
        self, function: str, chosen: Sequence[str], candidates: Sequence[str] | None, labels: Sequence[str] = ()
    ) -> None:
        """Record a routing decision, with its reason where there is one.

        Args:
            function: what decided.
            chosen: the nodes.
            candidates: the nodes that could have been chosen, where the graph says.
            labels: what the function returned, which the graph may have other names for.
        """
        reason = None
        if self.reasons is not None and (found := self.reasons.of({*chosen, *labels})) is not None:
            reason, candidates = found.reason, candidates or found.candidates or None
        spans.routing(self, function, chosen, candidates, reason)


class Branch:
    """A conditional edge: what its spans are called, and where it can lead."""

    __slots__ = ("_spec", "candidates", "function")

    def __init__(self, spec: Any) -> None:
        self._spec = spec  # alive, so that its id stays its own
        path, ends = spec.path, spec.ends
        func = getattr(path, "func", None) or getattr(path, "afunc", None)
        name = getattr(path, "name", None) or getattr(func, "__name__", None)
        self.function: str = name or type(path).__name__
        self.candidates = tuple(sorted({str(end) for end in ends.values()})) if ends else None


class GraphRun:
    """One invocation of a graph, from entering LangGraph's loop to leaving it."""

    __slots__ = (
        "_hits",
        "_tasks",
        "_unfinished",
        "agent",
        "answers",
        "asked",
        "branches",
        "causes",
        "channels",
        "checkpoint",
        "checks",
        "claimed",
        "conversation",
        "exchange",
        "given",
        "graph",
        "key",
        "namespace",
        "outer",
        "path",
        "recorder",
        "scheduled",
        "span",
        "writer",
    )

    def __init__(self, recorder: Recorder, loop: Any) -> None:
        self.recorder = recorder
        # The graph is reachable from its loop only through this bound method; where it is not, the run has no name.
        self.graph = getattr(getattr(loop, "_migrate_checkpoint", None), "__self__", None)
        self.outer = current_task()
        # A subgraph used as a node is one span with its task.
        self.claimed = self.outer is not None and self.outer.graph is not None and self.outer.graph is self.graph
        if self.claimed and self.outer is not None and self.outer.span is not None:
            self.outer.graph = None  # only the first run inside; a second one in the same task is its own span
            self.span = self.outer.span
            self.agent = False
        else:
            self.claimed = False
            name, attributes = spans.run_attributes(self.graph, loop)
            self.span = recorder.start_span(name, attributes)
            self.agent = names.GEN_AI_AGENT_NAME in attributes
        self.writer = Writer(self.span.get_span_context())
        self.conversation = spans.conversation(loop)
        self.channels = said.channels_of(self.graph)
        self.given: list[Any] | None = None
        self._join(participant())
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
        self.causes = ChannelCauses(loop.trigger_to_nodes)
        self._tasks: dict[int, TaskRun] = {}
        self._unfinished: dict[str, tuple[SpanContext, TaskOutcome]] = {}
        self._hits: tuple[Any, ...] = ()

    def _join(self, around: Participant | None) -> None:
        """Whose words and ears are its tasks': in the exchange of what it runs in, else of its conversation."""
        self.exchange: Exchange = EXCHANGES.of(self.conversation) if around is None else around.exchange
        self.path: tuple[str, ...] = () if around is None else around.path
        if not self.claimed:
            self.path += (spans.given_name(self.graph) or "",)

    def first(self, loop: Any) -> None:
        """The loop has loaded its checkpoint: recall what waits there, from this process's memory."""
        recorder = self.recorder
        self.key = spans.thread_key(loop)
        if getattr(loop.input, "resume", None) is not None or (self.outer is not None and self.outer.run.answers):
            self.answers = Answers(loop)
        if self.key is None or not loop.checkpoint["channel_versions"]:
            return
        loaded = loop.checkpoint["id"]
        recorder.say(self.span, spans.started_from(self.key, loaded, getattr(loop, _SUPERSEDED, False)))
        waiting = MEMORY.waiting((*self.key, loaded))
        if waiting is None:
            # Written before this process took the thread over: the reader finds the writers by the checkpoint.
            waiting = unknown_writers(loaded, loop.trigger_to_nodes, loop.channels)
        self.causes = ChannelCauses(loop.trigger_to_nodes, waiting)

    # -- what LangGraph writes -------------------------------------------------------------------------------------

    def after_writes(self, tasks: Sequence[Any], channels: Any, before: Before) -> None:
        written, steps = [], False
        for task in spans.in_write_order(tasks):
            state = self._tasks.get(id(task))
            written.append((self.writer if state is None else state.writer, task.writes))
            steps = steps or bool(task.triggers)
        self.causes.apply(written, channels, before, steps=steps)

    def cache_hit(self, task: Any) -> None:
        """LangGraph answers a task from its cache: the task's code does not run."""
        state = self._tasks.get(id(task))
        if state is None:
            self._hits += (task,)  # a `@task` is looked up before its call is over
        elif state.task.name == START:
            state.writer = self.writer
        elif state.span is None:
            name, attributes = spans.task_attributes(state)
            attributes[names.MAS_TASK_CACHED] = True
            attributes[names.MAS_TASK_OUTCOME] = TaskOutcome.OK.value
            state.span = self.recorder.start_span(name, attributes, causes=state.causes, parent=self.span)
            state.writer.context = state.span.get_span_context()
            state.span.end()
        elif current_task() is state:
            # Before 1.2 an async `@task` looks for itself, once it runs.
            self.recorder.say(state.span, {names.MAS_TASK_CACHED: True})

    def saved(self, loop: Any) -> None:
        """LangGraph has made a checkpoint: remember what waits in it, for a run that starts from it."""
        if self.key is not None and loop.checkpointer is not None:
            MEMORY.remember((*self.key, loop.checkpoint["id"]), self.causes.waiting(self.writer))

    # -- what LangGraph schedules ----------------------------------------------------------------------------------

    def ticked(self, loop: Any) -> None:
        """LangGraph has decided what runs in the next step: work out why."""
        self._tasks = tasks = {}
        if self.key is not None and loop.durability != "exit":
            self.checkpoint = loop.checkpoint["id"]
        for task in loop.tasks.values():
            tasks[id(task)] = state = TaskRun(self, task)
            self._explain(state, loop)
        TASK_RUNS.update(tasks)
        if self.agent and self.given is None and not any(state.task.name == START for state in tasks.values()):
            # The input is applied: an agent that is no node is given what its state holds now.
            self.given = said.in_channels(loop.channels, self.channels.messages)
            said.given(self.recorder, self.span, self, self.given)

    def _explain(self, state: TaskRun, loop: Any) -> None:
        task = state.task
        if len(task.path) > 3 and task.path[-2:] == _HANDLER_PATH:
            # Scheduled in an earlier run. The task that failed is among the step's, and does not run again.
            for failed in self._tasks.values():
                if failed.task.path == task.path[:-2]:
                    state.caused_by(failed.writer, LinkKind.ERROR_HANDLER)
            return
        if task.path[0] == "__pregel_push":
            index = task.path[1]
            if isinstance(index, int) and index < len(self.causes.sends):
                state.caused_by(self.causes.sends[index], LinkKind.SEND)
                state.triggers = [TASKS]
            return
        state.triggers = fired(task, loop.checkpoint, loop.channels)
        for channel in state.triggers:
            for writer in self.causes.channels.get(channel, ()):
                handed = channel.startswith(_BRANCH_TO) and channel[len(_BRANCH_TO) :] in writer.handed_to
                state.caused_by(writer, LinkKind.HANDOFF if handed else LinkKind.TRIGGER)

    def pushed(self, task: Any, caller: Any, kind: LinkKind) -> None:
        """A task was scheduled in the middle of a step: a `@task` call or an error handler."""
        if id(task) in TASK_RUNS and TASK_RUNS[id(task)].task is task:
            return
        state = TaskRun(self, task)
        source = TASK_RUNS.get(id(caller))
        if source is not None:
            state.caused_by(source.writer, kind)
        self._tasks[id(task)] = TASK_RUNS[id(task)] = state
        if self._hits:
            hits, self._hits = self._hits, ()
            if any(hit is task for hit in hits):
                self.cache_hit(task)

    def step_forgotten(self) -> None:
        """Let go of the tasks of the step; what they caused lives on as writers."""
        for key, state in self._tasks.items():
            TASK_RUNS.pop(key, None)
            self.exchange.left(state)
        self._tasks = {}

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

    # -- the end ---------------------------------------------------------------------------------------------------

    def finish(self, loop: Any, exc: BaseException | None) -> None:
        """The loop was left, with a result or by an exception."""
        recorder = self.recorder
        self._note_checkpoint(recorder, loop)
        self._remember_finished(exc)
        self.step_forgotten()
        if self.claimed:
            return
        if self.given is not None:
            self.exchange.left(self)
            said.added(recorder, self.span, self, said.in_channels(loop.channels, self.channels.messages), self.given)
        outcome = spans.run_outcome(loop, exc)
        if outcome is RunOutcome.ERROR:
            if exc is not None:
                recorder.fail(self.span, exc)
            else:
                spans.fail_unseen(self.span, "langgraph.errors.GraphRecursionError", "recursion limit reached")
                if self.outer is not None:
                    self.outer.out_of_steps = self.span
        recorder.say(self.span, {names.MAS_RUN_OUTCOME: outcome.value})
        self.span.end()

    def close(self) -> None:
        """End the span whatever became of it: telling how the run ended has failed."""
        if not self.claimed and self.span.is_recording():
            self.span.end()

    def _remember_finished(self, exc: BaseException | None) -> None:
        """A step that was left unfinished is run again from its checkpoint, without the tasks that were done."""
        if exc is None or self.key is None:
            return
        for state in self._tasks.values():
            if state.writer.context is not None and state.outcome not in _UNFINISHED:
                MEMORY.finished(state.task.id, state.writer.context)

    def _note_checkpoint(self, recorder: Recorder, loop: Any) -> None:
        if self.key is None or loop.checkpointer is None:
            return
        MEMORY.ended(self.key, loop.checkpoint["id"])
        if not self.span.is_recording():
            return
        recorder.say(self.span, spans.left_at(loop.checkpoint["id"], self.causes.waiting()))


# Every scheduled task of every run, by the identity of LangGraph's task object; the TaskRun keeps that object alive.
TASK_RUNS: dict[int, TaskRun] = {}
