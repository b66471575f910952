"""Any OTLP span, for property tests."""

from __future__ import annotations

import math

from hypothesis import strategies as st
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValue, KeyValueList
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

uint32 = st.integers(0, 2**32 - 1)
uint64 = st.integers(0, 2**64 - 1)
text = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
names = st.one_of(text, st.sampled_from(["gen_ai.prompt", "gen_ai.input.messages", "mas.cause.spans", "input.value"]))
scalars = st.one_of(
    st.builds(AnyValue),
    st.builds(AnyValue, string_value=text),
    st.builds(AnyValue, string_value=text.map(lambda short: short * 200)),
    st.builds(AnyValue, int_value=st.integers(-(2**63), 2**63 - 1)),
    # One NaN of many: which one it is, JSON cannot say.
    st.builds(AnyValue, double_value=st.one_of(st.floats(allow_nan=False), st.just(math.nan))),
    st.builds(AnyValue, bool_value=st.booleans()),
    st.builds(AnyValue, bytes_value=st.binary(max_size=20)),
)


def _pairs(values: st.SearchStrategy[AnyValue]) -> st.SearchStrategy[list[KeyValue]]:
    return st.lists(st.builds(KeyValue, key=names, value=values), max_size=4)


any_values = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda items: AnyValue(array_value=ArrayValue(values=items))),
        _pairs(inner).map(lambda pairs: AnyValue(kvlist_value=KeyValueList(values=pairs))),
    ),
    max_leaves=6,
)
pairs = _pairs(any_values)
trace_ids, span_ids = st.binary(min_size=16, max_size=16), st.binary(min_size=8, max_size=8)

spans = st.builds(
    Span,
    trace_id=trace_ids,
    span_id=span_ids,
    trace_state=text,
    parent_span_id=st.one_of(st.just(b""), span_ids),
    flags=uint32,
    name=text,
    kind=st.integers(0, 5),
    start_time_unix_nano=uint64,
    end_time_unix_nano=uint64,
    attributes=pairs,
    dropped_attributes_count=uint32,
    events=st.lists(
        st.builds(Span.Event, time_unix_nano=uint64, name=names, attributes=pairs, dropped_attributes_count=uint32),
        max_size=2,
    ),
    dropped_events_count=uint32,
    links=st.lists(
        st.builds(
            Span.Link,
            trace_id=trace_ids,
            span_id=span_ids,
            trace_state=text,
            attributes=pairs,
            dropped_attributes_count=uint32,
            flags=uint32,
        ),
        max_size=2,
    ),
    dropped_links_count=uint32,
    status=st.builds(Status, message=text, code=st.integers(0, 2)),
)
