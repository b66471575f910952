"""Content is taken out of the bytes, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, InstrumentationScope, KeyValue
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from otel_mas.otlp.decode import decode_body
from otel_mas.otlp.framing import LogRow, Origin
from otel_mas.privacy.policy import Rule, holds_text, rule
from otel_mas.privacy.withhold import Withholder
from otel_mas.semconv import attributes as names
from tests.conformance.messages import pairs
from tests.unit.otlp import otlp_strategies as any_otlp

CAUSES = {names.MAS_CAUSE_SPANS: ("0a" * 16 + "-" + "0b" * 8,) * 200, names.MAS_CAUSE_KINDS: ("trigger",) * 200}


def shipped(span: Span) -> Span:
    return Span.FromString(Withholder().span(span.SerializeToString())[0])


def keys(attributes: Any) -> set[str]:
    return {pair.key for pair in attributes}


@pytest.mark.parametrize(
    "name",
    [
        names.GEN_AI_INPUT_MESSAGES,
        names.GEN_AI_TOOL_CALL_ARGUMENTS,
        names.MAS_INTERRUPT_VALUES,
        "input.value",
        "llm.input_messages.0.message.content",
        "gen_ai.prompt.0.content",
        "traceloop.entity.input",
    ],
)
def test_content_is_withheld_of_any_instrumentation_and_length(name: str) -> None:
    span = Span(name="s", attributes=pairs({name: "x", names.GEN_AI_REQUEST_MODEL: "m"}))

    assert keys(shipped(span).attributes) == {names.GEN_AI_REQUEST_MODEL}


def test_causes_and_links_leave_whole_however_many() -> None:
    link = Span.Link(trace_id=b"t" * 16, span_id=b"s" * 8, attributes=pairs({names.MAS_LINK_KIND: "trigger"}))
    span = Span(name="s", attributes=pairs(CAUSES), links=[link] * 200)

    assert shipped(span) == span


@pytest.mark.parametrize(
    ("value", "leaves"),
    [
        ("short", False),
        (b"short", False),
        (("short",), False),
        ({"deep": (1,)}, False),
        ((1, ({},), ("x",)), False),
        ("", True),
        (7, True),
        (True, True),
        ((0.5, 7), True),
    ],
    ids=repr,
)
def test_of_unknown_names_only_numbers_and_booleans_leave(value: Any, leaves: bool) -> None:
    span = Span(attributes=pairs({"foreign": value, "other": 1}))

    assert keys(shipped(span).attributes) == ({"foreign", "other"} if leaves else {"other"})


def test_structure_of_the_semantic_conventions_and_of_other_vocabularies_leaves() -> None:
    known = {"http.route": "/a", "db.system.name": "sqlite", "openinference.span.kind": "LLM", "llm.model_name": "m"}
    span = Span(attributes=pairs({**known, "url.full": "http://h/?q=x", "db.query.text": "SELECT 'x'"}))

    assert keys(shipped(span).attributes) == set(known)


def test_structure_of_the_registry_leaves_at_any_length() -> None:
    span = Span(attributes=pairs({names.MAS_CHECKPOINT_PENDING: ("x" * 5000,)}))

    assert shipped(span) == span


def test_of_an_exception_only_the_type_leaves() -> None:
    event = Span.Event(
        name="exception",
        time_unix_nano=7,
        attributes=pairs(
            {
                names.EXCEPTION_TYPE: "ValueError",
                names.EXCEPTION_MESSAGE: "no such card 4111",
                names.EXCEPTION_STACKTRACE: "File",
            }
        ),
    )
    span = Span(events=[event], status=Status(code=Status.STATUS_CODE_ERROR, message="no such card 4111"))

    left = shipped(span)
    assert left.status == Status(code=Status.STATUS_CODE_ERROR)
    assert (left.events[0].name, left.events[0].time_unix_nano) == ("exception", 7)
    assert keys(left.events[0].attributes) == {names.EXCEPTION_TYPE}


def test_an_event_with_content_keeps_only_known_structure() -> None:
    attributes = {"content": "hi", "message": {"role": "user"}, "new": "hi", names.GEN_AI_PROVIDER_NAME: "p"}
    event = Span.Event(name="gen_ai.user.message", attributes=pairs(attributes))

    assert keys(shipped(Span(events=[event])).events[0].attributes) == {names.GEN_AI_PROVIDER_NAME}


def test_a_links_foreign_content_stays_and_the_link_leaves() -> None:
    link = Span.Link(
        trace_id=b"t" * 16, span_id=b"s" * 8, attributes=pairs({"input.value": "x", names.MAS_LINK_KIND: "send"})
    )

    (left,) = shipped(Span(links=[link])).links
    assert (left.trace_id, left.span_id, keys(left.attributes)) == (b"t" * 16, b"s" * 8, {names.MAS_LINK_KIND})


def test_withheld_values_are_counted() -> None:
    span = Span(
        attributes=pairs({"input.value": "x", "output.value": "y"}),
        status=Status(message="m", code=Status.STATUS_CODE_ERROR),
    )

    assert Withholder().span(span.SerializeToString())[1] == 3


def test_a_span_without_content_keeps_its_very_bytes() -> None:
    body = Span(name="s", attributes=pairs({"a": 1, names.GEN_AI_REQUEST_MODEL: "m"})).SerializeToString()

    assert Withholder().span(body) == (body, 0)


def test_fields_that_we_do_not_know_stay() -> None:
    unknown = b"\xfa\x3e\x03new"  # field 1007
    body = Span(attributes=pairs({"input.value": "x"})).SerializeToString() + unknown

    assert Withholder().span(body) == (unknown, 1)


def test_resources_and_scopes_are_looked_through_too() -> None:
    resource = Resource(attributes=pairs({names.SERVICE_NAME: "s", "process.command_line": "python app.py hello"}))
    scope = InstrumentationScope(name="lib", attributes=pairs({"input.value": "x", "n": 1}))
    row = LogRow(1, Origin(1, resource.SerializeToString()), Origin(2, scope.SerializeToString()), b"")

    left, _ = Withholder().row(row)
    assert keys(Resource.FromString(left.resource.message).attributes) == {names.SERVICE_NAME}
    assert keys(InstrumentationScope.FromString(left.scope.message).attributes) == {"n"}


def test_a_value_nested_without_end_stays() -> None:
    value: Any = 1
    for _ in range(40):
        value = (value,)
    span = Span(attributes=pairs({"foreign": value}))

    assert keys(shipped(span).attributes) == set()


def test_of_fields_that_come_twice_each_is_looked_at() -> None:
    quiet = Span(status=Status(code=Status.STATUS_CODE_ERROR)).SerializeToString()
    telling = Span(status=Status(message="no such card 4111")).SerializeToString()
    # The last key of a pair counts, as for every reader of protobuf.
    pair = b"\x0a\x01k" + KeyValue(key="input.value", value=AnyValue(string_value="4111")).SerializeToString()
    hidden = b"\x4a" + bytes((len(pair),)) + pair

    for body in (quiet + telling, telling + quiet):
        left, withheld = Withholder().span(body + hidden)
        assert withheld == 2
        assert b"4111" not in left
        assert Span.FromString(left).status.code == Status.STATUS_CODE_ERROR


@pytest.mark.parametrize("body", [b"\x4a\xff", b"\x4a\x05ab", b"\x07", b"\xff" * 12])
def test_bytes_that_are_no_span_raise(body: bytes) -> None:
    with pytest.raises(ValueError, match="message"):
        Withholder().span(body)


@given(any_otlp.spans)
def test_of_any_span_no_content_leaves_and_all_else_does(span: Span) -> None:
    left = shipped(span)

    for attributes in (left.attributes, *(one.attributes for one in (*left.events, *left.links))):
        for name, value in decode_body(Span(attributes=attributes).SerializeToString()).attributes.items():
            assert rule(name) is Rule.KEEP or (rule(name) is Rule.WITHHOLD_TEXT and not holds_text(value))
    assert left.status.message == ""
    for kept in (span, left):
        for part in (kept, *kept.events, *kept.links):
            part.ClearField("attributes")
        kept.status.ClearField("message")
    assert left.SerializeToString(deterministic=True) == span.SerializeToString(deterministic=True)
