"""Spans as a table: one row per span, over one trace or many."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from otel_mas.analyse.places import Place, places
from otel_mas.causal import CausalGraph
from otel_mas.model import Span
from otel_mas.model.frame import Column, Frame, finite, text, whole, widen
from otel_mas.semconv import attributes as names

SPANS = (
    Column("trace_id", "string", "32 hex digits"),
    Column("span_id", "string", "16 hex digits"),
    Column("parent_span_id", "string", "the span that it ran inside; missing on a root"),
    Column("name", "string", "the span's name"),
    Column("kind", "string", "INTERNAL, CLIENT, SERVER, PRODUCER, CONSUMER or UNSPECIFIED"),
    Column("record_kind", "string", "AGENT_TASK, LLM_CALL, TOOL_CALL, ...; missing on spans of other code"),
    Column("service", "string", "`service.name`"),
    Column("conversation", "string", "the thread; where the span says none, that of the spans around it"),
    Column("agent", "string", "the agent that it is or works for: the nearest one around it"),
    Column("task", "string", "the task that it is or belongs to"),
    Column("label", "string", "the task with its number, the same for every run of an app: `writer#1/section#2`"),
    Column("start", "time", "when it started (UTC)"),
    Column("end", "time", "when it ended (UTC); missing where it never did"),
    Column("duration_s", "number", "seconds; missing where it never ended"),
    Column("status", "string", "UNSET, OK or ERROR"),
    Column("error", "string", "`error.type`, where it failed"),
    Column("outcome", "string", "how a task or a run ended: ok, interrupted, handoff, error, cancelled, abandoned"),
    Column("model", "string", "the model that answered, or else the one asked"),
    Column("provider", "string", "`gen_ai.provider.name`"),
    Column("tool", "string", "the tool that was called"),
    Column("input_tokens", "integer", "tokens that the model read, with those from a cache"),
    Column("output_tokens", "integer", "tokens that the model wrote, with those spent on reasoning"),
    Column("cache_read_tokens", "integer", "part of the input tokens"),
    Column("reasoning_tokens", "integer", "part of the output tokens"),
    Column("cost_usd", "number", "USD; missing where no price is known"),
    Column("cost_simulated", "boolean", "a stand-in answered: nobody was charged"),
)


def spans(graphs: Iterable[CausalGraph], attributes: bool = False) -> Frame:
    """A row for each span of the graphs, in start order within each.

    Args:
        graphs: One for each trace, or for each conversation.
        attributes: A column for every attribute that any of the spans has, too.
    """
    rows: list[tuple[Any, ...]] = []
    found: list[Span] = []
    for graph in graphs:
        here = places(graph)
        rows.extend(_row(span, here[span.span_id]) for span in graph.spans)
        if attributes:
            found.extend(graph.spans)
    if not attributes:
        return Frame(SPANS, rows)
    named = dict.fromkeys(str(name) for span in found for name in span.attributes)
    more = [widen(name, [span.attributes.get(name) for span in found]) for name in sorted(named)]
    extra = zip(*(values for _, values in more), strict=True) if more else iter(((),) * len(found))
    return Frame(
        (*SPANS, *(column for column, _ in more)), [(*row, *rest) for row, rest in zip(rows, extra, strict=True)]
    )


def _row(span: Span, place: Place) -> tuple[Any, ...]:
    return tuple(_cells(span, place))


def _cells(span: Span, place: Place) -> Iterator[Any]:
    value = span.columns.get
    yield from (span.trace_id, span.span_id, span.parent_span_id, text(span.name) or "", span.kind.name)
    yield from (text(span.record_kind), text(span.service), text(place.conversation), text(place.agent))
    task = None if place.task is None else place.task.task_name or place.task.name
    yield from (text(task), text(place.label), span.start_ns, span.end_ns)
    yield None if span.end_ns is None else span.duration_ns / 1e9
    yield from (span.status.name, text(value(names.ERROR_TYPE)))
    yield text(value(names.MAS_TASK_OUTCOME) or value(names.MAS_RUN_OUTCOME))
    yield text(value(names.GEN_AI_RESPONSE_MODEL) or value(names.GEN_AI_REQUEST_MODEL))
    yield from (text(value(names.GEN_AI_PROVIDER_NAME)), text(value(names.GEN_AI_TOOL_NAME)))
    yield whole(value(names.GEN_AI_USAGE_INPUT_TOKENS))
    yield whole(value(names.GEN_AI_USAGE_OUTPUT_TOKENS))
    yield whole(value(names.GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS))
    yield whole(value(names.GEN_AI_USAGE_REASONING_OUTPUT_TOKENS))
    yield finite(value(names.MAS_COST_USD))
    simulated = value(names.MAS_COST_SIMULATED)
    yield simulated if isinstance(simulated, bool) else None
