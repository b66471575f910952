"""The same batch with every value in a form that SQLite can hold: slow, for the batch that was refused."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from otel_mas.store.columns import COLUMNS, json_text, storable
from otel_mas.store.rows import Batch, ContentRow, MessageRow, OpenRow, SpanRow

_LAST_NS = 2**63 - 1


def sanitised(batch: Batch) -> Batch:
    """Values that do not fit are left out of the columns (the body still has them); text loses lone surrogates."""
    return Batch(
        spans=[_span(row) for row in batch.spans],
        opened=[_opened(row) for row in batch.opened],
        messages=[MessageRow(row.digest, _text(row.role), row.body) for row in batch.messages],
        message_refs=batch.message_refs,
        contents=[ContentRow(row.trace_id, row.span_id, _text(row.name), row.value) for row in batch.contents],
        incomplete={trace_id: _text(reason) for trace_id, reason in batch.incomplete.items()},
        drops=batch.drops,
        dropped_spans=batch.dropped_spans,
        dropped=batch.dropped,
        redacted=batch.redacted,
    )


def _span(row: SpanRow) -> SpanRow:
    return replace(
        row,
        name=_text(row.name),
        start_ns=_time(row.start_ns),
        end_ns=_time(row.end_ns),
        columns=_columns(row.columns),
        links=tuple((trace, span, None if kind is None else _text(kind)) for trace, span, kind in row.links),
    )


def _opened(row: OpenRow) -> OpenRow:
    return replace(row, name=_text(row.name), start_ns=_time(row.start_ns), columns=_columns(row.columns))


def _columns(values: dict[int, Any]) -> dict[int, object]:
    stored = {place: storable(json_text(value) if COLUMNS[place].json else value) for place, value in values.items()}
    return {place: value for place, value in stored.items() if value is not None}


def _text(value: object) -> str:
    return str(value).encode("utf-8", "replace").decode()


def _time(value: int) -> int:
    return min(max(0, int(value)), _LAST_NS)
