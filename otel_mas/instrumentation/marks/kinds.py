"""Marks for the parts of a multi-agent program: workflow, agent, task, tool, retrieval."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from random import getrandbits
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar, overload

from opentelemetry import context as otel_context
from opentelemetry.trace import SpanKind

from otel_mas.instrumentation.endings import is_cancelled, is_control
from otel_mas.instrumentation.langchain.messages import MESSAGES
from otel_mas.instrumentation.marks.causes import CausedBy
from otel_mas.instrumentation.marks.mark import Mark
from otel_mas.instrumentation.marks.mark_messages import consumed, produced
from otel_mas.record import ACTOR_KEY, current_actor, guarded, is_a, provenance_of, recorder
from otel_mas.semconv import attributes as names
from otel_mas.semconv.enums import Operation, RecordKind, RunOutcome, TaskOutcome

if TYPE_CHECKING:
    from opentelemetry.context import Context

    from otel_mas.record import MessageProvenance

Function = TypeVar("Function", bound=Callable[..., Any])


class Work(Mark):
    """A mark of something that is given messages and writes some: an actor in a conversation."""

    provenance: MessageProvenance
    path: tuple[str, ...]
    # Replaced, never changed: a mark that is not recorded has none of its own.
    _put_in: tuple[Any, ...] = ()
    _came_out: tuple[Any, ...] = ()
    _changed: Mapping[str, Any] = MappingProxyType({})

    def __init__(self, name: str | None = None, *, caused_by: CausedBy = None, conversation: str | None = None) -> None:
        self._name = name
        self._caused_by = caused_by
        self._conversation = conversation

    def _join(self) -> None:
        around = current_actor()
        self.provenance = provenance_of(self._conversation) if around is None else around.provenance
        self.path = (*(() if around is None else around.path), self._name or "")

    def context(self) -> Context:
        """The current context, with the span and the actor in it."""
        return otel_context.set_value(ACTOR_KEY, self, super().context())

    def _left(self, error: BaseException | None) -> None:
        self.provenance.leave(self)

    @guarded("mark: input")
    def input(self, *values: Any) -> None:
        """Record what it was given: texts, messages, or other values. Stored once each, known by digest."""
        if self.span.is_recording():
            self._put_in += values
            consumed(self.span, self._put_in, self)

    @guarded("mark: output")
    def output(self, *values: Any) -> None:
        """Record what it said: texts, messages, or other values. Stored once each, known by digest."""
        if self.span.is_recording():
            self._came_out += values
            produced(self.span, self._came_out, self)

    @guarded("mark: state")
    def state(self, **changed: Any) -> None:
        """Record what it changed in a state, by name: each value by digest, stored once."""
        if self.span.is_recording():
            self._changed = {**self._changed, **changed}
            recorder().state(self.span, self._changed, MESSAGES)

    def _given(self, arguments: Mapping[str, Any]) -> None:
        self.input(*arguments.values())

    def _returned(self, result: Any) -> None:
        self.output(result)

    def _in_conversation(self, attributes: dict[str, Any]) -> dict[str, Any]:
        if self._conversation is not None:
            attributes[names.GEN_AI_CONVERSATION_ID] = self._conversation
        return attributes


class Workflow(Work):
    """One run of a whole program of agents."""

    def _describe(self) -> tuple[str, dict[str, Any]]:
        name = self._name or "workflow"
        attributes = {
            names.GEN_AI_OPERATION_NAME: Operation.INVOKE_WORKFLOW.value,
            names.MAS_RECORD_KIND: RecordKind.WORKFLOW.value,
            names.GEN_AI_AGENT_NAME: name,
        }
        return f"invoke_workflow {name}", self._in_conversation(attributes)

    def _left(self, error: BaseException | None) -> None:
        super()._left(error)
        recorder().set_attributes(self.span, {names.MAS_RUN_OUTCOME: _run_outcome(error).value})


class Task(Work):
    """A step of the work."""

    _is_task: ClassVar[bool] = True

    def _describe(self) -> tuple[str, dict[str, Any]]:
        name = self._name or "task"
        return f"task {name}", self._in_conversation(_task(name))

    def _left(self, error: BaseException | None) -> None:
        super()._left(error)
        recorder().set_attributes(self.span, {names.MAS_TASK_OUTCOME: _task_outcome(error).value})


class Agent(Task):
    """An agent at work; a task as well."""

    def _describe(self) -> tuple[str, dict[str, Any]]:
        name = self._name or "agent"
        attributes = _task(name)
        attributes[names.GEN_AI_OPERATION_NAME] = Operation.INVOKE_AGENT.value
        attributes[names.GEN_AI_AGENT_NAME] = name
        return f"invoke_agent {name}", self._in_conversation(attributes)


class Tool(Mark):
    """One execution of a tool."""

    def _describe(self) -> tuple[str, dict[str, Any]]:
        name = self._name or "tool"
        attributes = {
            names.MAS_RECORD_KIND: RecordKind.TOOL_CALL.value,
            names.GEN_AI_OPERATION_NAME: Operation.EXECUTE_TOOL.value,
            names.GEN_AI_TOOL_TYPE: "function",
            names.GEN_AI_TOOL_NAME: name,
        }
        return f"execute_tool {name}", attributes

    def arguments(self, **arguments: Any) -> None:
        """Record what it is called with."""
        recorder().content(self.span, names.GEN_AI_TOOL_CALL_ARGUMENTS, arguments)

    def result(self, result: Any) -> None:
        """Record what it returned."""
        recorder().content(self.span, names.GEN_AI_TOOL_CALL_RESULT, result)

    def _given(self, arguments: Mapping[str, Any]) -> None:
        recorder().content(self.span, names.GEN_AI_TOOL_CALL_ARGUMENTS, arguments)

    def _returned(self, result: Any) -> None:
        self.result(result)


class Retrieval(Mark):
    """One query to something that finds documents."""

    _kind: ClassVar[SpanKind] = SpanKind.CLIENT

    def _describe(self) -> tuple[str, dict[str, Any]]:
        name = self._name or "retriever"
        attributes = {
            names.MAS_RECORD_KIND: RecordKind.RETRIEVAL.value,
            names.GEN_AI_OPERATION_NAME: Operation.RETRIEVAL.value,
            names.GEN_AI_DATA_SOURCE_ID: name,
        }
        return f"retrieval {name}", attributes

    def query(self, query: Any) -> None:
        """Record what is looked for."""
        recorder().content(self.span, names.GEN_AI_RETRIEVAL_QUERY_TEXT, query)

    def documents(self, documents: Any) -> None:
        """Record what was found."""
        recorder().content(self.span, names.GEN_AI_RETRIEVAL_DOCUMENTS, documents)

    def _given(self, arguments: Mapping[str, Any]) -> None:
        if arguments:
            self.query(next(iter(arguments.values())))

    def _returned(self, result: Any) -> None:
        self.documents(result)


def _task(name: str) -> dict[str, Any]:
    return {
        names.MAS_RECORD_KIND: RecordKind.AGENT_TASK.value,
        names.MAS_TASK_ID: f"{getrandbits(128):032x}",
        names.MAS_TASK_NAME: name,
    }


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


@overload
def workflow(name: Function, /) -> Function: ...
@overload
def workflow(name: str | None = None, *, caused_by: CausedBy = None, conversation: str | None = None) -> Workflow: ...
def workflow(name: Any = None, *, caused_by: CausedBy = None, conversation: str | None = None) -> Any:
    """Mark one run of a whole program of agents: `with workflow("trip"):`, `@workflow`, `@workflow("trip")`.

    Args:
        name: by default, that of the function.
        caused_by: what made it run: the handle of another mark, a span, or what `send` returned; or several.
        conversation: what it belongs to, with other runs.
    """
    return Workflow.of(name, caused_by=caused_by, conversation=conversation)


@overload
def agent(name: Function, /) -> Function: ...
@overload
def agent(name: str | None = None, *, caused_by: CausedBy = None, conversation: str | None = None) -> Agent: ...
def agent(name: Any = None, *, caused_by: CausedBy = None, conversation: str | None = None) -> Any:
    """Mark an agent at work: `with agent("writer"):`, `@agent`, `@agent("writer")`.

    Args:
        name: by default, that of the function.
        caused_by: what made it work: the handle of another mark, a span, or what `send` returned; or several.
        conversation: what it belongs to, with other runs.
    """
    return Agent.of(name, caused_by=caused_by, conversation=conversation)


@overload
def task(name: Function, /) -> Function: ...
@overload
def task(name: str | None = None, *, caused_by: CausedBy = None, conversation: str | None = None) -> Task: ...
def task(name: Any = None, *, caused_by: CausedBy = None, conversation: str | None = None) -> Any:
    """Mark a step of the work that is no agent: `with task("merge"):`, `@task`, `@task("merge")`.

    Args:
        name: by default, that of the function.
        caused_by: what made it run: the handle of another mark, a span, or what `send` returned; or several.
        conversation: what it belongs to, with other runs.
    """
    return Task.of(name, caused_by=caused_by, conversation=conversation)


@overload
def tool(name: Function, /) -> Function: ...
@overload
def tool(name: str | None = None, *, caused_by: CausedBy = None) -> Tool: ...
def tool(name: Any = None, *, caused_by: CausedBy = None) -> Any:
    """Mark one execution of a tool: `with tool("search"):`, `@tool`, `@tool("search")`."""
    return Tool.of(name, caused_by=caused_by)


@overload
def retrieval(name: Function, /) -> Function: ...
@overload
def retrieval(name: str | None = None, *, caused_by: CausedBy = None) -> Retrieval: ...
def retrieval(name: Any = None, *, caused_by: CausedBy = None) -> Any:
    """Mark a query to something that finds documents; `name` is what is searched."""
    return Retrieval.of(name, caused_by=caused_by)


__all__ = ["agent", "retrieval", "task", "tool", "workflow"]
