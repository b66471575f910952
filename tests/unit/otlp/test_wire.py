"""The wire format by hand is read by protobuf, and the other way round."""

from __future__ import annotations

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.common.v1.common_pb2 import KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from otel_mas.otlp.wire import VARINT, delimited, number, tag, text, timestamp, values


@given(st.text(max_size=300), st.integers(0, 2**32 - 1))
def test_text_and_numbers_are_read_by_protobuf(name: str, count: int) -> None:
    span = Span.FromString(text(tag(5), name) + number(tag(10, VARINT), count))

    assert (span.name, span.dropped_attributes_count) == (name, count)


@given(st.integers(0, 2**62))
def test_a_timestamp_is_read_by_protobuf(time_ns: int) -> None:
    ((_, encoded),) = values(timestamp(tag(4), time_ns))

    read = Timestamp.FromString(bytes(encoded))  # type: ignore[arg-type]
    assert (read.seconds, read.nanos) == divmod(time_ns, 10**9)


@given(st.text(max_size=20), st.integers(1, 2**32 - 1), st.integers(1, 2**63))
def test_the_fields_of_a_message_by_protobuf(key: str, count: int, start: int) -> None:
    span = Span(attributes=[KeyValue(key=key)], dropped_events_count=count, start_time_unix_nano=start)
    read = dict(values(span.SerializeToString()))

    assert read[12] == count
    assert int.from_bytes(read[7], "little") == start  # type: ignore[arg-type]
    assert bytes(read[9]) == span.attributes[0].SerializeToString()  # type: ignore[arg-type]


def test_an_empty_message_or_text_is_written_and_a_zero_is_not() -> None:
    assert list(values(delimited(tag(1), b""))) == [(1, b"")]
    assert text(tag(1), "") == delimited(tag(1), b"")
    assert number(tag(1, VARINT), 0) == b""


@given(st.binary(max_size=40))
def test_anything_else_is_refused_or_read_but_never_breaks(encoded: bytes) -> None:
    try:
        list(values(encoded))
    except ValueError:
        pass


@pytest.mark.parametrize("encoded", [b"\x0a", b"\x0a\x05abc", b"\x80", b"\x09\x01", b"\x0b", b"\x08" + b"\xff" * 11])
def test_the_beginning_of_a_message_is_refused(encoded: bytes) -> None:
    with pytest.raises(ValueError, match="message"):
        list(values(encoded))
