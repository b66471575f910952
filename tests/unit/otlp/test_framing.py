"""Stored bytes framed by hand are the message that protobuf would have written."""

from __future__ import annotations

from opentelemetry.proto.common.v1.common_pb2 import InstrumentationScope
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span, TracesData

from otel_mas.otlp.encode import encode_scope
from otel_mas.otlp.framing import LogRow, Origin, traces_data
from tests.conformance.messages import pairs


def test_spans_are_grouped_by_resource_and_scope_in_their_order() -> None:
    resources = [Resource(attributes=pairs({"service.name": name})) for name in ("a", "b")]
    scopes = [InstrumentationScope(name="one", version="1"), InstrumentationScope(name="two")]
    spans = [Span(name=f"span {number}", span_id=bytes([number]) * 8) for number in range(4)]
    origins = [Origin(7, resources[0].SerializeToString(), "https://r"), Origin(8, resources[1].SerializeToString())]
    of_scopes = [Origin(1, encode_scope("one", "1", {}), "https://s"), Origin(2, encode_scope("two", "", {}))]
    places = [(0, 0), (1, 1), (0, 1), (0, 0)]
    rows = [
        LogRow(number, origins[resource], of_scopes[scope], spans[number].SerializeToString())
        for number, (resource, scope) in enumerate(places)
    ]

    assert TracesData.FromString(traces_data(rows)) == TracesData(
        resource_spans=[
            ResourceSpans(
                resource=resources[0],
                schema_url="https://r",
                scope_spans=[
                    ScopeSpans(scope=scopes[0], schema_url="https://s", spans=[spans[0], spans[3]]),
                    ScopeSpans(scope=scopes[1], spans=[spans[2]]),
                ],
            ),
            ResourceSpans(resource=resources[1], scope_spans=[ScopeSpans(scope=scopes[1], spans=[spans[1]])]),
        ]
    )


def test_a_span_longer_than_a_short_length_is_framed_too() -> None:
    span = Span(name="x" * 100_000)
    row = LogRow(1, Origin(1, b""), Origin(1, b""), span.SerializeToString())

    (process,) = TracesData.FromString(traces_data([row])).resource_spans
    assert process.scope_spans[0].spans[0] == span


def test_nothing_is_an_empty_request() -> None:
    assert traces_data([]) == b""
