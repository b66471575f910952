"""Spans as flat tags, for forms of files that have no more: arrays as JSON text, scope and status as tags."""

from __future__ import annotations

import math
from base64 import b64encode
from collections.abc import Iterator, Mapping
from typing import Any, Final

import orjson

from otel_mas.model import Span, SpanKind, StatusCode
from otel_mas.privacy.policy import Rule, holds_text, rule
from otel_mas.semconv import attributes as names

Tag = str | int | float | bool

SPAN_KIND: Final = "span.kind"
SCOPE_NAME: Final = "otel.scope.name"
SCOPE_VERSION: Final = "otel.scope.version"
STATUS_CODE: Final = "otel.status_code"
STATUS_MESSAGE: Final = "otel.status_description"
MICROSECOND_NS: Final = 1_000


def span_tags(span: Span, *, content: bool) -> Iterator[tuple[str, Tag]]:
    """Tags of a span, those of its scope and status among them, as OpenTelemetry names them for such forms.

    Args:
        content: with messages, arguments, results, and the status message, which mostly is an exception's.
    """
    yield from attribute_tags(span.attributes, content=content)
    if span.scope.name:
        yield SCOPE_NAME, span.scope.name
    if span.scope.version:
        yield SCOPE_VERSION, span.scope.version
    if span.status is not StatusCode.UNSET:
        yield STATUS_CODE, span.status.name
    if content and span.status_message:
        yield STATUS_MESSAGE, span.status_message


def attribute_tags(attributes: Mapping[str, Any], *, content: bool) -> Iterator[tuple[str, Tag]]:
    """Attributes, an array or a mapping as JSON text. Without `content` those that may leave."""
    for name, value in attributes.items():
        if value is not None and (content or _may_leave(name, value)):
            yield name, value if isinstance(value, str | int) or _is_finite(value) else _text(value)


def kind_of(span: Span) -> str | None:
    """The kind as a word; None where the span has none."""
    return None if span.kind is SpanKind.UNSPECIFIED else span.kind.name


def microseconds(span: Span) -> tuple[int, int]:
    """Start and duration in µs, rounded so that a span which lies in another one still does."""
    start, end = span.start_ns // MICROSECOND_NS, span.last_ns // MICROSECOND_NS
    return start, max(0, end - start)


def process_attributes(span: Span) -> Mapping[str, Any]:
    """Attributes of the process that recorded a span, but for its name, for which such forms have a field."""
    return {name: value for name, value in span.resource.attributes.items() if name != names.SERVICE_NAME}


def _may_leave(name: str, value: Any) -> bool:
    known = rule(name)
    return known is Rule.KEEP or (known is Rule.WITHHOLD_TEXT and not holds_text(value))


def _is_finite(value: Any) -> bool:
    return isinstance(value, float) and math.isfinite(value)


def _text(value: Any) -> str:
    """Text for a value that JSON has not, or that a tag cannot be; bytes in base64, as OTLP/JSON has them."""
    if isinstance(value, bytes):
        return b64encode(value).decode()
    return str(value) if isinstance(value, float) else orjson.dumps(value, default=_text).decode()


__all__ = [
    "MICROSECOND_NS",
    "SCOPE_NAME",
    "SCOPE_VERSION",
    "SPAN_KIND",
    "STATUS_CODE",
    "STATUS_MESSAGE",
    "attribute_tags",
    "kind_of",
    "microseconds",
    "process_attributes",
    "span_tags",
]
