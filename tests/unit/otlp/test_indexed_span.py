"""Spans with their attributes as a map: whatever they are, the same spans."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from otel_mas.otlp.indexed_span import IndexedSpan
from tests.conformance.messages import pairs, span

_VALUES = st.text() | st.integers(-(2**63), 2**63 - 1) | st.booleans() | st.tuples(st.text(), st.text())


@given(st.lists(st.tuples(st.text(max_size=3), _VALUES), max_size=6))
def test_a_name_has_the_last_of_its_values(attributes: list[tuple[str, object]]) -> None:
    message = span(1, 2, "one", 3, 9)
    for name, value in attributes:
        message.attributes.extend(pairs({name: value}))
    indexed = IndexedSpan.FromString(message.SerializeToString())
    last = {pair.key: pair.value.SerializeToString() for pair in message.attributes}
    assert {name: value.SerializeToString() for name, value in indexed.attributes.items()} == last
    fields = ("trace_id", "span_id", "parent_span_id", "name", "kind", "start_time_unix_nano", "end_time_unix_nano")
    assert [getattr(indexed, field) for field in fields] == [getattr(message, field) for field in fields]


def test_a_pair_without_a_name_or_a_value_is_one() -> None:
    message = Span()
    message.attributes.add().value.int_value = 1
    message.attributes.add(key="empty")
    indexed = IndexedSpan.FromString(message.SerializeToString())
    assert sorted(indexed.attributes) == ["", "empty"]
    assert indexed.attributes["empty"].WhichOneof("value") is None
