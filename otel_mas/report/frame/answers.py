"""Lists of traces, edges, critical paths and costs as tables."""

from __future__ import annotations

from collections.abc import Sequence

from otel_mas.analyse.cost import CostRow, CostTable
from otel_mas.causal import CausalGraph, CriticalPath
from otel_mas.model import TraceSummary
from otel_mas.report.frame.table import Column, Frame, text
from otel_mas.report.task_labels import TaskLabels

TRACES = (
    Column("trace_id", "string", "32 hex digits"),
    Column("name", "string", "name of the root span"),
    Column("service", "string", "`service.name`"),
    Column("conversation", "string", "the thread, where it belongs to one"),
    Column(
        "status",
        "string",
        "ok, interrupted (waits for input), error, cancelled, abandoned, running or stopped (its process ended first)",
    ),
    Column("start", "time", "when it started (UTC)"),
    Column("end", "time", "when it ended (UTC); missing while it runs"),
    Column("duration_s", "number", "seconds; missing while it runs"),
    Column("spans", "integer", "how many spans"),
    Column("errors", "integer", "how many of them failed"),
    Column("agents", "strings", "the agents that took part"),
    Column("input_tokens", "integer", "tokens that models read"),
    Column("output_tokens", "integer", "tokens that models wrote"),
    Column("cost_usd", "number", "USD of the calls that have a price; missing where none has"),
    Column("unpriced_calls", "integer", "calls without a known price; `cost_usd` leaves them out"),
    Column("simulated", "boolean", "costs of stand-ins for models are in it: nobody was charged for those"),
    Column("incomplete", "string", "what is known to be missing, in words"),
)

EDGES = (
    Column("cause", "string", "span id of the cause"),
    Column("effect", "string", "span id of the effect"),
    Column("kind", "string", "child (it ran inside), or trigger, send, handoff, call, resume, retry, ..."),
    Column("provenance", "string", "recorded, metadata (joined by stable keys, exact) or inferred"),
    Column("cause_label", "string", "name of the cause; missing where it lies in another trace"),
    Column("effect_label", "string", "name of the effect"),
    Column(
        "gap_s",
        "number",
        "seconds from the end of the cause to the start of the effect; below 0 where the cause went on",
    ),
)

STEPS = (
    Column("kind", "string", "span, framework or waiting for input"),
    Column("trace_id", "string", "trace of the span"),
    Column("span_id", "string", "the span it belongs to, where there is one"),
    Column("label", "string", "task and span, for people"),
    Column("task", "string", "the task that it is the work of"),
    Column("record_kind", "string", "AGENT_TASK, LLM_CALL, TOOL_CALL, ...; missing on spans of other code"),
    Column("start", "time", "when it started (UTC)"),
    Column("end", "time", "when it ended (UTC): the next one starts there"),
    Column("duration_s", "number", "seconds; all steps sum to the duration of the whole"),
    Column("why", "string", "why the next step waited for this one"),
)

COSTS = (
    Column("by", "string", "agent or model: each of the two groupings adds up to the total"),
    Column("name", "string", "the agent or model; missing outside any agent, or without a model's name"),
    Column("calls", "integer", "model calls"),
    Column("input_tokens", "integer", "with those read from a cache"),
    Column("output_tokens", "integer", "with those spent on reasoning"),
    Column("cache_read_tokens", "integer", "part of the input tokens"),
    Column("reasoning_tokens", "integer", "part of the output tokens"),
    Column("usd", "number", "USD of the calls that have a price; missing where none has"),
    Column("unpriced", "integer", "calls without a known price; `usd` leaves them out"),
    Column("simulated", "boolean", "a stand-in answered some of the calls: nobody was charged for them"),
)


def traces(summaries: Sequence[TraceSummary]) -> Frame:
    """A row for each trace, in the order given."""
    return Frame(
        TRACES,
        [
            (
                one.trace_id,
                text(one.name),
                text(one.service),
                text(one.conversation_id),
                one.status,
                one.start_ns,
                one.end_ns,
                None if one.duration_ns is None else one.duration_ns / 1e9,
                one.span_count,
                one.error_count,
                [text(agent) or "" for agent in one.agents],
                one.input_tokens,
                one.output_tokens,
                one.cost_usd,
                one.unpriced_calls,
                one.simulated,
                one.incomplete,
            )
            for one in summaries
        ],
    )


def edges(causal: CausalGraph) -> Frame:
    """A row for each edge, in start order of the effects."""
    labels = TaskLabels(causal)
    spans = {span.span_id: span for span in causal.spans}

    def gap(cause: str, effect: str, kind: str) -> float | None:
        ended = spans[cause].end_ns if cause in spans else None
        return None if ended is None or kind == "child" else (spans[effect].start_ns - ended) / 1e9

    return Frame(
        EDGES,
        [
            (
                edge.cause,
                edge.effect,
                edge.kind,
                edge.provenance,
                text(labels.label(spans[edge.cause])) if edge.cause in spans else None,
                text(labels.label(spans[edge.effect])),
                gap(edge.cause, edge.effect, edge.kind),
            )
            for edge in causal.edges
        ],
    )


def critical_path(causal: CausalGraph, path: CriticalPath) -> Frame:
    """A row for each step, in time order."""
    labels = TaskLabels(causal)
    rows = []
    for step in path.sections:
        span = step.span
        task = None if span is None or step.kind != "span" else labels.task(span)
        rows.append(
            (
                step.kind,
                None if span is None else span.trace_id,
                None if span is None else span.span_id,
                None if span is None else text(labels.path_label(span)),
                None if task is None else text(labels.label(task)),
                None if span is None else text(span.record_kind),
                step.start_ns,
                step.end_ns,
                step.duration_ns / 1e9,
                text(step.why) or "",
            )
        )
    return Frame(STEPS, rows)


def cost(table: CostTable) -> Frame:
    """A row for each agent, then one for each model; the dearest first. No row for the total: it would be added up."""
    rows = [("agent", row) for row in table.by_agent] + [("model", row) for row in table.by_model]
    return Frame(COSTS, [_cost(by, row) for by, row in rows])


def _cost(by: str, row: CostRow) -> tuple[object, ...]:
    numbers = (row.calls, row.input_tokens, row.output_tokens, row.cache_read_tokens, row.reasoning_tokens)
    return (by, text(row.name), *numbers, row.usd, row.unpriced, row.simulated)
