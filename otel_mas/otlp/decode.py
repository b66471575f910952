"""OTLP protobuf bytes to the model and back. protobuf is loaded at the first call, not with this module."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from otel_mas.model import AttributeValue, Event, Link, Resource, Scope, SpanBody
from otel_mas.otlp.nesting import CUT, MAX_NESTING, parsed
from otel_mas.semconv import attributes as names

if TYPE_CHECKING:
    from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue


def decode_body(body: bytes) -> SpanBody:
    """What a span carries besides its ids, times and status code. `body` is an OTLP `Span` message.

    Raises:
        ValueError: it is none.
    """
    span = parsed(_span_message()(), body)
    return SpanBody(
        attributes=_attributes(span.attributes),
        events=tuple(
            Event(
                name=event.name,
                time_ns=event.time_unix_nano,
                attributes=_attributes(event.attributes),
                dropped_attributes_count=event.dropped_attributes_count,
            )
            for event in span.events
        ),
        links=tuple(map(link_of, span.links)),
        status_message=span.status.message,
        trace_state=span.trace_state,
        flags=span.flags,
        dropped_attributes_count=span.dropped_attributes_count,
        dropped_events_count=span.dropped_events_count,
        dropped_links_count=span.dropped_links_count,
    )


def decode_resource(body: bytes, schema_url: str = "") -> Resource:
    """An OTLP `Resource` message."""
    from opentelemetry.proto.resource.v1 import resource_pb2

    resource = parsed(resource_pb2.Resource(), body)
    return Resource(_attributes(resource.attributes), schema_url, resource.dropped_attributes_count)


def decode_scope(body: bytes, schema_url: str = "") -> Scope:
    """An OTLP `InstrumentationScope` message."""
    from opentelemetry.proto.common.v1 import common_pb2

    scope = parsed(common_pb2.InstrumentationScope(), body)
    return Scope(scope.name, scope.version, _attributes(scope.attributes), schema_url, scope.dropped_attributes_count)


def encode_resource(attributes: Mapping[str, AttributeValue]) -> bytes:
    """An OTLP `Resource` message with these attributes."""
    from opentelemetry.proto.resource.v1 import resource_pb2

    return bytes(resource_pb2.Resource(attributes=encode_attributes(attributes)).SerializeToString())


def encode_scope(name: str, version: str, attributes: Mapping[str, AttributeValue]) -> bytes:
    """An OTLP `InstrumentationScope` message."""
    from opentelemetry.proto.common.v1 import common_pb2

    scope = common_pb2.InstrumentationScope(name=name, version=version, attributes=encode_attributes(attributes))
    return bytes(scope.SerializeToString())


@cache
def _span_message() -> Callable[[], Any]:
    from opentelemetry.proto.trace.v1 import trace_pb2

    return trace_pb2.Span


def link_of(link: Any) -> Link:
    """A parsed OTLP `Span.Link`."""
    attributes = _attributes(link.attributes)
    kind = attributes.get(names.MAS_LINK_KIND)
    return Link(
        trace_id=link.trace_id.hex(),
        span_id=link.span_id.hex(),
        kind=kind if isinstance(kind, str) else None,
        attributes=attributes,
        trace_state=link.trace_state,
        flags=link.flags,
        dropped_attributes_count=link.dropped_attributes_count,
    )


def _attributes(pairs: Iterable[KeyValue]) -> dict[str, AttributeValue]:
    return {pair.key: _value(pair.value) for pair in pairs}


def _value(value: AnyValue) -> AttributeValue:
    which = value.WhichOneof("value")
    if which is None:
        return None
    if which == "array_value":
        return tuple(map(_value, value.array_value.values))
    if which == "kvlist_value":
        return {pair.key: _value(pair.value) for pair in value.kvlist_value.values}
    return getattr(value, which)


def encode_attributes(attributes: Mapping[str, AttributeValue], depth: int = 0) -> list[KeyValue]:
    """OTLP `KeyValue` messages; `depth` levels of arrays and mappings inside of an attribute."""
    from opentelemetry.proto.common.v1.common_pb2 import KeyValue

    return [KeyValue(key=key, value=_any(value, depth)) for key, value in attributes.items()]


def _any(value: AttributeValue, depth: int) -> AnyValue:
    from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValueList

    if isinstance(value, bool):
        return AnyValue(bool_value=value)
    if isinstance(value, int):
        return AnyValue(int_value=value)
    if isinstance(value, float):
        return AnyValue(double_value=value)
    if isinstance(value, bytes):
        return AnyValue(bytes_value=value)
    if isinstance(value, Mapping | list | tuple) and depth >= MAX_NESTING:
        return AnyValue(string_value=CUT)
    if isinstance(value, Mapping):
        return AnyValue(kvlist_value=KeyValueList(values=encode_attributes(value, depth + 1)))
    if isinstance(value, list | tuple):
        return AnyValue(array_value=ArrayValue(values=[_any(item, depth + 1) for item in value]))
    return AnyValue() if value is None else AnyValue(string_value=str(value))
