"""Answers as JSON documents. Fields are stable: new ones may be added, none changes its meaning or is removed.

The forms are the one table of columns of each answer: data frames (`otel_mas.report.frame`) and docs/cli.md are made of
them.
"""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from typing import Annotated, Any, TypedDict

from otel_mas.analyse.cost import CostRow, CostTable
from otel_mas.analyse.questions import Question
from otel_mas.causal import CHILD, CausalGraph, CriticalPath, Edge, Step, StepKind
from otel_mas.model import Event, Link, PartialList, Span, TraceSummary
from otel_mas.report.decisions import Reasons
from otel_mas.report.json.fields import OMITTED, PROBABILITY, PROBLEMS, TIME, InFrames
from otel_mas.report.json.profile import FunctionForm as FunctionForm
from otel_mas.report.json.profile import HotSpotForm as HotSpotForm
from otel_mas.report.json.profile import ProfileDocument as ProfileDocument
from otel_mas.report.json.profile import ProfileRowForm as ProfileRowForm
from otel_mas.report.json.profile import profile as profile
from otel_mas.report.task_labels import TaskLabels

# The second part of each Annotated documents the field.


class TraceForm(TypedDict):
    trace_id: Annotated[str, "32 hex digits"]
    name: Annotated[str, "name of the root span"]
    service: Annotated[str, "`service.name`"]
    conversation_id: Annotated[str | None, "the thread, where it belongs to one", InFrames("conversation")]
    status: Annotated[
        str,
        "ok, interrupted (waits for input), error, cancelled, abandoned, running or stopped (its process ended first)",
    ]
    overdue: Annotated[
        bool | None, "a question waits, or did, for longer than OTEL_MAS_INPUT_TIMEOUT; null without", OMITTED
    ]
    start_ns: Annotated[int, f"when it started{TIME}"]
    end_ns: Annotated[int | None, f"when it ended{TIME}; null while it runs"]
    duration_ns: Annotated[int | None, "nanoseconds; null while it runs"]
    span_count: Annotated[int, "number of spans", InFrames("spans")]
    error_count: Annotated[int, "number of failed spans", InFrames("errors")]
    agents: Annotated[list[str], "the agents that took part"]
    input_tokens: Annotated[int, "tokens that models read"]
    output_tokens: Annotated[int, "tokens that models wrote"]
    cost_usd: Annotated[float | None, "USD of the calls that have a price; null where none has"]
    unpriced_calls: Annotated[int, "calls without a known price; `cost_usd` leaves them out"]
    simulated: Annotated[bool, "costs of stand-ins for models are in it: nobody was charged for those"]
    incomplete: Annotated[str | None, "what is known to be missing, in words"]
    error_message: Annotated[str | None, "of the error that ended it, where a local store keeps it; else null", OMITTED]


class TracesDocument(TypedDict):
    traces: Annotated[list[TraceForm], "newest first"]
    incomplete: Annotated[str | None, "which traces the source may have left out, in words; null where none"]


class LinkForm(TypedDict):
    trace_id: Annotated[str, "trace of the cause"]
    span_id: Annotated[str, "span of the cause"]
    kind: Annotated[str | None, "`mas.link.kind`; null on links of other code"]


class EventForm(TypedDict):
    name: Annotated[str, "e.g. exception"]
    time_ns: Annotated[int, "nanoseconds since the Unix epoch"]
    attributes: Annotated[dict[str, Any], "by name"]


class SpanForm(TypedDict):
    trace_id: Annotated[str, "32 hex digits"]
    span_id: Annotated[str, "16 hex digits"]
    parent_span_id: Annotated[str | None, "null on a root"]
    name: Annotated[str, "the span's name"]
    kind: Annotated[str, "INTERNAL, CLIENT, SERVER, PRODUCER, CONSUMER or UNSPECIFIED"]
    service: Annotated[str, "`service.name`"]
    start_ns: Annotated[int, "nanoseconds since the Unix epoch"]
    end_ns: Annotated[int | None, "nanoseconds since the Unix epoch; null where it never ended"]
    status: Annotated[str, "UNSET, OK or ERROR"]
    status_message: Annotated[str, "words that came with the status"]
    attributes: Annotated[dict[str, Any], "every attribute, by name; bytes as hex"]
    links: Annotated[list[LinkForm], "the span's causes, as links"]
    events: Annotated[list[EventForm], "what happened during the span"]
    reason: Annotated[str | None, "why it decided so: of a routing decision, guardrail or grade; null where not kept"]
    error_message: Annotated[str | None, "of the error that happened in it; null where none did, or it is not kept"]


