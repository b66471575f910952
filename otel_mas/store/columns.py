"""The columns of `Span.columns` in SQL: `otel_mas.model.columns` has the same attributes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from otel_mas.semconv import attributes as names


@dataclass(frozen=True, slots=True)
class Column:
    """An attribute with a column of its own. `json` columns hold arrays as JSON text, `boolean` ones 0 or 1."""

    attribute: str
    name: str
    type: str = "TEXT"
    json: bool = False
    boolean: bool = False

    def value(self, stored: Any) -> Any:
        """The attribute's value for the value of the column."""
        if stored is None:
            return None
        if self.json:
            return _array(stored)
        return bool(stored) if self.boolean else stored


# The order is part of the layout (spans.present counts by it): new ones go to the end, with a migration.
COLUMNS: tuple[Column, ...] = (
    Column(names.MAS_RECORD_KIND, "record_kind"),
    Column(names.GEN_AI_OPERATION_NAME, "operation"),
    Column(names.GEN_AI_AGENT_NAME, "agent"),
    Column(names.GEN_AI_CONVERSATION_ID, "conversation"),
    Column(names.MAS_TASK_ID, "task_id"),
    Column(names.MAS_TASK_NAME, "task_name"),
    Column(names.MAS_TASK_STEP, "task_step", "INTEGER"),
    Column(names.MAS_TASK_NAMESPACE, "task_namespace"),
    Column(names.MAS_TASK_OUTCOME, "task_outcome"),
    Column(names.MAS_RUN_OUTCOME, "run_outcome"),
    Column(names.MAS_CHECKPOINT_ID, "checkpoint_id"),
    Column(names.MAS_CHECKPOINT_LAST_ID, "checkpoint_last_id"),
    Column(names.GEN_AI_REQUEST_MODEL, "request_model"),
    Column(names.GEN_AI_RESPONSE_MODEL, "response_model"),
    Column(names.GEN_AI_PROVIDER_NAME, "provider"),
    Column(names.GEN_AI_TOOL_NAME, "tool"),
    Column(names.GEN_AI_TOOL_CALL_ID, "tool_call_id"),
    Column(names.GEN_AI_USAGE_INPUT_TOKENS, "input_tokens", "INTEGER"),
    Column(names.GEN_AI_USAGE_OUTPUT_TOKENS, "output_tokens", "INTEGER"),
    Column(names.GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS, "cache_read_tokens", "INTEGER"),
    Column(names.GEN_AI_USAGE_REASONING_OUTPUT_TOKENS, "reasoning_tokens", "INTEGER"),
    Column(names.MAS_COST_USD, "cost_usd", "REAL"),
    Column(names.MAS_COST_MISSING, "cost_missing"),
    Column(names.MAS_COST_SIMULATED, "cost_simulated", "INTEGER", boolean=True),
    Column(names.ERROR_TYPE, "error_type"),
    Column(names.MAS_ERROR_SPAN, "error_span"),
    Column(names.MAS_CAUSE_REFS, "cause_refs", json=True),
    Column(names.MAS_CHECKPOINT_PENDING, "checkpoint_pending", json=True),
    Column(names.MAS_TASK_INDEX, "task_index", "INTEGER"),
)

ATTRIBUTES: tuple[str, ...] = tuple(column.attribute for column in COLUMNS)
POSITION: Mapping[str, int] = {name: position for position, name in enumerate(ATTRIBUTES)}

_JSON = frozenset(position for position, column in enumerate(COLUMNS) if column.json)
_SCALARS = frozenset({str, float, bool, type(None)})
_INT64 = 2**63


def _array(stored: Any) -> tuple[Any, ...] | None:
    """An array of JSON text; None of a text that is none, which another program may have set as the attribute."""
    try:
        found = orjson.loads(stored)
    except ValueError:
        return None
    return tuple(found) if isinstance(found, list) else None


def column_values(attributes: Mapping[str, Any]) -> dict[int, object]:
    """The values of a span's columns by their place in `COLUMNS`; those that it has no attribute for are left out.

    A value that SQL cannot hold (an array where a string belongs, an integer past 64 bits) stays in the body only.
    """
    return placed_values({POSITION[name]: value for name, value in attributes.items() if name in POSITION})


def placed_values(attributes: Mapping[int, Any]) -> dict[int, object]:
    """As `column_values`, of attributes by their place."""
    values = {}
    for place in sorted(attributes):
        value = attributes[place]
        if place in _JSON:
            value = json_text(value)
        elif type(value) not in _SCALARS:
            value = _scalar(value)
        if value is not None:
            values[place] = value
    return values


def json_text(value: object) -> str | None:
    """JSON text of an array of strings; None where it is not one. Text passes as it is."""
    if isinstance(value, str):
        return value
    if isinstance(value, list | tuple):
        return orjson.dumps([str(item) for item in value]).decode()
    return None


def storable(value: object) -> object:
    """The value as SQLite can hold it: others become None, text loses lone surrogates."""
    value = _scalar(value)
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else value


def _scalar(value: object) -> object:
    if isinstance(value, int):
        return int(value) if -_INT64 <= value < _INT64 else None
    if isinstance(value, str):
        return str(value)
    return value if isinstance(value, float | None) else None


def present_in(bits: int) -> list[Column]:
    """The columns of a bit set: bit n is the n-th of `COLUMNS`."""
    return [column for place, column in enumerate(COLUMNS) if bits >> place & 1]


def attributes_of(values: Sequence[Any]) -> dict[str, Any]:
    """The attributes that the values of all columns stand for; those that are absent are left out."""
    return {
        column.attribute: column.value(value)
        for column, value in zip(COLUMNS, values, strict=True)
        if value is not None
    }
