"""OTLP bytes to the model and back."""

from __future__ import annotations

import contextlib
import copy
import dataclasses
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


@given(st.dictionaries(TEXT, VALUES, max_size=4), st.dictionaries(TEXT, VALUES, max_size=2), TEXT)
def test_one_attribute_is_the_same_as_among_all(
    attributes: dict[str, Any], of_event: dict[str, Any], name: str
) -> None:
    event = trace_pb2.Span.Event(name=name, attributes=pairs(of_event))
    encoded = trace_pb2.Span(name=name, attributes=pairs(attributes), events=[event]).SerializeToString()
    for wanted in (name, *attributes, *of_event, "\ud800"):
        assert decode_body(encoded).attribute(wanted, "none") == attributes.get(wanted, "none")


def test_only_what_is_asked_for_is_decoded() -> None:
    body = decode_body(
        trace_pb2.Span(
            attributes=pairs({"k": 1}),
            events=[trace_pb2.Span.Event(name="e")],
            status=trace_pb2.Status(message="broke"),
        ).SerializeToString()
    )
    assert body.attribute("other") is None
    assert decoded(body) == set()
    assert body.events == (Event("e", 0),)
    assert decoded(body) == {"events"}
    assert body.attribute("k") == 1
    assert decoded(body) == {"events", "attributes"}
    assert body.attributes is body.attributes
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        body.nothing  # type: ignore[attr-defined]  # noqa: B018


def test_a_body_is_equal_to_one_with_the_same_fields_and_copied_as_a_whole() -> None:
    encoded = trace_pb2.Span(attributes=pairs({"k": 1}), flags=3).SerializeToString()
    whole = SpanBody(attributes={"k": 1}, flags=3)
    assert decode_body(encoded) == whole == copy.deepcopy(decode_body(encoded))
    assert decode_body(encoded) != SpanBody(attributes={"k": 1}, flags=4)
    changed = decode_body(encoded).changed(attributes={"k": 2})
    assert (changed, changed.attribute("k")) == (SpanBody(attributes={"k": 2}, flags=3), 2)


def decoded(body: SpanBody) -> set[str]:
    """Names of the fields that are there, without asking for one."""
    found = set()
    for field in dataclasses.fields(SpanBody):
        with contextlib.suppress(AttributeError):
            vars(SpanBody)[field.name].__get__(body)
            found.add(field.name)
    return found


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