class QuestionForm(TypedDict):
    trace_id: Annotated[str, "trace of the task that asked"]
    span_id: Annotated[str, "the task that asked"]
    task: Annotated[str, "its name"]
    interrupt_ids: Annotated[list[str], "`mas.interrupt.ids`"]
    state: Annotated[
        str,
        "waiting, answered, written (by `update_state` as the task) or dropped (the thread went on without it)",
    ]
    asked_ns: Annotated[int, "nanoseconds since the Unix epoch"]
    ended_ns: Annotated[int | None, "when it was answered or dropped; null while it waits"]
    waited_ns: Annotated[int, "nanoseconds, until now where it waits"]
    timeout_ns: Annotated[int | None, "within how long it was to be answered; null where nobody said"]
    overdue: Annotated[bool, "it waits, or was answered after waiting, for longer than that"]
    answer_trace_id: Annotated[str | None, "trace of the answer"]
    answer_span_id: Annotated[str | None, "the answer: a HUMAN_INPUT span, or that of the update"]


class SpansDocument(TypedDict):
    spans: Annotated[list[SpanForm], "in start order"]
    questions: Annotated[list[QuestionForm], "what people were asked, in the order of asking"]
    problems: Annotated[list[str], PROBLEMS]


class NodeForm(TypedDict):
    span_id: Annotated[str, "16 hex digits"]
    trace_id: Annotated[str, "32 hex digits"]
    name: Annotated[str, "the span's name"]
    record_kind: Annotated[str | None, "`mas.record.kind`"]
    task_id: Annotated[str | None, "`mas.task.id`, on tasks"]
    label: Annotated[str, "a task's name, numbered where several tasks share it; else the span's name"]
    held_by: Annotated[
        str | None,
        "span id of the task, no cause of it, whose end it waited for most, as its step could begin only then",
    ]
    start_ns: Annotated[int, "nanoseconds since the Unix epoch"]
    end_ns: Annotated[int | None, "nanoseconds since the Unix epoch; null where it never ended"]


class EdgeForm(TypedDict):
    cause: Annotated[str, "span id of the cause"]
    effect: Annotated[str, "span id of the effect"]
    kind: Annotated[str, "child (it ran inside), or a `mas.link.kind`: trigger, send, handoff, call, resume, ..."]
    provenance: Annotated[str, "recorded, metadata (joined by stable keys, exact) or inferred"]
    probability: Annotated[float | None, PROBABILITY]
    cause_label: Annotated[str | None, "name of the cause; null where it lies in another trace"]
    effect_label: Annotated[str, "name of the effect"]
    gap_ns: Annotated[
        int | None,
        "nanoseconds from the end of the cause to the start of the effect; below 0 where the cause went on; "
        "null for child, and where the cause has not ended or lies in another trace",
    ]


class GraphDocument(TypedDict):
    nodes: Annotated[list[NodeForm], "every span, in start order"]
    edges: Annotated[list[EdgeForm], "from cause to effect"]
    possible_edges: Annotated[list[EdgeForm], "causes that are less likely than not, and that nothing follows"]
    externals: Annotated[list[str], "span ids of causes that lie in other traces"]
    questions: Annotated[list[QuestionForm], "what people were asked, in the order of asking"]
    problems: Annotated[list[str], PROBLEMS]


class StepForm(TypedDict):
    kind: Annotated[str, "span, framework, waiting for input or waiting in queue"]
    span_id: Annotated[str | None, "the span it belongs to, where there is one"]
    trace_id: Annotated[str | None, "its trace"]
    label: Annotated[str | None, "task and span, for people"]
    task: Annotated[str | None, "the task that it is the work of"]
    record_kind: Annotated[str | None, "AGENT_TASK, LLM_CALL, TOOL_CALL, ...; null on spans of other code"]
    start_ns: Annotated[int, f"when it started{TIME}"]
    end_ns: Annotated[int, f"when it ended{TIME}; the next one starts there"]
    duration_ns: Annotated[int, "nanoseconds; all steps sum to the duration of the whole"]
    why: Annotated[str, "why the next step waited for this one"]
    held_by: Annotated[str | None, "span id of the task without which a framework step would have been short", OMITTED]


class CriticalPathDocument(TypedDict):
    total_ns: Annotated[int, "nanoseconds; the steps sum to it"]
    steps: Annotated[list[StepForm], "in time order, without gaps or overlaps"]
    problems: Annotated[list[str], PROBLEMS]


