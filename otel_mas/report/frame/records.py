"""Trace records as a table: a row for each, with the descriptions of their fields."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from otel_mas.model.frame import Column, Frame, text, whole
from otel_mas.trace_records.payload import json_text
from otel_mas.trace_records.record import TokenCost, TraceRecord


def _described(name: str, type_: str = "string") -> Column:
    return Column(name, type_, TraceRecord.model_fields[name].description or "")


def _amount(field: str, type_: str, column: str) -> Column:
    return Column(column, type_, TokenCost.model_fields[field].description or "")


RECORDS = (
    _described("trace_id"),
    _described("span_id"),
    _described("event_type"),
    Column("timestamp", "time", "when it began (UTC)"),
    Column("duration_s", "number", "seconds until it ended; missing where it has not"),
    _described("agent_name"),
    _described("parent_id"),
    Column("parents", "strings", "all causes, each as kind and span_id"),
    _described("parent_span_id"),
    _described("name"),
    _described("task"),
    _described("status"),
    _described("payload"),
    _described("payload_truncated", "boolean"),
    _amount("prompt", "integer", "prompt_tokens"),
    _amount("completion", "integer", "completion_tokens"),
    _amount("cached", "integer", "cached_tokens"),
    _amount("reasoning", "integer", "reasoning_tokens"),
    _amount("usd", "number", "cost_usd"),
    _described("modality"),
    _described("conversation_id"),
    _described("service"),
)


def records(found: Iterable[TraceRecord]) -> Frame:
    """A row for each record, in the order given; a payload is JSON text."""
    return Frame(RECORDS, map(_row, found))


def _row(record: TraceRecord) -> tuple[Any, ...]:
    cost = record.token_cost or TokenCost()
    return (
        text(record.trace_id),
        text(record.span_id),
        record.event_type.value,
        record.timestamp,
        None if record.is_open else record.duration_ns / 1e9,
        text(record.agent_name),
        text(record.parent_id),
        [text(f"{parent.kind} {parent.span_id}") for parent in record.parents],
        text(record.parent_span_id),
        text(record.name),
        text(record.task),
        record.status,
        None if record.payload is None else json_text(record.payload),
        record.payload_truncated,
        whole(cost.prompt),
        whole(cost.completion),
        whole(cost.cached),
        whole(cost.reasoning),
        cost.usd,
        record.modality.value,
        text(record.conversation_id),
        text(record.service),
    )


__all__ = ["RECORDS", "records"]
