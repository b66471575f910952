"""OTLP protobuf bytes → the model's objects. protobuf is loaded at the first call, not with this module."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cache
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from otel_mas.dialects import ForeignSpan
from otel_mas.model import AttributeValue, Event, Link, Resource, Scope, SpanBody, StatusCode
from otel_mas.otlp.nesting import parsed
from otel_mas.otlp.wire import utf8
from otel_mas.semconv import attributes as names

if TYPE_CHECKING:
    from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue


_ERROR = int(StatusCode.ERROR)


class EncodedBody(SpanBody):
    """The body of an OTLP `Span` message, of which each field is decoded when it is first asked for.

    Raises:
        ValueError: it is no such message.
    """

    __slots__ = ("_encoded", "_known")

    def __init__(self, encoded: bytes) -> None:
        parsed(_span_message()(), encoded)
        self._encoded = encoded
        self._known: Mapping[str, AttributeValue] | None = None

    def __getattr__(self, name: str) -> Any:
        """Called for a field that is not set yet."""
        if name not in _FIELDS:
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        span = parsed(_span_message()(), self._encoded)
        value = self._decoded(name, span)
        setattr(self, name, value)
        if name == "attributes":
            self._known = value
            if not span.events:  # most have none: what asks for them next need not parse again
                self.events = ()
        return value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SpanBody) and all(getattr(self, name) == getattr(other, name) for name in _FIELDS)

    __hash__ = None  # type: ignore[assignment]

    def attribute(self, name: str, default: AttributeValue = None) -> AttributeValue:
        """One attribute by name; nothing is decoded where the bytes of the name do not occur."""
        if self._known is not None:
            return self._known.get(name, default)
        return self.attributes.get(name, default) if utf8(name) in self._encoded else default

    def _decoded(self, name: str, span: Any) -> Any:
        """A field of the parsed message."""
        return _FIELDS[name](span)


def decode_body(body: bytes) -> SpanBody:
    """Read an OTLP `Span` message, but for its ids, times and status code. Raises ValueError where it is none."""
    return EncodedBody(body)


def decode_resource(body: bytes, schema_url: str = "") -> Resource:
    """Decode an OTLP `Resource` message. Raises ValueError where it is none."""
    from opentelemetry.proto.resource.v1 import resource_pb2

    resource = parsed(resource_pb2.Resource(), body)
    return Resource(_attributes(resource.attributes), schema_url, resource.dropped_attributes_count)


def decode_scope(body: bytes, schema_url: str = "") -> Scope:
    """Decode an OTLP `InstrumentationScope` message. Raises ValueError where it is none."""
    from opentelemetry.proto.common.v1 import common_pb2

    scope = parsed(common_pb2.InstrumentationScope(), body)
    return Scope(scope.name, scope.version, _attributes(scope.attributes), schema_url, scope.dropped_attributes_count)


def link_of(link: Any) -> Link:
    """A parsed OTLP `Span.Link` as the model's."""
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


def as_written(span: Any, attributes: Mapping[str, AttributeValue] | None = None) -> ForeignSpan:
    """A parsed OTLP `Span` for the dialects; `attributes` where they are decoded already."""
    return ForeignSpan(
        _attributes(span.attributes) if attributes is None else attributes,
        span.name,
        span.status.code == _ERROR,
        span.span_id.hex(),
        lambda: ((event.name, _attributes(event.attributes)) for event in span.events),
    )


def _event_of(event: Any) -> Event:
    return Event(event.name, event.time_unix_nano, _attributes(event.attributes), event.dropped_attributes_count)


# How each field of a body is read from the parsed message.
_FIELDS: Mapping[str, Callable[[Any], Any]] = {
    "attributes": lambda span: _attributes(span.attributes),
    "events": lambda span: tuple(map(_event_of, span.events)),
    "links": lambda span: tuple(map(link_of, span.links)),
    "status_message": attrgetter("status.message"),
    "trace_state": attrgetter("trace_state"),
    "flags": attrgetter("flags"),
    "dropped_attributes_count": attrgetter("dropped_attributes_count"),
    "dropped_events_count": attrgetter("dropped_events_count"),
    "dropped_links_count": attrgetter("dropped_links_count"),
}


@cache
def _span_message() -> Callable[[], Any]:
    from opentelemetry.proto.trace.v1 import trace_pb2

    return trace_pb2.Span


def _attributes(pairs: Iterable[KeyValue]) -> dict[str, AttributeValue]:
    # Most values are texts. A text that is not empty needs no question which field is set.
    return {pair.key: (value := pair.value).string_value or decode_value(value) for pair in pairs}


def decode_value(value: AnyValue) -> AttributeValue:
    """A parsed OTLP `AnyValue` as the model's."""
    which = value.WhichOneof("value")
    if which is None:
        return None
    if which == "array_value":
        return tuple([item.string_value or decode_value(item) for item in value.array_value.values])
    if which == "kvlist_value":
        return _attributes(value.kvlist_value.values)
    return getattr(value, which)
