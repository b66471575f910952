"""OTLP messages to traces: grouped by trace id, spans that came twice read once, bodies decoded on demand.

protobuf is loaded at the first call, not with this module.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from sys import intern
from typing import TYPE_CHECKING, Any

from otel_mas.dialects import MARKERS, OWN_SCOPE, is_control_flow, translated, translated_beside_ours
from otel_mas.model import Link, Resource, Scope, Span, SpanKind, StatusCode, SummaryBuilder, Trace
from otel_mas.model.columns import COLUMN_ATTRIBUTES
from otel_mas.model.incomplete import missing_parents
from otel_mas.model.start_order import in_start_order
from otel_mas.otlp.array_parts import with_joined_arrays
from otel_mas.otlp.decode import EncodedBody, as_written, decode_resource, decode_scope, decode_value, link_of
from otel_mas.otlp.nesting import parsed
from otel_mas.semconv import STRING_ARRAYS
from otel_mas.semconv import attributes as names
from otel_mas.sources.restore import causes_of, restored_attributes, restored_links, restored_value
from otel_mas.store.foreign_cost import with_cost

if TYPE_CHECKING:
    from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, TracesData

DECODED_ATTRIBUTES = COLUMN_ATTRIBUTES | {names.MAS_CAUSE_SPANS, names.MAS_CAUSE_KINDS}
"""Attributes that are decoded at once, for columns and links; the others are on demand."""

GRAPH_ATTRIBUTES = DECODED_ATTRIBUTES | {
    *(names.MAS_INPUT_MESSAGES, names.MAS_OUTPUT_MESSAGES, names.MAS_TASK_UPDATED, names.GEN_AI_RESPONSE_ID),
    *(names.SERVICE_NAME, names.SERVICE_INSTANCE_ID, names.HOST_ID, names.HOST_NAME, names.MAS_INSTANCE_ID),
}
"""Attributes of spans and of processes that a causal graph is made from, and that calls are told apart by."""

_KINDS = {kind.value: kind for kind in SpanKind}
_STATUSES = {status.value: status for status in StatusCode}
_SCALARS = {"string_value": str, "int_value": int, "double_value": float, "bool_value": bool}
_NO_LINKS: tuple[Link, ...] = ()


def traces_data(encoded: bytes) -> TracesData:
    """A `TracesData` message (an `ExportTraceServiceRequest` is one too).

    Raises:
        ValueError: it is none, or only the beginning of one.
    """
    from opentelemetry.proto.trace.v1.trace_pb2 import TracesData

    message: TracesData = parsed(TracesData(), encoded)
    return message


class SpanReader:
    """Turns messages into spans; resources and scopes are decoded once for all spans that share them.

    Args:
        bodies: keep the encoded bodies. Without, spans have only `DECODED_ATTRIBUTES` and links: enough to count them.
        attributes: names of others to keep, too.
    """

    def __init__(self, *, bodies: bool = True, attributes: Iterable[str] = ()) -> None:
        self._bodies = bodies
        self._others = frozenset(attributes) - DECODED_ATTRIBUTES
        self._resources: dict[tuple[bytes, str], tuple[Resource, str]] = {}
        self._scopes: dict[tuple[bytes, str], Scope] = {}
        self._met: dict[tuple[bytes, bytes], list[bytes]] = {}

    def read(self, messages: Iterable[ResourceSpans]) -> Iterator[Span]:
        """The spans, in the order in which they come. One that came before, byte for byte, is left out."""
        for message in messages:
            resource, service = self._resource(message)
            for of_scope in message.scope_spans:
                scope = self._scope(of_scope)
                for span in of_scope.spans:
                    encoded = with_joined_arrays(span, span.SerializeToString())
                    if self._is_new(span, encoded):
                        yield self._span(span, encoded, resource, service, scope)

    def _is_new(self, span: Any, encoded: bytes) -> bool:
        # Delivery is at least once, and some backends keep both copies.
        met = self._met.setdefault((span.trace_id, span.span_id), [])
        same = encoded if self._bodies else hash(encoded).to_bytes(8, "little", signed=True)
        if same in met:
            return False
        met.append(same)
        return True

    def _resource(self, message: ResourceSpans) -> tuple[Resource, str]:
        key = message.resource.SerializeToString(), message.schema_url
        found = self._resources.get(key)
        if found is None:
            resource = decode_resource(*key)
            service = resource.attributes.get(names.SERVICE_NAME)
            found = self._resources[key] = resource, "" if service is None else str(service)
        return found

    def _scope(self, message: Any) -> Scope:
        key = message.scope.SerializeToString(), message.schema_url
        scope = self._scopes.get(key)
        if scope is None:
            scope = self._scopes[key] = decode_scope(*key)
        return scope

    def _span(self, message: Any, encoded: bytes, resource: Resource, service: str, scope: Scope) -> Span:
        columns = {pair.key: _value(pair) for pair in message.attributes if pair.key in DECODED_ATTRIBUTES}
        if None in columns.values():
            columns = {name: value for name, value in columns.items() if value is not None}
        status = _STATUSES.get(message.status.code, StatusCode.UNSET)
        if scope.name != OWN_SCOPE and any(pair.key in MARKERS for pair in message.attributes):
            written = as_written(message)
            has_ours = names.MAS_INSTANCE_ID in resource.attributes
            more = translated_beside_ours(written, scope.name) if has_ours else translated(written)
            more = with_cost(more, written.attributes.get)
            columns = {name: value for name, value in {**columns, **more}.items() if value is not None}
            status = StatusCode.UNSET if is_control_flow(more) else status
        if self._others:
            others = (pair for pair in message.attributes if pair.key in self._others)
            columns |= {pair.key: restored_value(pair.key, decode_value(pair.value)) for pair in others}
        causes = causes_of(columns)
        links = tuple(map(link_of, message.links)) if message.links else _NO_LINKS
        return Span(
            trace_id=intern(trace_id_of(message.trace_id)),
            span_id=intern(message.span_id.hex()),
            parent_span_id=intern(message.parent_span_id.hex()) if message.parent_span_id else None,
            name=intern(message.name),
            start_ns=message.start_time_unix_nano,
            end_ns=message.end_time_unix_nano or None,  # in OTLP, 0 is a span that has not ended
            kind=_KINDS.get(message.kind, SpanKind.UNSPECIFIED),
            status=status,
            service=service,
            links=restored_links(links, causes) if causes else links,
            columns=columns,
            resource=resource,
            scope=scope,
            load=partial(_RestoredBody, encoded) if self._bodies else None,
        )


def traces(messages: Iterable[ResourceSpans]) -> list[Trace]:
    """Every trace of which the messages hold spans, in the order in which they first appear."""
    spans: dict[str, list[Span]] = {}
    for span in SpanReader().read(messages):
        spans.setdefault(span.trace_id, []).append(span)
    return [Trace(trace_id, in_start_order(found), _missing(found)) for trace_id, found in spans.items()]


def counts(messages: Iterable[ResourceSpans], attributes: Iterable[tuple[str, str]] = ()) -> list[SummaryBuilder]:
    """Counts of every trace of which the messages hold spans; the spans themselves are let go.

    Args:
        attributes: `Query.attributes` that the traces are to be found by.
    """
    found: dict[str, SummaryBuilder] = {}
    reader = SpanReader(bodies=False, attributes=[name for name, _ in attributes])
    for span in reader.read(messages):
        if span.trace_id not in found:
            found[span.trace_id] = SummaryBuilder(span.trace_id, attributes)
        found[span.trace_id].add(span)
    return list(found.values())


def _missing(spans: Sequence[Span]) -> str | None:
    parents = {span.parent_span_id for span in spans}
    ids = {span.span_id for span in spans}
    return missing_parents(ids, {parent for parent in parents if parent is not None}, None in parents)


def trace_id_of(encoded: bytes) -> str:
    """32 hex digits, also of a 64-bit id of older systems."""
    return encoded.rjust(16, b"\0").hex()


class _RestoredBody(EncodedBody):
    """A body with what the backend lost put back, from its own attributes."""

    __slots__ = ()

    def _decoded(self, name: str, span: Any) -> Any:
        found = super()._decoded(name, span)
        if name == "attributes":
            return restored_attributes(found)
        return restored_links(found, causes_of(self.attributes)) if name == "links" else found


def _value(pair: Any) -> Any:
    """The value of a column attribute: a scalar, or a tuple of strings; None where it is neither."""
    value = pair.value
    which = value.WhichOneof("value")
    if which == "array_value":
        return tuple(item.string_value for item in value.array_value.values) if pair.key in STRING_ARRAYS else None
    if which not in _SCALARS:
        return None
    found = getattr(value, which)
    if which == "string_value":
        return restored_value(pair.key, found) if pair.key in STRING_ARRAYS else intern(found)
    return found
