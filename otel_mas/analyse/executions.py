"""Executions: the tasks, agents, tools, retrievers and model calls of a run, with what each one's time was spent on."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from otel_mas.analyse.intervals import Interval, length, union
from otel_mas.analyse.model_calls import ModelCall
from otel_mas.analyse.profile.timing import MODEL, OWN, TOOL, Timing
from otel_mas.causal import CausalGraph
from otel_mas.causal.failed import failed
from otel_mas.model import Query, Span
from otel_mas.model.query import is_about
from otel_mas.model.status import RUNNING, STOPPED
from otel_mas.semconv import RecordKind, TaskOutcome, record_kind
from otel_mas.semconv import attributes as names

_NOWHERE = -1


class ExecutionKind(StrEnum):
    """The kind of work that an execution is."""

    AGENT = "agent"
    TASK = "task"
    """A node of a graph, or a task marked by hand, that is no agent."""
    TOOL = "tool"
    RETRIEVAL = "retrieval"
    MODEL = "model"


KINDS = tuple(kind.value for kind in ExecutionKind)
STATUSES = (*(outcome.value for outcome in TaskOutcome), RUNNING, STOPPED)
"""Outcomes of an execution, and `TraceStatus.RUNNING` and `STOPPED` while it has none."""
SUCCEEDED = (TaskOutcome.OK.value, TaskOutcome.HANDOFF.value)
_OF_RECORDS = {
    RecordKind.AGENT_TASK: ExecutionKind.TASK,
    RecordKind.TOOL_CALL: ExecutionKind.TOOL,
    RecordKind.RETRIEVAL: ExecutionKind.RETRIEVAL,
}


@dataclass(frozen=True, slots=True)
class Execution:
    """One execution of a task, agent, tool, retriever or model. Times in ns; calls that overlap count once in them."""

    kind: str
    name: str
    agent: str | None
    """The agent that it is or works for; None outside of any."""
    node: str | None
    """The path of the node that it is or belongs to: `researcher/model`."""
    task: str | None
    """The label of that task, with its number: `researcher#1/model#2`."""
    status: str
    """One of `STATUSES`."""
    error_type: str | None
    """`error.type` that it ended with, also where the error came from inside it."""
    start_ns: int
    end_ns: int | None
    model_ns: int
    """Part of its duration in which a model call inside it, or itself, ran."""
    tool_ns: int
    """In tools and retrievers, without the models and agents inside of these."""
    overhead_ns: int
    """Neither a model nor a tool ran: its own code, the framework, and waiting between the tasks inside it."""
    model_calls: int
    """Inside it, or itself."""
    tool_calls: int
    """Inside it, or itself."""
    input_tokens: int
    output_tokens: int
    cost_usd: float | None
    """Cost of the model calls inside it that have a price; None where none has."""
    service: str
    conversation: str | None
    trace_id: str
    span_id: str

    @property
    def duration_ns(self) -> int | None:
        """None while it has not ended."""
        return None if self.end_ns is None else max(0, self.end_ns - self.start_ns)


def executions(graph: CausalGraph, query: Query | None = None) -> tuple[Execution, ...]:
    """The executions of a run that match, in start order.

    Args:
        graph: Of one trace, or of the traces of a conversation.
        query: Its conditions on single spans are held against each execution: agent, operation, tool, model, error
            type, service, status (one of `STATUSES`), durations, and the times within which it started. The others
            are about whole traces.
    """
    return tuple(one for span, one in _Reader(graph).executions() if query is None or _matches(one, span, query))


def _matches(one: Execution, span: Span, query: Query) -> bool:
    took = one.duration_ns
    return (
        (query.agent is None or query.agent == one.agent)
        and (query.service is None or query.service == one.service)
        and (query.status is None or query.status == one.status)
        and is_about(span, query)
        and (query.since_ns is None or one.start_ns >= query.since_ns)
        and (query.until_ns is None or one.start_ns <= query.until_ns)
        and (query.min_duration_ns is None or (took is not None and took >= query.min_duration_ns))
        and (query.max_duration_ns is None or (took is not None and took <= query.max_duration_ns))
    )


class _Reader:
    """Reads the executions of one graph."""

    def __init__(self, graph: CausalGraph) -> None:
        self._graph = graph
        self._timing = timing = Timing(graph)
        self._labels = graph.labels()
        self._spans = {span.span_id: span for span in timing.spans}
        self._conversations = {
            span.trace_id: span.conversation_id for span in reversed(timing.spans) if span.conversation_id
        }
        self._kinds = [self._kind(i) for i in range(len(timing.spans))]
        self._busy: dict[int, dict[str, list[Interval]]] = {}
        self._calls: dict[int, list[ModelCall]] = {}
        self._tools: dict[int, int] = {}
        self._gather()

    def executions(self) -> Iterator[tuple[Span, Execution]]:
        for i, kind in enumerate(self._kinds):
            if kind is not None:
                yield self._timing.spans[i], self._execution(i, kind)

    def _kind(self, i: int) -> ExecutionKind | None:
        timing = self._timing
        if i in timing.calls:
            return ExecutionKind.MODEL
        if i in timing.ignored:
            return None
        span = timing.spans[i]
        kind = span.record_kind
        if kind is None:
            operation = span.columns.get(names.GEN_AI_OPERATION_NAME)
            kind = record_kind(operation) if isinstance(operation, str) else None
        if timing.agents[i] == i:
            return ExecutionKind.AGENT
        return _OF_RECORDS.get(RecordKind(kind)) if kind in _OF_RECORDS else None

    def _gather(self) -> None:
        """Give each execution the time, calls and tools of all that is inside it."""
        timing, parents = self._timing, self._graph.parents
        for i, kind in enumerate(self._kinds):
            part = timing.parts[i]
            if part == OWN and kind is None:
                continue
            above, seen = i, 0
            while above != _NOWHERE and seen <= len(parents):
                if self._kinds[above] is not None:
                    self._add(above, i, part, kind)
                above, seen = parents[above], seen + 1

    def _add(self, above: int, i: int, part: str, kind: ExecutionKind | None) -> None:
        timing = self._timing
        if part != OWN:
            self._busy.setdefault(above, {MODEL: [], TOOL: []})[part] += timing.self_times[i]
        if i in timing.calls:
            self._calls.setdefault(above, []).append(timing.calls[i])
        elif kind is ExecutionKind.TOOL:
            self._tools[above] = self._tools.get(above, 0) + 1

    def _execution(self, i: int, kind: ExecutionKind) -> Execution:
        timing, span, end = self._timing, self._timing.spans[i], self._graph.ends[i]
        busy = {part: _within(found, span.start_ns, end) for part, found in self._busy.get(i, {}).items()}
        models, tools = busy.get(MODEL, []), busy.get(TOOL, [])
        calls = self._calls.get(i, ())
        prices = [call.usd for call in calls if call.usd is not None]
        task = timing.tasks[i]
        error_type = self._error_type(span)
        return Execution(
            kind=kind.value,
            name=self._name(i, kind),
            agent=timing.agent(i) or span.agent,
            node=timing.node(i),
            task=None if task == _NOWHERE else self._labels[timing.spans[task].span_id],
            status=status_of(span),
            error_type=error_type,
            start_ns=span.start_ns,
            end_ns=None if span.end_ns is None else end,
            model_ns=length(union(models)),
            tool_ns=length(union(tools)),
            overhead_ns=max(0, end - span.start_ns - length(union([*models, *tools]))),
            model_calls=len(calls),
            tool_calls=self._tools.get(i, 0),
            input_tokens=sum(call.tokens(names.GEN_AI_USAGE_INPUT_TOKENS) for call in calls),
            output_tokens=sum(call.tokens(names.GEN_AI_USAGE_OUTPUT_TOKENS) for call in calls),
            cost_usd=math.fsum(prices) if prices else None,
            service=span.service,
            conversation=self._conversations.get(span.trace_id),
            trace_id=span.trace_id,
            span_id=span.span_id,
        )

    def _error_type(self, span: Span) -> str | None:
        """The type of its error; of one that only passed through it that of the span where it happened."""
        found = span.columns.get(names.ERROR_TYPE)
        if not found:
            origin = self._spans.get(str(span.columns.get(names.MAS_ERROR_SPAN) or "").rpartition("-")[2])
            found = None if origin is None else origin.columns.get(names.ERROR_TYPE)
        return str(found) if found else None

    def _name(self, i: int, kind: ExecutionKind) -> str:
        timing, span = self._timing, self._timing.spans[i]
        if kind is ExecutionKind.MODEL:
            return timing.calls[i].model or span.name
        if kind in (ExecutionKind.TOOL, ExecutionKind.RETRIEVAL):
            return timing.tool_name(i)
        return str((span.agent if kind is ExecutionKind.AGENT else span.task_name) or span.name)


def status_of(span: Span) -> str:
    """One of `STATUSES`: the outcome of a task, of other spans whether they failed."""
    if span.end_ns is None:
        return STOPPED if span.stopped else RUNNING
    outcome = span.columns.get(names.MAS_TASK_OUTCOME)
    if outcome in STATUSES:
        return str(outcome)
    return (TaskOutcome.ERROR if failed(span) else TaskOutcome.OK).value


def _within(intervals: Sequence[Interval], start: int, end: int) -> list[Interval]:
    return [(max(start, one), min(end, other)) for one, other in intervals if one < end and other > start]


__all__ = ["KINDS", "STATUSES", "SUCCEEDED", "Execution", "ExecutionKind", "executions", "status_of"]
