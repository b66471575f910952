"""Long arrays leave in several attributes, none of which is long, and are one array again for every reader."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from otel_mas.otlp.array_parts import PART_BYTES, with_joined_arrays, with_split_arrays
from otel_mas.otlp.decode import decode_body
from otel_mas.semconv import STRING_ARRAYS
from otel_mas.semconv import attributes as names
from tests.conformance.messages import pairs

CAUSES = tuple(f"{7:032x}-{number:016x}" for number in range(10_000))
KINDS = ("trigger", "send") * 5000


def encoded(attributes: dict[str, Any]) -> bytes:
    return Span(name="join", attributes=pairs(attributes), span_id=b"12345678").SerializeToString()


def joined(body: bytes) -> bytes:
    return with_joined_arrays(Span.FromString(body), body)


def as_in_badger(body: bytes) -> bytes:
    """Arrays as JSON text with Go's escapes, and attributes sorted by name."""
    span = Span.FromString(body)
    for pair in span.attributes:
        if pair.value.WhichOneof("value") == "array_value":
            text = json.dumps([item.string_value for item in pair.value.array_value.values])
            pair.value.string_value = text.replace("&", "\\u0026").replace("<", "\\u003c")
    span.attributes.sort(key=lambda pair: pair.key)
    return span.SerializeToString()


def test_causes_of_a_wide_join_are_in_short_attributes_and_come_back() -> None:
    body = encoded({"before": 1, names.MAS_CAUSE_SPANS: CAUSES, names.MAS_CAUSE_KINDS: KINDS, "after": "x"})

    split = with_split_arrays(body)

    attributes = Span.FromString(split).attributes
    assert max(pair.value.ByteSize() for pair in attributes) <= PART_BYTES + 8
    assert len(attributes) < 100
    assert [pair.key for pair in attributes[:2]] == ["before", "mas.part.mas.cause.spans.1"]
    assert joined(split) == body
    assert decode_body(joined(as_in_badger(split))).attributes == decode_body(body).attributes


_marks = st.sampled_from(["<", "&", '"', "\\", "é"])
_long = st.builds(lambda mark, times: mark * times, _marks, st.integers(2000, 5000))
_items = st.lists(st.text(max_size=6) | _long, max_size=12)


@given(st.dictionaries(st.sampled_from(sorted(STRING_ARRAYS)), _items.map(tuple), max_size=3))
def test_every_array_of_the_registry_comes_back_from_its_parts(attributes: dict[str, tuple[str, ...]]) -> None:
    body = encoded({"first": True, **attributes, "last": 1.5})

    split = with_split_arrays(body)

    assert joined(split) == body
    assert decode_body(joined(as_in_badger(split))).attributes.keys() == decode_body(body).attributes.keys()
    for pair in Span.FromString(split).attributes:
        assert pair.value.ByteSize() <= PART_BYTES + 8 or len(pair.value.array_value.values) == 1


def test_short_and_foreign_arrays_stay_as_they_are() -> None:
    foreign = encoded({"app.rows": ("x" * 100,) * 200, "text": "y" * 20_000, names.MAS_CAUSE_SPANS: CAUSES[:100]})
    text_under_our_name = encoded({names.MAS_CAUSE_SPANS: "z" * 20_000})

    assert with_split_arrays(foreign) is foreign
    assert with_split_arrays(text_under_our_name) is text_under_our_name
    assert with_split_arrays(b"\xff" * 20_000) == b"\xff" * 20_000


@pytest.mark.parametrize(
    "attributes",
    [
        {"mas.part.mas.cause.spans.2": ("a",)},
        {"mas.part.mas.cause.spans.1": "[1]"},
        {"mas.part.mas.cause.spans.1": "[" * 10_000},
        {"mas.part.mas.cause.spans.one": ("a",)},
        {"mas.part.other.1": ("a",)},
        {"mas.part.": ("a",)},
    ],
)
def test_parts_that_are_not_all_there_stay_as_they_are(attributes: dict[str, Any]) -> None:
    body = encoded(attributes)

    assert joined(body) == body
