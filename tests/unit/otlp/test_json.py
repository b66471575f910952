"""OTLP/JSON lines: everything comes back, in the form that OTLP prescribes."""

from __future__ import annotations

import math

import orjson
import pytest
from hypothesis import given
from opentelemetry.proto.common.v1.common_pb2 import InstrumentationScope
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status, TracesData

from otel_mas.otlp.framing import LogRow, Origin, traces_data
from otel_mas.otlp.json import json_line, resource_spans, span_json
from tests.conformance.messages import pairs
from tests.unit.otlp import otlp_strategies as any_otlp

RESOURCE = Resource(attributes=pairs({"service.name": "s"}), dropped_attributes_count=2)
SCOPE = InstrumentationScope(name="lib", version="1", attributes=pairs({"a": 1}), dropped_attributes_count=3)


def rows(*spans: Span) -> list[LogRow]:
    resource = Origin(1, RESOURCE.SerializeToString(), "https://r")
    scope = Origin(2, SCOPE.SerializeToString(), "https://s")
    return [LogRow(number, resource, scope, span.SerializeToString()) for number, span in enumerate(spans)]


@given(any_otlp.spans)
def test_any_span_comes_back_byte_for_byte(span: Span) -> None:
    written = rows(span, span)
    back = TracesData(resource_spans=resource_spans(orjson.loads(json_line(written))))

    assert back.SerializeToString(deterministic=True) == TracesData.FromString(traces_data(written)).SerializeToString(
        deterministic=True
    )


def test_values_have_the_forms_that_otlp_prescribes() -> None:
    span = Span(
        trace_id=bytes.fromhex("5B8EFFF798038103D269B633813FC60C"),
        span_id=bytes.fromhex("EEE19B7EC3C1B174"),
        parent_span_id=bytes.fromhex("EEE19B7EC3C1B173"),
        name="s",
        kind=Span.SPAN_KIND_SERVER,
        start_time_unix_nano=1544712660000000000,
        end_time_unix_nano=1544712661000000000,
        status=Status(code=Status.STATUS_CODE_ERROR, message="m"),
        attributes=pairs(
            {"i": 2**53 + 1, "nan": math.nan, "inf": -math.inf, "f": 1.5, "b": b"\x00\xff", "none": None, "t": True}
        ),
    )

    found = span_json(span.SerializeToString())

    assert {name: found[name] for name in ("traceId", "spanId", "parentSpanId", "kind", "status")} == {
        "traceId": "5b8efff798038103d269b633813fc60c",
        "spanId": "eee19b7ec3c1b174",
        "parentSpanId": "eee19b7ec3c1b173",
        "kind": 2,
        "status": {"message": "m", "code": 2},
    }
    assert (found["startTimeUnixNano"], found["endTimeUnixNano"]) == ("1544712660000000000", "1544712661000000000")
    assert {pair["key"]: pair["value"] for pair in found["attributes"]} == {
        "i": {"intValue": "9007199254740993"},
        "nan": {"doubleValue": "NaN"},
        "inf": {"doubleValue": "-Infinity"},
        "f": {"doubleValue": 1.5},
        "b": {"bytesValue": "AP8="},
        "none": {},
        "t": {"boolValue": True},
    }


def test_a_batch_is_one_line() -> None:
    line = json_line(rows(Span(name="a\nb")))

    assert line.count(b"\n") == 1
    assert line.endswith(b"}\n")


def test_bytes_that_are_no_span_raise() -> None:
    with pytest.raises(ValueError, match="not an OTLP Span message"):
        span_json(b"\xff\xff\xff")
