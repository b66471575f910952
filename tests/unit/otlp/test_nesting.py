"""Nested attribute values: whatever is written can be read, by every decoder."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span, TracesData

from otel_mas.otlp.decode import decode_body
from otel_mas.otlp.encode import encode_resource, key_value
from otel_mas.otlp.json import resource_spans, span_json
from otel_mas.otlp.nesting import CUT, MAX_NESTING
from otel_mas.otlp.wire import delimited
from otel_mas.sources.traces import traces_data


def nested(levels: int, kind: str) -> Any:
    value: Any = "x"
    for level in range(levels):
        value = {"a": value} if kind == "maps" or (kind == "both" and level % 2) else [value]
    return value


def levels(value: Any) -> tuple[int, Any]:
    """The depth of a decoded value, and its innermost item."""
    depth = 0
    while isinstance(value, dict | tuple | list):
        value = value["a"] if isinstance(value, dict) else value[0]
        depth += 1
    return depth, value


def deep_span(count: int) -> bytes:
    """A span as another program may have written it, with an attribute of so many nested arrays."""
    value = b"\x0a\x01x"
    for _ in range(count):
        value = delimited(b"\x2a", delimited(b"\x0a", value))
    pair = delimited(b"\x0a", b"l") + delimited(b"\x12", value)
    name = delimited(b"\x2a", b"deep")
    return name + delimited(b"\x4a", pair) + delimited(b"\x5a", delimited(b"\x1a", pair))


@pytest.mark.parametrize("kind", ["lists", "maps", "both"])
def test_nested_values_are_read_and_cut_at_the_limit_with_a_note(kind: str) -> None:
    for count, read in ((MAX_NESTING, (MAX_NESTING, "x")), (MAX_NESTING + 1, (MAX_NESTING, CUT)), (400, (30, CUT))):
        body = delimited(b"\x4a", key_value("l", nested(count, kind)))
        assert levels(decode_body(body).attributes["l"]) == read
        everywhere = TracesData(resource_spans=[ResourceSpans(scope_spans=[ScopeSpans(spans=[Span.FromString(body)])])])
        assert traces_data(everywhere.SerializeToString()) == everywhere
        [back] = resource_spans(orjson.loads(orjson.dumps({"resourceSpans": [
            {"scopeSpans": [{"spans": [span_json(body)]}]}
        ]})))  # fmt: skip
        assert back.scope_spans[0].spans[0].attributes == Span.FromString(body).attributes


def test_a_resource_is_bounded_too() -> None:
    from otel_mas.otlp.decode import decode_resource

    for count in (5, MAX_NESTING + 1, 200):
        found = decode_resource(encode_resource({"l": nested(count, "maps")})).attributes["l"]
        assert levels(found) == (min(count, MAX_NESTING), "x" if count <= MAX_NESTING else CUT)


@pytest.mark.parametrize("count", [31, 48, 60, 2_000])
def test_a_deeper_span_of_another_program_is_read_and_cut_where_protobuf_cannot_follow(count: int) -> None:
    body = deep_span(count)
    can_be_parsed = count <= 48
    if not can_be_parsed:
        with pytest.raises(DecodeError):
            Span.FromString(body)
    read = (count, "x") if can_be_parsed else (MAX_NESTING, CUT)
    decoded = decode_body(body)
    assert levels(decoded.attributes["l"]) == read
    assert levels(decoded.events[0].attributes["l"]) == read
    assert span_json(body)["name"] == "deep"
    message = delimited(b"\x0a", delimited(b"\x12", delimited(b"\x12", body) + delimited(b"\x12", body)))
    assert [span.name for span in traces_data(message).resource_spans[0].scope_spans[0].spans] == ["deep", "deep"]


def test_bytes_that_are_no_message_are_refused() -> None:
    for broken in (b"\xff\xff\xff", deep_span(60)[:-3]):
        with pytest.raises(ValueError, match="not an OTLP Span message"):
            decode_body(broken)


def test_of_a_json_document_one_bad_span_costs_no_other() -> None:
    good = {"traceId": "01" * 16, "spanId": "02" * 8, "name": "good"}
    bad = {"traceId": "01" * 16, "spanId": "03" * 8, "name": 7}
    problems: list[str] = []
    [found] = resource_spans({"resourceSpans": [{"scopeSpans": [{"spans": [good, bad, None, good]}]}]}, problems)
    assert [span.name for span in found.scope_spans[0].spans] == ["good", "good"]
    assert len(problems) == 2
    assert problems[0].startswith(f"leaves out span '{'03' * 8}' of trace '{'01' * 16}': ")
