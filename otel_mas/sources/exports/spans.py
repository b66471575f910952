"""A span as another program wrote it down, and the OTLP message that it becomes."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import groupby
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from otel_mas.model import Link, SpanKind, StatusCode
from otel_mas.semconv import attributes as names
from otel_mas.sources.restore import causes_of, restored_attributes, restored_links

if TYPE_CHECKING:
    from opentelemetry.proto.common.v1.common_pb2 import KeyValue
    from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, Span

_HEX: Final = re.compile(r"[0-9a-fA-F]+")
_EPOCH: Final = datetime.fromtimestamp(0, UTC)
_MAX_NS: Final = 2**64 - 1
_NOT_OTLP: Final = (TypeError, ValueError, AttributeError, OverflowError)
"""Raised for a value that a field of OTLP cannot have."""


@dataclass(slots=True)
class ExportedEvent:
    """Something that happened on a span."""

    name: str
    time_ns: int
    attributes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True)
class ExportedSpan:
    """One span. Ids are as the program writes them (`hex_id` makes OTLP's of them); times are ns since 1970.

    `end_ns` is None of a span that has not ended.
    """

    trace_id: str
    span_id: str
    parent_id: str | None
    name: str
    start_ns: int
    end_ns: int | None
    kind: SpanKind = SpanKind.INTERNAL
    status: StatusCode = StatusCode.UNSET
    message: str = ""
    attributes: Mapping[str, Any] = field(default_factory=dict)
    events: Sequence[ExportedEvent] = ()
    links: Sequence[tuple[str, str, Mapping[str, Any]]] = ()
    """Trace id, span id and attributes of each."""
    service: str = ""
    resource: Mapping[str, Any] = field(default_factory=dict)
    scope: tuple[str, str, Mapping[str, Any]] = ("", "", MappingProxyType({}))
    """Name, version and attributes."""


def hex_id(text: str, digits: int) -> str:
    """An id in hexadecimal digits: as it is, padded with zeros, or of a UUID without dashes; of anything else, or what
    is too long, a digest."""
    bare = text.replace("-", "") if len(text) == 36 else text.removeprefix("0x")
    if len(bare) <= digits and _HEX.fullmatch(bare) and bare.strip("0"):
        return bare.lower().rjust(digits, "0")
    return hashlib.blake2b(text.encode(), digest_size=digits // 2).hexdigest()


def trace_hex(text: str) -> str:
    """A trace id of 32 digits."""
    return hex_id(text, 32)


def span_hex(text: str) -> str:
    """A span id of 16 digits."""
    return hex_id(text, 16)


def iso_ns(text: str) -> int:
    """A time in ISO 8601 as ns since 1970; in UTC where it names no zone. Raises ValueError where it is none."""
    moment = datetime.fromisoformat(text)
    since = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - _EPOCH
    return (since.days * 86_400 + since.seconds) * 10**9 + since.microseconds * 1_000


def messages(spans: Iterable[ExportedSpan], problems: list[str]) -> Iterator[ResourceSpans]:
    """One message for each row of spans that share a resource and a scope.

    Args:
        problems: gets a line for each span that OTLP cannot have.
    """
    from opentelemetry.proto.common.v1.common_pb2 import InstrumentationScope
    from opentelemetry.proto.resource.v1.resource_pb2 import Resource
    from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans

    for (service, resource, scope), row in groupby(spans, key=lambda one: (one.service, one.resource, one.scope)):
        try:
            named = {names.SERVICE_NAME: service, **resource} if service else resource
            name, version, more = scope
            written = Resource(attributes=_pairs(named))
            of_scope = InstrumentationScope(name=name, version=version, attributes=_pairs(more))
        except _NOT_OTLP as error:
            problems.append(f"leaves out {sum(1 for _ in row)} spans whose resource or scope cannot be read: {error!r}")
            continue
        found = []
        for one in row:
            try:
                found.append(_message(one))
            except _NOT_OTLP as error:
                problems.append(f"leaves out a span that cannot be read: {error!r}")
        yield ResourceSpans(resource=written, scope_spans=[ScopeSpans(scope=of_scope, spans=found)])


def _pairs(attributes: Mapping[str, Any]) -> list[KeyValue]:
    from opentelemetry.proto.common.v1.common_pb2 import KeyValue

    from otel_mas.otlp.encode import key_value

    return [KeyValue.FromString(key_value(name, value)) for name, value in attributes.items() if value is not None]


def _message(span: ExportedSpan) -> Span:
    from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

    # Forms without arrays and without kinds of links have ours as text, and repeated in attributes.
    attributes = restored_attributes(span.attributes)
    links = [Link(trace_hex(trace), span_hex(one), _kind(more), more) for trace, one, more in span.links]
    if causes := causes_of(attributes):
        links = list(restored_links(tuple(links), causes))
    return Span(
        trace_id=bytes.fromhex(trace_hex(span.trace_id)),
        span_id=bytes.fromhex(span_hex(span.span_id)),
        parent_span_id=bytes.fromhex(span_hex(span.parent_id)) if span.parent_id else b"",
        name=span.name,
        kind=span.kind.value,  # type: ignore[arg-type]
        start_time_unix_nano=_time(span.start_ns),
        end_time_unix_nano=0 if span.end_ns is None else _time(span.end_ns),
        attributes=_pairs(attributes),
        events=[
            Span.Event(name=one.name, time_unix_nano=_time(one.time_ns), attributes=_pairs(one.attributes))
            for one in span.events
        ],
        links=[
            Span.Link(
                trace_id=bytes.fromhex(link.trace_id),
                span_id=bytes.fromhex(link.span_id),
                attributes=_pairs(link.attributes),
            )
            for link in links
        ],
        status=Status(code=span.status.value, message=span.message),  # type: ignore[arg-type]
    )


def _kind(attributes: Mapping[str, Any]) -> str | None:
    kind = attributes.get(names.MAS_LINK_KIND)
    return kind if isinstance(kind, str) else None


def _time(ns: int) -> int:
    """Raises ValueError where it is no time."""
    if not 0 <= ns <= _MAX_NS:
        raise ValueError(f"{ns} ns is no time of a span")
    return ns


__all__ = ["ExportedEvent", "ExportedSpan", "hex_id", "iso_ns", "messages", "span_hex", "trace_hex"]
