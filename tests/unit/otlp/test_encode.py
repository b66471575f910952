"""The wire encoding by hand is what protobuf's own classes read."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.common.v1.common_pb2 import AnyValue

from otel_mas.otlp.encode import any_value

pytestmark = pytest.mark.slow


def read(value: object) -> list[str]:
    message = AnyValue.FromString(any_value(value))
    return [item.string_value for item in message.array_value.values]


@given(st.integers(0, 200).flatmap(lambda size: st.lists(st.text(min_size=size, max_size=size), max_size=20)))
def test_texts_of_one_length_come_back(texts: list[str]) -> None:
    assert read(tuple(texts)) == [text.encode(errors="replace").decode() for text in texts]


@pytest.mark.parametrize("odd", ["é" * 32, "a" * 31, "\ud800" * 32, "a" * 130])
def test_one_text_that_is_unlike_many_digests_comes_back_with_them(odd: str) -> None:
    digests = [f"{number:032x}" for number in range(50)]
    for texts in ([*digests, odd], [odd, *digests], digests):
        assert read(texts) == [text.encode(errors="replace").decode() for text in texts]


def test_an_array_of_something_else_keeps_its_types() -> None:
    values = AnyValue.FromString(any_value(["a"] * 8 + [b"b"] + [None])).array_value.values
    assert [value.WhichOneof("value") for value in values] == ["string_value"] * 8 + ["bytes_value", None]
