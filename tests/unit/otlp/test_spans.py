"""The model's spans as OTLP bytes: what decoding gives back is what was encoded."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from otel_mas.model import Event, Link, Span, SpanBody, SpanKind, StatusCode
from otel_mas.otlp.decode import decode_body
from otel_mas.otlp.spans import encode_span

values = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(2**63), 2**63 - 1),
        st.floats(allow_nan=False),
        st.text(),
        st.binary(),
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=3).map(tuple), st.dictionaries(st.text(), inner, max_size=3)),
    max_leaves=8,
)
attributes = st.dictionaries(st.text(), values, max_size=4)
events = st.builds(Event, name=st.text(), time_ns=st.integers(1, 2**63), attributes=attributes)
links = st.builds(Link, trace_id=st.just("ab" * 16), span_id=st.just("cd" * 8), attributes=attributes)
bodies = st.builds(
    SpanBody,
    attributes=attributes,
    events=st.lists(events, max_size=2).map(tuple),
    links=st.lists(links, max_size=2).map(tuple),
    status_message=st.text(),
    trace_state=st.just("a=b"),
)  # fmt: skip


def span(body: SpanBody, **fields: Any) -> Span:
    given = {
        "trace_id": "ab" * 16,
        "span_id": "12" * 8,
        "parent_span_id": None,
        "name": "x",
        "start_ns": 1,
        "end_ns": 2,
    }
    return Span.complete(body, **{**given, **fields})


@given(bodies)
def test_a_body_comes_back(body: SpanBody) -> None:
    found = decode_body(encode_span(span(body)))

    assert (found.attributes, found.events, found.status_message, found.trace_state) == (
        body.attributes, body.events, body.status_message, body.trace_state,
    )  # fmt: skip
    assert [dict(link.attributes) for link in found.links] == [dict(link.attributes) for link in body.links]


def test_the_fields_are_those_of_otlp() -> None:
    from opentelemetry.proto.trace.v1.trace_pb2 import Span as Message

    made = span(
        SpanBody(), parent_span_id="34" * 8, kind=SpanKind.CLIENT, status=StatusCode.ERROR, start_ns=-5, end_ns=2**70
    )
    found = Message.FromString(encode_span(made))

    assert (found.trace_id.hex(), found.span_id.hex(), found.parent_span_id.hex()) == ("ab" * 16, "12" * 8, "34" * 8)
    assert (found.name, found.kind, found.status.code) == ("x", 3, 2)
    assert (found.start_time_unix_nano, found.end_time_unix_nano) == (0, 2**64 - 1)


def test_an_integer_beyond_64_bits_is_text() -> None:
    found = decode_body(encode_span(span(SpanBody(attributes={"a": 2**64, "b": (2**70,)}))))

    assert found.attributes == {"a": "0x10000000000000000", "b": ("0x400000000000000000",)}
