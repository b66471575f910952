"""OTLP bytes to the model and back."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.trace.v1 import trace_pb2

from otel_mas.model import Event, Link, Resource, Scope, SpanBody
from otel_mas.otlp.decode import decode_body, decode_resource, decode_scope
from otel_mas.otlp.encode import encode_resource, encode_scope
from tests.conformance.messages import pairs

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
VALUES = st.recursive(
    st.none()
    | TEXT
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False)
    | st.binary(max_size=8),
    lambda inner: st.lists(inner, max_size=3).map(tuple) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)


@given(st.dictionaries(TEXT, VALUES, max_size=4))
def test_every_kind_of_value_survives(attributes: dict[str, Any]) -> None:
    assert decode_resource(encode_resource(attributes), "url") == Resource(attributes, "url")
    assert decode_scope(encode_scope("n", "v", attributes), "url") == Scope("n", "v", attributes, "url")


def test_a_body_has_everything_that_the_span_carries() -> None:
    span = trace_pb2.Span(
        trace_state="a=b",
        flags=0x101,
        attributes=pairs({"k": ("x", 1)}),
        dropped_attributes_count=1,
        dropped_events_count=2,
        dropped_links_count=3,
        status=trace_pb2.Status(code=2, message="broke"),
        events=[
            trace_pb2.Span.Event(name="e", time_unix_nano=5, attributes=pairs({"a": 1}), dropped_attributes_count=4)
        ],
        links=[
            trace_pb2.Span.Link(
                trace_id=b"t" * 16,
                span_id=b"s" * 8,
                attributes=pairs({"mas.link.kind": "send"}),
                trace_state="c=d",
                flags=1,
                dropped_attributes_count=5,
            )
        ],
    )
    assert decode_body(span.SerializeToString()) == SpanBody(
        attributes={"k": ("x", 1)},
        events=(Event("e", 5, {"a": 1}, 4),),
        links=(Link((b"t" * 16).hex(), (b"s" * 8).hex(), "send", {"mas.link.kind": "send"}, "c=d", 1, 5),),
        status_message="broke",
        trace_state="a=b",
        flags=0x101,
        dropped_attributes_count=1,
        dropped_events_count=2,
        dropped_links_count=3,
    )


def test_bytes_that_are_no_span_are_a_value_error() -> None:
    with pytest.raises(ValueError, match="not an OTLP Span message"):
        decode_body(b"\xff\xff")


def test_writing_loads_no_protobuf_and_neither_room_of_analysis() -> None:
    code = (
        "import sys, tempfile; from otel_mas.store import StoreWriter; from otel_mas.store.rows import Batch\n"
        "w = StoreWriter(tempfile.mkdtemp() + '/r.db', instance_id=b'i', run_id=None, service='s', max_bytes=0, "
        "max_age_ns=0)\n"
        "w.resource({'service.name': 's'}, '', b'x'); w.scope('n', 'v', {}, ''); w.close()\n"
        "print([m for m in ('google.protobuf', 'networkx', 'pydantic', 'otel_mas.causal', 'otel_mas.store.reader') "
        "if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=300, check=True)
    assert done.stdout.strip() == "[]"