class CostForm(TypedDict):
    by: Annotated[str, "agent, model or total: rows by agent, and those by model, add up to the total"]
    name: Annotated[str | None, "the agent or model; null outside any agent, without a model's name, or for the total"]
    calls: Annotated[int, "model calls"]
    input_tokens: Annotated[int, "with those read from a cache"]
    output_tokens: Annotated[int, "with those spent on reasoning"]
    cache_read_tokens: Annotated[int, "part of the input tokens"]
    reasoning_tokens: Annotated[int, "part of the output tokens"]
    usd: Annotated[float | None, "USD of the calls that have a price; null where none has"]
    unpriced: Annotated[int, "calls without a known price; `usd` leaves them out"]
    simulated: Annotated[bool, "a stand-in answered some of the calls: nobody was charged for them"]


class UnpricedForm(TypedDict):
    trace_id: Annotated[str, "32 hex digits"]
    span_id: Annotated[str, "16 hex digits"]
    model: Annotated[str | None, "its name, where it has one"]
    agent: Annotated[str | None, "the agent that made the call"]
    reason: Annotated[str, "why there is no price"]


class CostDocument(TypedDict):
    by_agent: Annotated[list[CostForm], "the dearest first; adds up to `total`"]
    by_model: Annotated[list[CostForm], "the dearest first; adds up to `total`"]
    total: Annotated[CostForm, "all model calls"]
    unpriced: Annotated[list[UnpricedForm], "the calls without a known price"]
    problems: Annotated[list[str], PROBLEMS]


def traces(
    summaries: Sequence[TraceSummary],
    overdue: Container[str] | None = None,
    error_messages: Mapping[str, str] | None = None,
) -> TracesDocument:
    """`otel-mas traces --json`.

    Args:
        summaries: The traces, newest first.
        overdue: The ids of those with an overdue question; None where nobody looked.
        error_messages: Of the errors that ended them, by trace id.
    """
    messages = error_messages or {}
    return {
        "traces": [
            _summary(one, None if overdue is None else one.trace_id in overdue, messages.get(one.trace_id))
            for one in summaries
        ],
        "incomplete": summaries.incomplete if isinstance(summaries, PartialList) else None,
    }


def _summary(summary: TraceSummary, overdue: bool | None, error_message: str | None) -> TraceForm:
    return {
        "trace_id": summary.trace_id,
        "name": summary.name,
        "service": summary.service,
        "conversation_id": summary.conversation_id,
        "status": summary.status,
        "overdue": overdue,
        "start_ns": summary.start_ns,
        "end_ns": summary.end_ns,
        "duration_ns": summary.duration_ns,
        "span_count": summary.span_count,
        "error_count": summary.error_count,
        "agents": list(summary.agents),
        "input_tokens": summary.input_tokens,
        "output_tokens": summary.output_tokens,
        "cost_usd": summary.cost_usd,
        "unpriced_calls": summary.unpriced_calls,
        "simulated": summary.simulated,
        "incomplete": summary.incomplete,
        "error_message": error_message,
    }


def spans(
    found: Sequence[Span],
    problems: Sequence[str],
    asked: Sequence[Question] = (),
    reasons: Reasons | None = None,
    error_messages: Mapping[str, str] | None = None,
) -> SpansDocument:
    """`otel-mas show --json`; `reasons` and `error_messages` by span id."""
    reasons, messages = reasons or {}, error_messages or {}
    return {
        "spans": [_span(span, reasons.get(span.span_id), messages.get(span.span_id)) for span in found],
        "questions": [_question(one) for one in asked],
        "problems": list(problems),
    }


def _question(one: Question) -> QuestionForm:
    first, answer = one.paused[0], one.answer
    return {
        "trace_id": first.trace_id,
        "span_id": first.span_id,
        "task": first.task_name or first.name,
        "interrupt_ids": list(one.ids),
        "state": str(one.state),
        "asked_ns": one.asked_ns,
        "ended_ns": one.ended_ns,
        "waited_ns": one.waited_ns,
        "timeout_ns": one.timeout_ns,
        "overdue": one.overdue,
        "answer_trace_id": None if answer is None else answer.trace_id,
        "answer_span_id": None if answer is None else answer.span_id,
    }


def _span(span: Span, reason: str | None, error_message: str | None) -> SpanForm:
    return {
        "trace_id": span.trace_id,
        "span_id": span.span_id,
        "parent_span_id": span.parent_span_id,
        "name": span.name,
        "kind": span.kind.name,
        "service": span.service,
        "start_ns": span.start_ns,
        "end_ns": span.end_ns,
        "status": span.status.name,
        "status_message": span.status_message,
        "attributes": values(span.attributes),
        "links": [link(one) for one in span.links],
        "events": [event(one) for one in span.events],
        "reason": reason,
        "error_message": error_message,
    }


