"""Records survive JSON lines and MessagePack, whatever their values hold."""

from __future__ import annotations

import json
import math
from io import BytesIO
from typing import Any

import msgpack
import orjson
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from otel_mas.trace_records.formats import json_line, unpacked_stream
from otel_mas.trace_records.record import (
    EventType,
    Modality,
    Parent,
    RecordEvent,
    TokenCost,
    TraceRecord,
    parent_of,
    record_of,
)
from otel_mas.trace_records.values import tagged

# Text with lone surrogates, halves of pairs beside each other, and names that look like tags.
texts = st.one_of(st.text(), st.text(st.characters(categories=("Cs", "L", "Po")), max_size=5))
keys = st.one_of(texts, st.sampled_from(["$bytes", "$float", "$int", "$text", "$map", "$", "a"]))
values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.integers(-(2**200), 2**200), st.floats(), st.binary(), texts),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(keys, inner, max_size=4)),
    max_leaves=12,
)
ids = texts.filter(lambda text: 0 < len(text) <= 256)
nanoseconds = st.integers(0, 2**63)
mappings = st.dictionaries(keys, values, max_size=3)
counts = st.one_of(st.none(), st.integers(0, 2**70))
records = st.builds(
    TraceRecord,
    trace_id=ids,
    span_id=ids,
    event_type=st.sampled_from(EventType),
    timestamp=nanoseconds,
    duration_ns=st.integers(-(2**40), 2**40),
    agent_name=st.one_of(st.none(), texts),
    parent_id=st.one_of(st.none(), ids),
    parents=st.lists(st.builds(Parent, span_id=ids, kind=st.one_of(st.none(), texts), attributes=mappings), max_size=3),
    name=texts,
    status=st.sampled_from(["UNSET", "OK", "ERROR"]),
    payload=values,
    token_cost=st.one_of(
        st.none(), st.builds(TokenCost, prompt=counts, usd=st.one_of(st.none(), st.floats(0, allow_infinity=False)))
    ),
    modality=st.sampled_from(Modality),
    events=st.lists(st.builds(RecordEvent, name=texts, timestamp=nanoseconds, attributes=mappings), max_size=2),
    attributes=mappings,
    resource=mappings,
)


def same(one: Any, other: Any) -> bool:
    """Equality that tells types apart and takes NaN for equal to NaN."""
    if isinstance(one, TraceRecord):
        return same(dict(one.fields()), dict(other.fields()))
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, float):
        return (math.isnan(one) and math.isnan(other)) or (
            one == other and math.copysign(1, one) == math.copysign(1, other)
        )
    return bool(one == other)


def of(payload: Any) -> TraceRecord:
    return TraceRecord(trace_id="t", span_id="s", event_type="SPAN", timestamp=1, payload=payload)


@given(records)
@example(of({"$map": [], "a": {"$int": "7"}}))
@example(of(["\ud83d\ude00", 2**64, 2**64 - 1, -(2**63), -(2**63) - 1, -0.0, b"", math.inf]))
def test_json_gives_back_what_it_was_given(record: TraceRecord) -> None:
    line = record.to_json()

    assert b"\n" not in line
    assert same(TraceRecord.from_json(line), record)


@given(records)
@example(of(["\ud83d\ude00", 2**64, 2**64 - 1, -(2**63), -(2**63) - 1, -0.0, b"", math.inf]))
def test_messagepack_gives_back_what_it_was_given(record: TraceRecord) -> None:
    assert same(TraceRecord.from_msgpack(record.to_msgpack()), record)


@given(records)
def test_any_json_library_reads_a_line_and_writes_one_that_means_the_same(record: TraceRecord) -> None:
    again = json.dumps(json.loads(record.to_json()))

    assert same(TraceRecord.from_json(again), record)


def test_an_integer_may_have_any_length() -> None:
    record = of([2**20_000])

    assert TraceRecord.from_json(record.to_json()).payload == [2**20_000]
    assert TraceRecord.from_msgpack(record.to_msgpack()).payload == [2**20_000]


def test_what_python_writes_beyond_the_standard_is_read() -> None:
    line = json.dumps(
        {"trace_id": "t", "span_id": "s", "event_type": "SPAN", "timestamp": 1, "payload": [math.nan, 2**70, "\udc00"]}
    )

    assert same(TraceRecord.from_json(line).payload, [math.nan, 2**70, "\udc00"])


@given(st.lists(records, max_size=4), st.integers(1, 50))
def test_a_stream_of_messagepack_is_read_record_by_record(found: list[TraceRecord], chunk: int) -> None:
    class Slow(BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            return super().read(chunk)

    file = Slow(b"".join(record.to_msgpack() for record in found))

    assert same([TraceRecord.from_fields(fields) for fields in unpacked_stream(file)], found)


@pytest.mark.parametrize(
    "data", [b"", b"\xc1", b"\x81\xa1a", msgpack.packb(1), msgpack.packb(msgpack.ExtType(9, b"x"))]
)
def test_what_is_no_messagepack_record_is_a_value_error(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        TraceRecord.from_msgpack(data)


@pytest.mark.parametrize(
    "line", [b"", b"{", b"[]", b"null", b'{"trace_id": "\xff"}', b"[" * 100_000, b'{"a":' * 20 + b"1" * 30]
)
def test_what_is_no_json_record_is_a_value_error(line: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        TraceRecord.from_json(line)


@given(st.dictionaries(st.text(), values, max_size=3))  # names of fields are text that UTF-8 can hold
def test_a_line_is_the_same_whether_or_not_its_values_have_a_form_in_json(fields: dict[str, Any]) -> None:
    assert json_line(fields) == orjson.dumps({name: tagged(value) for name, value in fields.items()})


@given(records)
def test_a_record_of_valid_fields_is_the_validated_one(record: TraceRecord) -> None:
    made = record_of(**{**dict(record), "parents": tuple(parent_of(**dict(one)) for one in record.parents)})

    assert same(made, record)
    assert type(made) is TraceRecord
    assert made.model_fields_set == set(TraceRecord.model_fields)
