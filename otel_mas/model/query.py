"""The query that finds traces, and what its fields mean for a span: the same for every source and every answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Final

from otel_mas.model.span import AttributeValue, Span
from otel_mas.semconv import attributes as names

SPAN_FIELDS: Final[Mapping[str, tuple[str, ...]]] = {
    "operation": (names.GEN_AI_OPERATION_NAME,),
    "tool": (names.GEN_AI_TOOL_NAME,),
    "model": (names.GEN_AI_RESPONSE_MODEL, names.GEN_AI_REQUEST_MODEL),
    "error_type": (names.ERROR_TYPE,),
}
"""Fields of a query that single spans answer: one of these attributes has the value. Each may be on another span."""


@dataclass(frozen=True, slots=True)
class Query:
    """A selection of traces. Every field that is set must match; the newest trace comes first."""

    service: str | None = None
    agent: str | None = None
    status: str | None = None
    """A `TraceStatus`."""
    conversation_id: str | None = None
    run_id: str | None = None
    operation: str | None = None
    """`gen_ai.operation.name` of some span; this and the next three as `SPAN_FIELDS` says."""
    tool: str | None = None
    model: str | None = None
    """That was asked for, or that answered."""
    error_type: str | None = None
    attributes: tuple[tuple[str, str], ...] = ()
    """Names and values as text: each is an attribute of some span, or of its resource. See `has_attribute`."""
    min_duration_ns: int | None = None
    max_duration_ns: int | None = None
    since_ns: int | None = None
    """Traces that started at or after this time (ns since the epoch)."""
    until_ns: int | None = None
    """Traces that started at or before this time (ns since the epoch)."""
    ended_since_ns: int | None = None
    """Traces that had not ended before this time (ns since the epoch)."""
    limit: int = 20

    def asked(self) -> dict[str, Any]:
        """The fields that are set, but for the limit."""
        values = {field.name: getattr(self, field.name) for field in fields(self) if field.name != "limit"}
        return {name: value for name, value in values.items() if value is not None and value != ()}

    def span_values(self) -> list[tuple[str, str]]:
        """The `SPAN_FIELDS` that are set, each with its value."""
        return [(name, value) for name in SPAN_FIELDS if (value := getattr(self, name)) is not None]


def attribute_text(value: AttributeValue) -> str | None:
    """A scalar as the text that it is compared by: `true`, `2` for 2 and 2.0; None for anything else."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value) if isinstance(value, str | int | float) else None


def is_value(value: AttributeValue, wanted: str) -> bool:
    """Whether an attribute's value, or one item of an array, is this text."""
    if isinstance(value, list | tuple):
        return any(attribute_text(item) == wanted for item in value)
    return attribute_text(value) == wanted


def has_attribute(span: Span, name: str, wanted: str) -> bool:
    """Whether a span, or the process that emitted it, has an attribute with this value. Decodes the body if it must."""
    return is_value(span.resource.attributes.get(name), wanted) or is_value(span.get(name), wanted)


def is_about(span: Span, query: Query) -> bool:
    """Whether a single span has the `SPAN_FIELDS` that a query asks for."""
    return all(
        any(span.columns.get(name) == value for name in SPAN_FIELDS[field]) for field, value in query.span_values()
    )