def link(one: Link) -> LinkForm:
    """A span link."""
    return {"trace_id": one.trace_id, "span_id": one.span_id, "kind": one.kind}


def event(one: Event) -> EventForm:
    """An event of a span."""
    return {"name": one.name, "time_ns": one.time_ns, "attributes": values(one.attributes)}


def values(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """Values by name, as JSON can hold them."""
    return {str(name): _value(value) for name, value in attributes.items()}


def _value(value: Any) -> Any:
    """An OTLP value as JSON can hold it."""
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, Mapping):
        return values(value)
    if isinstance(value, (list, tuple)):
        return [_value(item) for item in value]
    return value


def graph(causal: CausalGraph, problems: Sequence[str], asked: Sequence[Question] = ()) -> GraphDocument:
    """`otel-mas graph --json`."""
    labels = TaskLabels(causal)
    spans = {span.span_id: span for span in causal.spans}
    return {
        "nodes": [_node(span, labels, causal.held_by(span.span_id)) for span in causal.spans],
        "edges": edges(causal, labels),
        "possible_edges": [_edge(edge, spans, labels) for edge in causal.possible_edges],
        "externals": list(causal.externals),
        "questions": [_question(one) for one in asked],
        "problems": list(problems),
    }


def edges(causal: CausalGraph, labels: TaskLabels) -> list[EdgeForm]:
    """Edges in start order of the effects."""
    spans = {span.span_id: span for span in causal.spans}
    return [_edge(edge, spans, labels) for edge in causal.edges]


def _edge(edge: Edge, spans: Mapping[str, Span], labels: TaskLabels) -> EdgeForm:
    cause, effect = spans.get(edge.cause), spans[edge.effect]
    ended = None if cause is None or edge.kind == CHILD else cause.end_ns
    return {
        "cause": edge.cause,
        "effect": edge.effect,
        "kind": edge.kind,
        "provenance": edge.provenance,
        "probability": edge.probability,
        "cause_label": None if cause is None else labels.label(cause),
        "effect_label": labels.label(effect),
        "gap_ns": None if ended is None else effect.start_ns - ended,
    }


def _node(span: Span, labels: TaskLabels, holder: Span | None) -> NodeForm:
    return {
        "span_id": span.span_id,
        "trace_id": span.trace_id,
        "name": span.name,
        "record_kind": span.record_kind,
        "task_id": span.task_id,
        "label": labels.label(span),
        "held_by": None if holder is None else holder.span_id,
        "start_ns": span.start_ns,
        "end_ns": span.end_ns,
    }


def critical_path(causal: CausalGraph, path: CriticalPath, problems: Sequence[str]) -> CriticalPathDocument:
    """`otel-mas critical-path --json`."""
    labels = TaskLabels(causal)
    return {
        "total_ns": path.total_ns,
        "steps": [_step(step, labels) for step in path.sections],
        "problems": list(problems),
    }


def _step(step: Step, labels: TaskLabels) -> StepForm:
    span = step.span
    task = None if span is None or step.kind != StepKind.SPAN else labels.task(span)
    return {
        "kind": step.kind.value,
        "span_id": None if span is None else span.span_id,
        "trace_id": None if span is None else span.trace_id,
        "label": None if span is None else labels.path_label(span),
        "task": None if task is None else labels.label(task),
        "record_kind": None if span is None else span.record_kind,
        "start_ns": step.start_ns,
        "end_ns": step.end_ns,
        "duration_ns": step.duration_ns,
        "why": step.why,
        "held_by": None if step.held_by is None else step.held_by.span_id,
    }


def cost(table: CostTable, problems: Sequence[str]) -> CostDocument:
    """`otel-mas cost --json`."""
    return {
        "by_agent": [_cost_row("agent", row) for row in table.by_agent],
        "by_model": [_cost_row("model", row) for row in table.by_model],
        "total": _cost_row("total", table.total),
        "unpriced": [
            {
                "trace_id": call.trace_id,
                "span_id": call.span_id,
                "model": call.model,
                "agent": call.agent,
                "reason": call.reason,
            }
            for call in table.unpriced
        ],
        "problems": list(problems),
    }


def _cost_row(by: str, row: CostRow) -> CostForm:
    return {
        "by": by,
        "name": row.name,
        "calls": row.calls,
        "input_tokens": row.input_tokens,
        "output_tokens": row.output_tokens,
        "cache_read_tokens": row.cache_read_tokens,
        "reasoning_tokens": row.reasoning_tokens,
        "usd": row.usd,
        "unpriced": row.unpriced,
        "simulated": row.simulated,
    }
