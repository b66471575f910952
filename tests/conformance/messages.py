"""Short ways to write OTLP messages by hand."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

from opentelemetry.proto.common.v1.common_pb2 import (
    AnyValue,
    ArrayValue,
    InstrumentationScope,
    KeyValue,
    KeyValueList,
)
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span, Status, TracesData

from otel_mas.semconv import attributes as names

MS = 10**6
BASE_NS = (time.time_ns() // 10**9 - 3600) * 10**9
"""An hour ago: backends delete what is old, and a search asks for what is new."""

OURS = InstrumentationScope(name="otel_mas", version="1.2")
OTHERS = InstrumentationScope(name="conformance", version="1.2")
"""Of another instrumentation: causes that it does not record are worked out."""


def trace_id(number: int) -> str:
    return f"{0xC0DE << 112 | number:032x}"


def span_id(number: int) -> str:
    return f"{0xA << 60 | number:016x}"


def pairs(attributes: Mapping[str, Any]) -> list[KeyValue]:
    return [KeyValue(key=name, value=value_of(value)) for name, value in attributes.items()]


def value_of(value: Any) -> AnyValue:
    if value is None:
        return AnyValue()
    if isinstance(value, bool):
        return AnyValue(bool_value=value)
    if isinstance(value, int):
        return AnyValue(int_value=value)
    if isinstance(value, float):
        return AnyValue(double_value=value)
    if isinstance(value, bytes):
        return AnyValue(bytes_value=value)
    if isinstance(value, dict):
        return AnyValue(kvlist_value=KeyValueList(values=pairs(value)))
    if isinstance(value, tuple):
        return AnyValue(array_value=ArrayValue(values=map(value_of, value)))
    return AnyValue(string_value=value)


def link(trace: int, span: int, attributes: Mapping[str, Any] | None = None, **fields: Any) -> Span.Link:
    return Span.Link(
        trace_id=bytes.fromhex(trace_id(trace)),
        span_id=bytes.fromhex(span_id(span)),
        attributes=pairs(attributes or {}),
        **fields,
    )


def span(
    trace: int,
    number: int,
    name: str,
    start_ms: float,
    end_ms: float,
    *,
    parent: int | None = None,
    attributes: Mapping[str, Any] | None = None,
    causes: Sequence[tuple[int, int, str]] = (),
    links: Sequence[Span.Link] = (),
    error: str | None = None,
    kind: int = Span.SPAN_KIND_INTERNAL,
    **fields: Any,
) -> Span:
    """A span. `causes` are (trace, span, kind), written as recording writes them: links, and the same as attributes."""
    attributes = dict(attributes or {})
    if causes:
        attributes[names.MAS_CAUSE_SPANS] = tuple(f"{trace_id(at)}-{span_id(by)}" for at, by, _ in causes)
        attributes[names.MAS_CAUSE_KINDS] = tuple(kind for _, _, kind in causes)
    if error is not None:
        fields["status"] = Status(code=Status.STATUS_CODE_ERROR, message=error)
    return Span(
        trace_id=bytes.fromhex(trace_id(trace)),
        span_id=bytes.fromhex(span_id(number)),
        parent_span_id=b"" if parent is None else bytes.fromhex(span_id(parent)),
        name=name,
        kind=kind,
        start_time_unix_nano=BASE_NS + round(start_ms * MS),
        end_time_unix_nano=BASE_NS + round(end_ms * MS),
        attributes=pairs(attributes),
        links=[*(link(at, by, {names.MAS_LINK_KIND: kind}) for at, by, kind in causes), *links],
        **fields,
    )


def process(
    attributes: Mapping[str, Any],
    spans: Sequence[Span],
    *,
    scope: InstrumentationScope = OTHERS,
    scope_schema_url: str = "",
    **fields: Any,
) -> ResourceSpans:
    """The export of one process."""
    schema_url = fields.pop("schema_url", "")
    return ResourceSpans(
        resource=Resource(attributes=pairs(attributes), **fields),
        scope_spans=[ScopeSpans(scope=scope, spans=spans, schema_url=scope_schema_url)],
        schema_url=schema_url,
    )


def export(*processes: ResourceSpans) -> TracesData:
    return TracesData(resource_spans=processes)
