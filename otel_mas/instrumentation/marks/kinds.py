"""Marks for the parts of a multi-agent program: workflow, agent, task, tool, retrieval."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from opentelemetry import context as otel_context
from opentelemetry.trace import SpanKind

from otel_mas.instrumentation.endings import is_cancelled, is_control, run_attributes
from otel_mas.instrumentation.langchain.messages import MESSAGES
from otel_mas.instrumentation.langchain.tools import result_types
from otel_mas.instrumentation.marks.causes import CausedBy
from otel_mas.instrumentation.marks.current_task import with_task
from otel_mas.instrumentation.marks.mark import Kind, Mark, marker
from otel_mas.instrumentation.marks.mark_messages import consumed, produced
from otel_mas.record import ACTOR_KEY, current_actor, guarded, is_a, provenance_of, recorder
from otel_mas.record.sdk.random_bits import getrandbits
from otel_mas.semconv import attributes as names
from otel_mas.semconv.enums import Operation, RecordKind, RunOutcome, TaskOutcome

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.trace import Span

    from otel_mas.record import LoopWatch, MessageProvenance

# Under this key the OTel context carries the span of the marked workflow.
_WORKFLOW_KEY = otel_context.create_key("otel-mas-marked-workflow")


class Work(Mark):
    """A mark of something that reads messages and writes some: an actor in a conversation."""

    provenance: MessageProvenance
    path: tuple[str, ...]
    # Replaced, never changed: a mark that is not recorded has none of its own.
    _inputs: tuple[Any, ...] = ()
    _outputs: tuple[Any, ...] = ()
    _changed: Mapping[str, Any] = MappingProxyType({})
    _loop_watch: LoopWatch | None = None

    def __init__(self, name: str | None = None, *, caused_by: CausedBy = None, conversation: str | None = None) -> None:
        super().__init__(name, caused_by, {names.GEN_AI_CONVERSATION_ID: conversation})
        self._conversation = conversation

    def _before_start(self) -> None:
        outer = current_actor()
        self.provenance = provenance_of(self._conversation) if outer is None else outer.provenance
        self.path = (*(() if outer is None else outer.path), self._name or "")
        self._loop_watch = recorder().watch_loop()

    def context(self) -> Context:
        """The current context, with the span and the actor in it."""
        return otel_context.set_value(ACTOR_KEY, self, super().context())

    def _before_end(self, error: BaseException | None) -> None:
        self.provenance.leave(self)
        recorder().end_watch(self._loop_watch, self.span)

    @guarded("mark: input")
    def input(self, *values: Any) -> None:
        """Record its input: texts, messages, or other values. Stored once each, known by digest."""
        if self.span.is_recording():
            self._inputs += values
            consumed(self.span, self._inputs, self)

    @guarded("mark: output")
    def output(self, *values: Any) -> None:
        """Record its output: texts, messages, or other values. Stored once each, known by digest."""
        if self.span.is_recording():
            self._outputs += values
            produced(self.span, self._outputs, self)

    @guarded("mark: state")
    def state(self, **changed: Any) -> None:
        """Record what it changed in a state, by name: each value by digest, stored once."""
        if self.span.is_recording():
            self._changed = {**self._changed, **changed}
            recorder().state(self.span, self._changed, MESSAGES)

    def _on_arguments(self, arguments: Mapping[str, Any]) -> None:
        self.input(*arguments.values())

    def _on_result(self, result: Any) -> None:
        self.output(result)


class Workflow(Work):
    """One run of a whole program of agents."""

    _kind = Kind(
        "invoke_workflow",
        "workflow",
        (names.GEN_AI_AGENT_NAME,),
        {
            names.GEN_AI_OPERATION_NAME: Operation.INVOKE_WORKFLOW.value,
            names.MAS_RECORD_KIND: RecordKind.WORKFLOW.value,
        },
    )

    def context(self) -> Context:
        """The current context, with the span, the actor and the workflow in it."""
        return otel_context.set_value(_WORKFLOW_KEY, self.span, super().context())

    def _before_end(self, error: BaseException | None) -> None:
        super()._before_end(error)
        recorder().set_attributes(self.span, run_attributes(_run_outcome(error), error))


def marked_workflow() -> Span | None:
    """The span of the marked workflow around this code."""
    return otel_context.get_current().get(_WORKFLOW_KEY)  # type: ignore[return-value]


class Task(Work):
    """A step of the work."""

    _kind = Kind("task", "task", (names.MAS_TASK_NAME,), {names.MAS_RECORD_KIND: RecordKind.AGENT_TASK.value})

    def _describe(self) -> tuple[str, dict[str, Any]]:
        name, attributes = super()._describe()
        attributes[names.MAS_TASK_ID] = f"{getrandbits(128):032x}"
        return name, attributes

    def context(self) -> Context:
        """The current context, with the span, the actor and the task in it."""
        return with_task(self, super().context())

    def _before_end(self, error: BaseException | None) -> None:
        super()._before_end(error)
        recorder().set_attributes(self.span, {names.MAS_TASK_OUTCOME: _task_outcome(error).value})


class Agent(Task):
    """An agent at work; a task as well."""

    _kind = Kind(
        "invoke_agent",
        "agent",
        (names.MAS_TASK_NAME, names.GEN_AI_AGENT_NAME),
        {
            names.MAS_RECORD_KIND: RecordKind.AGENT_TASK.value,
            names.GEN_AI_OPERATION_NAME: Operation.INVOKE_AGENT.value,
        },
    )


_admission: Callable[[str], None] | None = None


def admit_tools_by(admission: Callable[[str], None] | None) -> None:
    """Have marked tools admitted, by name, before they run: what it raises reaches the app. None: they just run."""
    global _admission
    _admission = admission


class Tool(Mark):
    """One execution of a tool."""

    _kind = Kind(
        "execute_tool",
        "tool",
        (names.GEN_AI_TOOL_NAME,),
        {
            names.MAS_RECORD_KIND: RecordKind.TOOL_CALL.value,
            names.GEN_AI_OPERATION_NAME: Operation.EXECUTE_TOOL.value,
            names.GEN_AI_TOOL_TYPE: "function",
        },
    )

    def admit(self) -> None:
        """Raise where a budget is spent."""
        if _admission is not None:
            _admission(self.name)

    def arguments(self, **arguments: Any) -> None:
        """Record its arguments."""
        self._on_arguments(arguments)

    def result(self, result: Any) -> None:
        """Record its result."""
        recorder().content(self.span, names.GEN_AI_TOOL_CALL_RESULT, result)
        _record_types(self.span, result)

    def _on_arguments(self, arguments: Mapping[str, Any]) -> None:
        recorder().content(self.span, names.GEN_AI_TOOL_CALL_ARGUMENTS, arguments, self.name)

    def _on_result(self, result: Any) -> None:
        self.result(result)


class Retrieval(Mark):
    """One query to something that finds documents."""

    _kind = Kind(
        "retrieval",
        "retriever",
        (names.GEN_AI_DATA_SOURCE_ID,),
        {
            names.MAS_RECORD_KIND: RecordKind.RETRIEVAL.value,
            names.GEN_AI_OPERATION_NAME: Operation.RETRIEVAL.value,
        },
        SpanKind.CLIENT,
    )

    def query(self, query: Any) -> None:
        """Record the query."""
        recorder().content(self.span, names.GEN_AI_RETRIEVAL_QUERY_TEXT, query)

    def documents(self, documents: Any) -> None:
        """Record the documents that were found."""
        recorder().content(self.span, names.GEN_AI_RETRIEVAL_DOCUMENTS, documents)
        _record_types(self.span, documents)

    def _on_arguments(self, arguments: Mapping[str, Any]) -> None:
        if arguments:
            self.query(next(iter(arguments.values())))

    def _on_result(self, result: Any) -> None:
        self.documents(result)


def _record_types(span: Span, result: Any) -> None:
    types = result_types(result)
    if types:
        recorder().set_attributes(span, {names.MAS_RESULT_TYPES: types})


def _task_outcome(error: BaseException | None) -> TaskOutcome:
    if error is None:
        return TaskOutcome.OK
    if is_control(error):
        return TaskOutcome.HANDOFF if is_a(error, "ParentCommand") else TaskOutcome.INTERRUPTED
    if is_cancelled(error) or not is_a(error, "Exception"):
        return TaskOutcome.CANCELLED
    return TaskOutcome.ERROR


def _run_outcome(error: BaseException | None) -> RunOutcome:
    if error is not None and is_a(error, "GeneratorExit"):
        return RunOutcome.ABANDONED
    outcome = _task_outcome(error)
    return RunOutcome.OK if outcome is TaskOutcome.HANDOFF else RunOutcome(outcome.value)


# -- the public functions ------------------------------------------------------------------------------------------


@marker
def workflow(name: str | None = None, *, caused_by: CausedBy = None, conversation: str | None = None) -> Workflow:
    """Mark one run of a whole program of agents: `with workflow("trip"):`, `@workflow`, `@workflow("trip")`.

    Args:
        name: by default, that of the function.
        caused_by: the cause: the handle of another mark, a span, or what `send` returned; or several.
        conversation: its id, which other runs may share.
    """
    return Workflow(name, caused_by=caused_by, conversation=conversation)


@marker
def agent(name: str | None = None, *, caused_by: CausedBy = None, conversation: str | None = None) -> Agent:
    """Mark an agent at work: `with agent("writer"):`, `@agent`, `@agent("writer")`.

    Args:
        name: by default, that of the function.
        caused_by: the cause: the handle of another mark, a span, or what `send` returned; or several.
        conversation: its id, which other runs may share.
    """
    return Agent(name, caused_by=caused_by, conversation=conversation)


@marker
def task(name: str | None = None, *, caused_by: CausedBy = None, conversation: str | None = None) -> Task:
    """Mark a step of the work that is no agent: `with task("merge"):`, `@task`, `@task("merge")`.

    Args:
        name: by default, that of the function.
        caused_by: the cause: the handle of another mark, a span, or what `send` returned; or several.
        conversation: its id, which other runs may share.
    """
    return Task(name, caused_by=caused_by, conversation=conversation)


@marker
def tool(name: str | None = None, *, caused_by: CausedBy = None) -> Tool:
    """Mark one execution of a tool: `with tool("search"):`, `@tool`, `@tool("search")`."""
    return Tool(name, caused_by=caused_by)


@marker
def retrieval(name: str | None = None, *, caused_by: CausedBy = None) -> Retrieval:
    """Mark a query to something that finds documents; `name` is what is searched."""
    return Retrieval(name, caused_by=caused_by)


__all__ = ["admit_tools_by", "agent", "retrieval", "task", "tool", "workflow"]
